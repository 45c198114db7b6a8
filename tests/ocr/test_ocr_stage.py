"""The stage, with the fake engine: every picture once, bad ones failed, the same with and without the cache."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from PIL import Image as Pillow

from curate.dataset.decode import Picture, decode
from curate.dataset.pictures import PictureStore
from curate.errors import UsageError
from curate.ocr import stage as ocr_stage
from curate.ocr.engine import make_engine
from curate.ocr.fake import FakeEngine, picture_key
from curate.ocr.stage import OcrOptions, OcrStage
from curate.pipeline.batch import Batch
from curate.pipeline.outcome import Outcome
from curate.pipeline.stage import Context
from curate.records import Image, Line, Record, Turn, from_table, to_table


class World:
    """An image root, a cache folder and one engine that counts."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.root = folder / "images"
        self.root.mkdir()
        self.engine: FakeEngine = FakeEngine()
        monkeypatch.setattr(ocr_stage, "make_engine", lambda name, settings: self.engine)

    def picture(self, name: str, shade: int) -> str:
        (self.root / name).write_bytes(png(shade))
        return name

    def run(self, records: Sequence[Record], *, cache: bool = True, **options: Any) -> Outcome:
        context = Context(PictureStore(self.root, self.folder / "made"), cache=self.folder / "cache")
        stage = OcrStage(OcrOptions(cache=cache, **options), context)
        stage.open()
        self.ticks: list[int] = []
        batch = Batch(to_table(records), "ocr", stage.codes, self.ticks.append)
        stage.process(batch)
        return batch.outcome()


def png(shade: int) -> bytes:
    stream = io.BytesIO()
    Pillow.new("RGB", (20, 10), (shade, shade, shade)).save(stream, "PNG")
    return stream.getvalue()


def record(number: int, *paths: str) -> Record:
    text = "<image>" * len(paths)
    return Record(f"u{number}", str(number), "t", (Turn("user", text),), tuple(Image(path) for path in paths), raw="{}")


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path, monkeypatch)


def texts(outcome: Outcome) -> dict[str, list[str]]:
    return {row.uid: [image.ocr.text for image in row.images if image.ocr] for row in from_table(outcome.rows)}


def same(one: pa.Table, other: pa.Table) -> bool:
    return bool(one.equals(other))


def test_the_same_picture_is_read_once(world: World) -> None:
    """If this fails, dialogues that share a picture cost its reading each time."""
    first, twin = world.picture("a.png", 10), world.picture("twin.png", 10)
    outcome = world.run([record(n, first, twin) for n in range(5)], cache=False, batch_images=1)
    assert world.engine.read_count == 1
    assert len({text for found in texts(outcome).values() for text in found}) == 1
    assert sum(world.ticks) == 10


def test_a_cached_reading_is_the_fresh_one(world: World) -> None:
    """If this fails, a resumed run writes other bytes than one that was never stopped."""
    records = [record(n, world.picture(f"{n}.png", n)) for n in range(6)]
    fresh = world.run(records)
    cached = world.run(records)
    assert world.engine.read_count == 6
    assert same(fresh.rows, cached.rows) and same(fresh.ledger, cached.ledger)


def test_batches_may_be_cut_anywhere(world: World) -> None:
    """If this fails, another shard size or a resumed run changes the data."""
    records = [record(n, world.picture(f"{n}.png", n), f"{(n + 1) % 4}.png") for n in range(4)]
    whole = world.run(records, cache=False, batch_images=3)
    pieces = [world.run([one], cache=False, batch_images=1) for one in records]
    assert same(whole.rows, pa.concat_tables([piece.rows for piece in pieces]))


def test_a_bad_picture_fails_its_row_only(world: World) -> None:
    """If this fails, one broken download stops the run or vanishes without a word."""
    good = world.picture("good.png", 1)
    (world.root / "cut.png").write_bytes(png(2)[:40])
    outcome = world.run([record(0, good), record(1, good, "cut.png"), record(2, "gone.png"), record(3, "../x.png")])
    codes = {row["uid"]: row["code"] for row in outcome.ledger.to_pylist()}
    assert codes == {"u0": "ocr_read", "u1": "image_truncated", "u2": "image_missing", "u3": "image_path_escapes"}
    assert outcome.counts.kept == 1


def test_a_row_fails_for_its_own_first_picture(world: World) -> None:
    """If this fails, the reason in the ledger depends on which rows came before."""
    (world.root / "empty.png").write_bytes(b"")
    outcome = world.run([record(0, "gone.png"), record(1, "empty.png", "gone.png")])
    assert [row["code"] for row in outcome.ledger.to_pylist()] == ["image_missing", "image_empty"]


def test_a_missing_picture_fails_although_the_cache_knows_it(world: World) -> None:
    """If this fails, a second run succeeds where a first one would not."""
    records = [record(0, world.picture("a.png", 1))]
    world.run(records)
    (world.root / "a.png").unlink()
    assert world.run(records).counts.failed == 1


def test_the_pixel_limit_holds_for_cached_pictures(world: World) -> None:
    """If this fails, lowering `max_pixels` does nothing for pictures that were read before."""
    records = [record(0, world.picture("a.png", 1))]
    world.run(records)
    assert world.run(records, max_pixels=100).ledger["code"].to_pylist() == ["image_too_large"]


def test_records_without_pictures_pass_untouched(world: World) -> None:
    """If this fails, plain dialogues are changed or counted as read."""
    records = [record(0), record(1, world.picture("a.png", 1)), record(2)]
    outcome = world.run(records)
    assert outcome.ledger["uid"].to_pylist() == ["u1"]
    assert [len(row.images) for row in from_table(outcome.rows)] == [0, 1, 0]
    assert same(world.run([record(0)]).rows, to_table([record(0)]))


def test_a_picture_that_breaks_the_engine_fails_alone(world: World) -> None:
    """If this fails, one odd picture takes its neighbours in the batch with it."""

    class Fragile(FakeEngine):
        def read(self, images: Sequence[Picture]) -> list[list[Line]]:
            if any(image[0, 0, 0] == 2 for image in images):
                raise ValueError("odd picture")
            return super().read(images)

    world.engine = Fragile()
    outcome = world.run([record(n, world.picture(f"{n}.png", n)) for n in range(4)])
    assert outcome.ledger["code"].to_pylist() == ["ocr_read", "ocr_read", "ocr_failed", "ocr_read"]


def test_the_side_file_says_what_the_fake_engine_reads(tmp_path: Path) -> None:
    """If this fails, who builds on curate cannot script what a picture says."""
    picture = decode(png(7))
    (tmp_path / "texts.json").write_text(json.dumps({picture_key(picture): ["你好", "¥59"]}), "utf-8")
    options = OcrOptions(engine="fake", texts=tmp_path / "texts.json")
    engine = OcrStage(options, Context(PictureStore(None, tmp_path)))._make_engine()
    assert [line.text for line in engine.read([picture])[0]] == ["你好", "¥59"]
    assert engine.read([decode(png(8))]) == [[]]


def test_an_unknown_engine_is_named_with_the_closest_one() -> None:
    """If this fails, a typing error in a recipe ends in a stack trace."""
    with pytest.raises(UsageError, match="Did you mean 'rapidocr'"):
        make_engine("rapidorc", None)  # type: ignore[arg-type]
