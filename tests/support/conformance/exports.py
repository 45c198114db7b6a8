"""Exports of curate for real trainers to read: the demo's records, split, and read by hand where regions are wanted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from curate.dataset.decode import decode
from curate.dataset.pictures import PictureStore
from curate.errors import RowError
from curate.pipeline import registry
from curate.pipeline.export import Delivery
from curate.pipeline.stage import Context
from curate.records import Line, Ocr, Record, to_table

DEMO = Path(__file__).parents[3] / "pipelines" / "demo"


def split_demo(work: Path, read: bool = False) -> list[Record]:
    """The demo's good records, a tenth of them for validation and a tenth for the test.

    Args:
        work: A folder for the run that reads them.
        read: Whether two lines of text are put into every picture, as OCR would.
    """
    from curate.dataset.dataset import Dataset
    from curate.pipeline.recipe_file import parse_recipe
    from curate.pipeline.run import run

    recipe = f"name: demo\ninput: {{path: {DEMO}/train.json, images: {DEMO}/images}}\nstages: []\nmax_failed: 10\n"
    run(parse_recipe(recipe, "demo", work), work)
    pictures = PictureStore(DEMO / "images", work)
    records = [record for record in Dataset.open(work) if _sound(record, pictures)]
    splits = {3: "val", 7: "test"}
    found = [replace(record, split=splits.get(number % 10, "train")) for number, record in enumerate(records)]
    return [_read(record) for record in found] if read else found


def _sound(record: Record, pictures: PictureStore) -> bool:
    """Whether all pictures can be decoded; one of the demo's cannot, on purpose."""
    try:
        return all(decode(pictures.read(image.path)).size for image in record.images)
    except RowError:
        return False


def _read(record: Record) -> Record:
    """The record with two lines of text in each picture, one of them at the border."""
    images = []
    for image in record.images:
        wide, high = float(image.width or 0), float(image.height or 0)
        top = (wide * 0.1, high * 0.05, wide * 0.6, high * 0.05, wide * 0.6, high * 0.1, wide * 0.1, high * 0.1)
        low = (0.0, high * 0.9, wide, high * 0.9, wide, high, 0.0, high)
        lines = (Line("已签收", 0.98, top), Line("48小时内发货 <image> <|im_end|>", 0.97, low))
        images.append(replace(image, ocr=Ocr("hand", "\n".join(line.text for line in lines), lines)))
    return replace(record, images=tuple(images))


def export(records: list[Record], folder: Path, target: str, /, **options: Any) -> dict[str, RowError]:
    """Write an export of records of the demo; give what was left out, by uid."""
    exporter = registry.exporters()[target]
    left: dict[str, RowError] = {}

    def leave_out(uid: str, code: str, detail: str) -> None:
        left[uid] = RowError(code, detail)

    folder.mkdir(parents=True)
    context = Context(PictureStore(DEMO / "images", folder / "made"))
    parsed = exporter.Options.model_validate({"use": target, **options})
    exporter(parsed, context).write([to_table(records)], Delivery(folder, leave_out, lambda rows: None))
    return left
