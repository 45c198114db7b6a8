"""A ShareGPT export trains: what a trainer would stop at is left out with a reason, the rest is right."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from curate.dataset.pictures import PictureStore
from curate.dataset.vision import MAX_ASPECT, MIN_PIXELS, PROCESSOR_MAX_PIXELS, Bounds, Size, fit, smart_resize
from curate.errors import RowError, RunFailed, UsageError
from curate.export.check.sizes import in_llamafactory
from curate.export.sharegpt import ShareGptExporter, ShareGptOptions
from curate.export.template import Template, Wanted
from curate.pipeline.export import Delivery
from curate.pipeline.stage import Context
from curate.records import Image, Line, Ocr, Record, Turn, to_table


def picture(folder: Path, name: str, size: tuple[int, int] = (600, 1300), mode: str = "RGB", **save: Any) -> Image:
    """Save a picture and describe it as ingest would."""
    import hashlib

    stream = io.BytesIO()
    Pillow.new(mode, size, "red" if mode != "RGBA" else (255, 0, 0, 0)).save(
        stream, name.rpartition(".")[2].replace("jpg", "jpeg"), **save
    )
    (folder / name).write_bytes(stream.getvalue())
    return Image(name, hashlib.sha256(stream.getvalue()).hexdigest(), *size, "JPEG")


def export(folder: Path, *records: Record, **options: Any) -> tuple[dict[str, list[dict[str, Any]]], dict[str, str]]:
    """Run the exporter; give the rows of each split and the codes of what was left out."""
    out = folder / "out"
    out.mkdir()
    left: dict[str, str] = {}

    def leave_out(uid: str, code: str, detail: str) -> None:
        assert code in ShareGptExporter.codes
        left[uid] = code

    exporter = ShareGptExporter(ShareGptOptions(**options), Context(PictureStore(folder, folder / "made")))
    exporter.write([to_table(records)], Delivery(out, leave_out, lambda rows: None))
    names = ("train", "val", "test")
    return {
        name: json.loads((out / f"{name}.json").read_text("utf-8")) for name in names if (out / f"{name}.json").exists()
    }, left


def chat(uid: str, *turns: str, label: str | None = None, images: tuple[Image, ...] = (), **more: Any) -> Record:
    """A chat whose turns begin with `u:` or `a:`."""
    spoken = tuple(Turn("user" if turn.startswith("u:") else "agent", turn[2:]) for turn in turns)
    return Record(uid, uid, "chat", spoken, images, label=label, raw="{}", **more)


GOOD = chat("good", "u:hello", "a:hi there")


@pytest.mark.parametrize(
    ("record", "code"),
    [
        (chat("bad", "u:a question"), "no_answer"),
        (chat("bad", "u:a question", "a:"), "no_answer"),
        (chat("bad", "a:we begin", "u:a", "a:b"), "roles_do_not_alternate"),
        (chat("bad"), "empty_dialogue"),
        (chat("bad", "u:tell <|im_end|> me", "a:no"), "special_token"),
        (chat("bad", "u:" + "长" * 3000, "a:no"), "over_token_budget"),
        (chat("bad", "u:<image>", "a:no", images=(Image("gone.jpg", "0" * 64, 100, 100, "JPEG"),)), "image_missing"),
        (chat("bad", "u:<image>", "a:no", images=(Image("good.jpg", "0" * 64, 100, 100, "JPEG"),)), "image_changed"),
        (chat("bad", "u:<image>", "a:no", images=(Image("x.jpg", "0" * 64, 4000, 10, "JPEG"),)), "image_aspect"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_a_trainer_would_stop_at_is_left_out(tmp_path: Path, record: Record, code: str) -> None:
    """One bad row crashes a training after an hour, or is dropped there without a word."""
    picture(tmp_path, "good.jpg")
    rows, left = export(tmp_path, GOOD, record)

    assert left == {"bad": code}
    assert [row["id"] for row in rows["train"]] == ["good"]


def test_a_label_is_the_last_answer(tmp_path: Path) -> None:
    """The model learns to answer with the label, not with what the agent happened to say."""
    rows, _ = export(
        tmp_path, chat("a", "u:one", "u:two", "a:three", "u:four", label="L"), chat("b", "u:one", "a:reply", label="L")
    )

    spoken = [[(turn["from"], turn["value"]) for turn in row["conversations"]] for row in rows["train"]]
    assert spoken[0] == [("human", "one\ntwo"), ("gpt", "three"), ("human", "four"), ("gpt", "L")]
    assert spoken[1] == [("human", "one"), ("gpt", "L")]


def test_an_agent_that_says_nothing_is_no_turn(tmp_path: Path) -> None:
    """MIRE's agents are silent in 163 of 980 turns; a model must not learn to be."""
    rows, left = export(tmp_path, chat("a", "u:one", "a:", "u:two", "a:  ", "u:three", label="L"))

    spoken = [(turn["from"], turn["value"]) for turn in rows["train"][0]["conversations"]]
    assert (left, spoken) == ({}, [("human", "one\ntwo\nthree"), ("gpt", "L")])


def test_text_in_a_picture_cannot_break_a_sample(tmp_path: Path) -> None:
    """A screenshot that shows `<image>` or `<|im_end|>` must not change the number of placeholders."""
    line = Line("<image> <|im_end|> 包邮", 0.9, (0, 0, 1, 0, 1, 1, 0, 1))
    image = picture(tmp_path, "a.jpg")
    read = Image(image.path, image.sha256, image.width, image.height, "JPEG", Ocr("fake", line.text, (line,)))
    rows, left = export(tmp_path, chat("a", "u:<image>", "u:几天到", label="L", images=(read,)))

    value = rows["train"][0]["conversations"][0]["value"]
    assert left == {}
    assert value.count("<image>") == 1
    assert "&lt;image&gt; ‹|im_end|› 包邮" in value


def test_ocr_text_is_switched_by_split(tmp_path: Path) -> None:
    """The three conditions of LLM-IR are three exports of one dataset."""
    image = picture(tmp_path, "a.jpg")
    read = Image(image.path, image.sha256, image.width, image.height, "JPEG", Ocr("fake", "包邮"))
    records = [chat(split, "u:<image>", label="L", images=(read,), split=split) for split in ("train", "val")]
    rows, _ = export(tmp_path, *records, ocr=("train",))

    assert "包邮" in rows["train"][0]["conversations"][0]["value"]
    assert "包邮" not in rows["val"][0]["conversations"][0]["value"]


def test_pictures_are_safe_for_training(tmp_path: Path) -> None:
    """Trainer and server must see the same pixels, whatever the picture was."""
    turned = picture(tmp_path, "turned.jpg", (1300, 600), exif=_turned())
    pictures = [
        picture(tmp_path, "big.jpg", (3000, 4000)),
        picture(tmp_path, "tiny.png", (3, 3)),
        picture(tmp_path, "clear.png", (200, 300), "RGBA"),
        Image(turned.path, turned.sha256, 600, 1300, "JPEG"),
        picture(tmp_path, "fits.png", (280, 560)),
    ]
    rows, left = export(tmp_path, *(chat(one.path, "u:<image>", label="L", images=(one,)) for one in pictures))
    sizes = {}
    for row in rows["train"]:
        with Pillow.open(tmp_path / "out" / row["images"][0]) as written:
            assert (written.mode, written.width % 28, written.height % 28) == ("RGB", 0, 0)
            sizes[row["id"]] = written.size
            if row["id"] == "clear.png":
                assert np.asarray(written).min() > 250
    assert left == {}
    assert sizes["turned.jpg"][0] < sizes["turned.jpg"][1]
    assert sizes["tiny.png"] == (56, 56)
    assert sizes["big.jpg"][0] * sizes["big.jpg"][1] <= 589_824
    assert (tmp_path / "out" / rows["train"][4]["images"][0]).read_bytes() == (tmp_path / "fits.png").read_bytes()


def _turned() -> bytes:
    exif = Pillow.Exif()
    exif[0x0112] = 6
    return exif.tobytes()


@given(st.integers(1, 9000), st.integers(1, 9000), st.integers(4 * MIN_PIXELS, 2_000_000))
def test_a_prepared_size_is_left_alone_by_every_consumer(width: int, height: int, max_pixels: int) -> None:
    """A side that is no multiple of 28, or an area out of bounds, changes the token count behind our back."""
    bounds = Bounds(max_pixels)
    try:
        size = fit(width, height, bounds)
    except RowError:
        assert max(width, height) / min(width, height) > MAX_ASPECT
        return
    assert size.width % 28 == size.height % 28 == 0
    assert MIN_PIXELS <= size.width * size.height <= max_pixels
    assert smart_resize(size.width, size.height, bounds) == size
    assert smart_resize(size.width, size.height, Bounds(PROCESSOR_MAX_PIXELS)) == size
    assert in_llamafactory(size, bounds) == size
    assert size.tokens == size.width * size.height // 784


def test_a_long_strip_keeps_a_shape_that_the_model_takes() -> None:
    """41 x 8199 pixels are 200:1, but rounded to patches they would be 293:1, and the server would refuse them."""
    assert fit(41, 8199, Bounds()) == Size(28, 5600)


def test_one_picture_in_many_records_is_written_once(tmp_path: Path) -> None:
    """Ten thousand dialogues about one product page need one picture."""
    image = picture(tmp_path, "a.jpg")
    export(tmp_path, *(chat(str(n), "u:<image>", label="L", images=(image,)) for n in range(20)))

    assert len(list((tmp_path / "out" / "images").iterdir())) == 1


def test_an_export_of_nothing_is_an_error(tmp_path: Path) -> None:
    """An empty training set that looks finished costs a day."""
    said = r"every record was left out \(no_answer 1\); `curate reasons no_answer` explains"
    with pytest.raises(RunFailed, match=said):
        export(tmp_path, chat("a", "u:question"))


def test_an_export_of_no_records_does_not_say_that_some_were_left_out(tmp_path: Path) -> None:
    """Whoever looks for the reason why rows were left out must not look for rows that never were."""
    with pytest.raises(RunFailed, match="there are no records to write"):
        export(tmp_path)


def test_an_unknown_template_names_those_that_there_are() -> None:
    """The list belongs where it is needed."""
    with pytest.raises(UsageError, match="shipped are mire, plain"):
        Template.load("mirre")


def test_a_template_cannot_run_code(tmp_path: Path) -> None:
    """Templates are shared; one from a stranger must not open files."""
    path = tmp_path / "evil.yaml"
    path.write_text('name: evil\ntasks:\n  chat:\n    user: "{{ record.__class__.__mro__ }}<image>"\n', "utf-8")
    template = Template.load(str(path))

    with pytest.raises(Exception, match="unsafe"):
        template.messages(chat("a", "u:hello", label="L"), Wanted())
