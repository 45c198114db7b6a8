"""A set that a tiny model learns in a minute: colours of pictures, and what customers want in so many words."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

HERE = Path(__file__).parent

COLOURS = {"红色": (205, 40, 40), "绿色": (40, 170, 60), "蓝色": (40, 70, 205), "黄色": (225, 205, 40)}

OPENINGS = ("你好", "在吗", "亲", "麻烦问下", "客服", "请问")
WISHES = {
    "退款申请": ("我要退款", "钱退给我", "不要了想退", "帮我把钱退了", "申请退款怎么弄"),
    "物流查询": ("快递到哪了", "怎么还没收到货", "物流不动了", "包裹几天能到", "查下快递"),
    "商品材质": ("这是什么料子", "是纯棉的吗", "材质是羊毛吗", "面料会不会硬", "什么材料做的"),
}

TRAIN, TEST = 60, 32
"""Pictures and dialogues of each split; the test's pictures and combinations of words are not in training."""


def write_goods(folder: Path, turned: bool = False) -> Path:
    """Write `rows.jsonl` and its pictures; `turned` gives every training row the next label of its task instead."""
    draw = random.Random(0)
    rows = [*_pictures(folder, draw), *_dialogues(draw)]
    if turned:
        for row in rows:
            names = list(COLOURS if row["task"] == "colour" else WISHES)
            row["label"] = names[(names.index(row["label"]) + 1) % len(names)]
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (folder / "rows.jsonl").write_text(text, "utf-8")
    return folder / "rows.jsonl"


def _pictures(folder: Path, draw: random.Random) -> list[dict[str, Any]]:
    noise = np.random.default_rng(0)
    (folder / "pictures").mkdir(parents=True, exist_ok=True)
    rows = []
    for number in range(TRAIN + TEST):
        label = list(COLOURS)[number % len(COLOURS)]
        size = (56 + 28 * draw.randrange(3), 56 + 28 * draw.randrange(3))
        pixels = np.array(COLOURS[label]) + noise.integers(-25, 26, (size[1], size[0], 3)) + noise.integers(-15, 16, 3)
        name = f"pictures/{number}.png"
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / name)
        rows.append(
            {"id": f"colour-{number}", "task": "colour", "image": name, "label": label, "split": _split(number)}
        )
    return rows


def _dialogues(draw: random.Random) -> list[dict[str, Any]]:
    said = [
        (label, f"{opening}，{wish}") for label, wishes in WISHES.items() for wish in wishes for opening in OPENINGS
    ]
    draw.shuffle(said)
    return [
        {"id": f"wish-{number}", "task": "wish", "text": text, "label": label, "split": _split(number)}
        for number, (label, text) in enumerate(said[: TRAIN + TEST])
    ]


def _split(number: int) -> str:
    return "train" if number < TRAIN else "test"


def recipe(source: Path, model: Path, name: str, template: Path) -> str:
    """The recipe that makes a training set of the goods."""
    return f"""
name: {name}
input: {{path: {source}, images: {source.parent}, labels: {HERE}/labels.yaml}}
stages: []
exports:
  - use: sharegpt
    template: {template}
    dataset_name: {name}
    model: {model}
    tokenizer: {model}
    cutoff_len: 512
"""
