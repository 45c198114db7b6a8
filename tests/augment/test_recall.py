"""What PP-OCR still reads of augmented pages, held against what the pages are known to say."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from curate.augment.image import AugmentImageOptions, AugmentImageStage
from curate.augment.proof import characters, recall
from curate.dataset.decode import decode
from curate.dataset.pictures import PictureStore
from curate.dataset.remote import cache_folder
from curate.ocr.text import text_reader
from curate.pipeline.batch import Batch
from curate.pipeline.stage import Context
from curate.records import Image, Ocr, Record, Turn, from_table, to_table

DEMO = Path(__file__).parents[2] / "pipelines" / "demo" / "images"
TRUTH = Path(__file__).parents[1] / "demo_data" / "truth"
SCREENS = Path(__file__).parents[3] / "shared" / "data" / "screens"
FEW = ("3f72c55e-2da8-5973-f6d2-089858ee9528-52965-0", "6fc2c413ce15b02c68bf984b2c99a5-0")
"""Pictures with three or four characters."""
PAGES = ("09d98150dc56e1c676429d22c4df7d-0", "1a1c560c95191569604a0073be2d02-0", "af1c9e45ca3f8484f200ac9f96a878-0")


def texts(value: Any) -> list[str]:
    """All texts of a page's truth."""
    return [line["text"] for line in value["lines"]]


def check(pictures: Path, truth: Path, names: list[str], made: Path, copies: int) -> list[float]:
    """Recall after augmentation over recall before, for every picture that was written."""
    context = Context(PictureStore(pictures, made), cache=cache_folder())
    reader = text_reader(context, "rapidocr")
    stage = AugmentImageStage(AugmentImageOptions(per_record=copies), context)
    records, known = [], {}
    for name in names:
        data = (pictures / name).read_bytes()
        picture = decode(data)
        lines = tuple(reader.read(data, picture))
        expected = Counter(
            "".join("".join(texts(json.loads((truth / f"{Path(name).stem}.json").read_text("utf-8")))).split())
        )
        known[name] = (expected, recall(expected, characters(lines)))
        height, width = picture.shape[:2]
        image = Image(name, None, width, height, "JPEG", Ocr(reader.signature, "", lines))
        records.append(Record(name, name, "scene", (Turn("user", "<image>"),), (image,), raw=""))
    batch = Batch(to_table(records), stage.options.title, stage.codes)
    stage.open()
    stage.verdict = stage.decide(stage.survey(batch))
    stage.process(batch)
    ratios = []
    for record in from_table(batch.outcome().rows):
        if record.parent is None:
            continue
        data = context.pictures.read(record.images[0].path)
        expected, before = known[record.parent]
        ratios.append(recall(expected, characters(reader.read(data, decode(data)))) / before)
    return ratios


@pytest.mark.slow
def test_augmented_pages_are_read_nearly_as_well_as_their_originals(tmp_path: Path) -> None:
    """A picture that cannot be read any more teaches a model to guess."""
    ratios = check(DEMO, TRUTH, [f"{name}.jpg" for name in (*PAGES, *FEW)], tmp_path, 2)
    assert len(ratios) == 10
    assert min(ratios) >= 0.95


@pytest.mark.slow
@pytest.mark.skipif(not SCREENS.is_dir(), reason="the shared reference data is not on this machine")
def test_long_pages_of_others_are_read_nearly_as_well_too(tmp_path: Path) -> None:
    """Pages that nobody here made: carts, coupons, orders, a page of three screens."""
    names = [path.name for path in sorted(SCREENS.glob("*_0.jpg"))]
    ratios = check(SCREENS, SCREENS, names, tmp_path, 1)
    assert len(ratios) == len(names)
    assert min(ratios) >= 0.95
