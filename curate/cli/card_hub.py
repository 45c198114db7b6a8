"""`curate card --hub` and `curate export --hub`: a folder for the Hugging Face Hub."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from curate.cli.output import Output

if TYPE_CHECKING:
    from curate.card.place import Place
    from curate.dataset.dataset import Dataset


def export_hub(out: Output, source: Path, folder: Path) -> int:
    """Bring the card of a dataset up to date, and write both for the Hub.

    Raises:
        InputError: the source is no dataset of curate.
        OutputError: there is something in the folder.
    """
    from curate.card.card import update
    from curate.card.place import FOLDER, place_of
    from curate.cli.summary import as_written, shown
    from curate.dataset.dataset import Dataset

    data = Dataset.open(source)
    place = place_of(data, FOLDER)
    facts = update(data, as_written(source), place).facts
    lost = write_hub(out, data, place, folder)
    splits = {split.name or "unsplit": split.rows for split in facts.splits}
    if out.as_json:
        told = {"folder": str(folder), "card": place.card.as_posix(), "rows": splits, "pictures_lost": dict(lost)}
        out.json(told)
    else:
        rows = ", ".join(f"{split} {number:,}" for split, number in splits.items())
        out.print(f"{shown(folder)}   {rows}")
    return 0


def write_hub(out: Output, data: Dataset, place: Place, folder: Path) -> Counter[str]:
    """Write a dataset with its card as a folder for the Hub; give the pictures that could not be copied, by code."""
    from curate.card.hub_folder import write_hub_folder

    lost = write_hub_folder(data, place, folder)
    out.talk(f"written: {folder} (README.md, croissant.json, data/, images/)")
    if lost:
        told = ", ".join(f"{code} {number:,}" for code, number in sorted(lost.items()))
        out.talk(f"note: pictures that could not be copied: {told}")
    return lost
