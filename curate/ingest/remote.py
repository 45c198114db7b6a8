"""A source in another place: its records come here in a copy, its pictures one by one when they are looked at."""

from __future__ import annotations

from pathlib import Path

from curate.dataset.dataset import Dataset
from curate.dataset.remote import Remote
from curate.dataset.url import url_of
from curate.dataset.working_copy import brought
from curate.pipeline.source import InputOptions


def at_hand(options: InputOptions) -> InputOptions:
    """Give options that name files of this machine for those in another place; pictures stay where they are.

    Raises:
        InputError: there is nothing.
        UsageError: the place cannot be reached.
    """
    url = url_of(options.path)
    if url is None:
        return options
    path = brought(options.path)
    if path.is_file():
        return options.model_copy(update={"path": path, "images": options.images or _images_beside(url)})
    if "@" in path.name or (path / "run.json").exists():
        return options.model_copy(update={"path": Dataset.open(path).folder_read})
    return options.model_copy(update={"path": path, "images": options.images or options.path})


def _images_beside(url: str) -> Path:
    """As for a file of this machine: `images/` beside it where there is one, else its folder."""
    folder = url.rpartition("/")[0]
    beside = f"{folder}/images"
    return Path(beside if Remote(beside).listing() else folder)
