"""The card that `curate run` and `curate export` keep up to date without being told to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from curate.card.place import FOLDER, Place, place_of
from curate.cli.summary import as_written
from curate.dataset.files import read_json

if TYPE_CHECKING:
    from curate.dataset.dataset import Dataset
    from curate.pipeline.afterwards import Said


def keep_card(data: Dataset, *, make: bool = False) -> Said | None:
    """Bring the card of a run up to date, if it has one and its recipe does not say `card: false`.

    Args:
        data: The run's records, just written or read by the word of their manifests.
        make: Whether to make the card where there is none, but a folder for it.
    """
    run: Any = read_json(data.run / "run.json") if data.run else None
    asked: str | bool | None = run["recipe"].get("card") if run else False
    if isinstance(asked, bool):
        return None
    place = Place(Path(asked).parent, Path(asked).stem) if asked else place_of(data, FOLDER)
    if not place.folder.is_dir():
        return None
    from curate.card.keeper import keep

    return keep(data, as_written(data.folder), place, make=make and not asked)
