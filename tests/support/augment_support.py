"""What tests of augmentation share: records of talks and of pictures, and a stage run over batches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image as Pillow

from curate.dataset.pictures import PictureStore
from curate.labels.registry import Registry
from curate.pipeline.batch import Batch
from curate.pipeline.outcome import Outcome, join
from curate.pipeline.stage import Context, Stage
from curate.records import Image, Line, Ocr, Record, Turn, to_table

TALKS = [
    (
        "商品材质",
        [
            "<image>",
            "请问这款是什么材质的呢",
            "亲，您好，这款外面是纯棉的哦，里面是莫代尔",
            "那洗几次会不会变形，我昨天刚收到",
        ],
    ),
    ("用法用量", ["这个怎么用", "亲亲，早上和晚上各用一次，每次3克就可以", "用之前要不要先洗脸，谢谢"]),
    (
        "何时上货",
        ["黑色的没货了，什么时候能有", "您好，预计下周补，请您耐心等待哦", "那我等下周，到时候能不能通知我一下"],
    ),
    ("能否调光", ["这盏灯能不能调节亮度啊", "亲，支持三档亮度的哈", "用手机也可以调吗，我家里老人不会弄"]),
    ("信号情况", ["老是没信号怎么回事", "亲，麻烦您重启一下试试", "我昨天已经重启过了，还是没反应"]),
]


def talk(number: int, **changes: Any) -> Record:
    """A made-up talk; numbers beyond the five repeat them under another uid."""
    label, texts = TALKS[number % len(TALKS)]
    roles = ("user", "user", "agent", "user") if texts[0] == "<image>" else ("user", "agent", "user")
    turns = tuple(Turn(role, text) for role, text in zip(roles, texts, strict=True))
    images = (Image("p.jpg", sha256="0" * 64),) if texts[0] == "<image>" else ()
    values = {"label": label, "split": "train", "raw": "{}", **changes}
    return Record(f"u{number:05d}", str(number), "dialogue_intent", turns, images, **values)


def context(root: Path | None = None, made: Path = Path(), seed: int = 0, **more: Any) -> Context:
    """What a stage is told of its run, with MIRE's labels."""
    labels = {name: task.names for name, task in Registry.load("mire").tasks.items()}
    return Context(PictureStore(root, made), seed=seed, labels=labels, **more)


def perform(stage: Stage[Any], rows: list[Record], shard: int = 100) -> Outcome:
    """Survey, decide and process over shards, as the engine does."""
    batches = [
        Batch(to_table(rows[start : start + shard]), stage.options.title, stage.codes)
        for start in range(0, len(rows), shard)
    ]
    stage.open()
    if stage.surveys:
        stage.verdict = stage.decide(pa.concat_tables([stage.survey(batch) for batch in batches]))
    for batch in batches:
        stage.process(batch)
    return join([batch.outcome() for batch in batches])


def screen(folder: Path, name: str, seed: int = 0, size: tuple[int, int] = (360, 640)) -> Image:
    """Draw a page of grey bars where lines of text would be; give the picture's record with those lines."""
    width, height = size
    draw = np.random.Generator(np.random.PCG64(seed))
    pixels = np.full((height, width, 3), 245, np.uint8)
    lines = []
    for number, top in enumerate(range(60, height - 80, 60)):
        left, right = 40, 40 + int(draw.integers(width // 3, width - 70))
        pixels[top : top + 24, left:right] = draw.integers(20, 120, (24, right - left, 1))
        polygon = (left, top, right, top, right, top + 24, left, top + 24)
        lines.append(Line(f"第{number}行文字" * 2, 0.99, tuple(float(one) for one in polygon)))
    Pillow.fromarray(pixels).save(folder / name, quality=95)
    ocr = Ocr("test", "\n".join(line.text for line in lines), tuple(lines))
    return Image(name, None, width, height, "JPEG", ocr)


def page(number: int, image: Image, **changes: Any) -> Record:
    """A record of one picture."""
    values = {"label": "购物车页面", "split": "train", "raw": "{}", **changes}
    return Record(f"p{number:05d}", str(number), "image_scene", (Turn("user", "<image>"),), (image,), **values)
