"""A source in another place: its records come here in a copy, its pictures one by one when they are looked at."""

from __future__ import annotations

from pathlib import Path

from curate.dataset.dataset import Dataset
from curate.dataset.remote import Remote, fetched_file, url_of
from curate.dataset.working_copy import at_hand as folder_at_hand
from curate.errors import InputError
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
    name = url.rpartition("/")[2]
    remote = Remote(url)
    files = remote.listing()
    if "" in files:
        return options.model_copy(update={"path": fetched_file(url), "images": options.images or _images_beside(url)})
    if "run.json" in files or "stage.json" in files or (not files and "@" in name):
        return options.model_copy(update={"path": Dataset.open(url).folder_read})
    if not files:
        raise InputError(f"{url}: there is no such file or folder")
    return options.model_copy(update={"path": folder_at_hand(options.path), "images": options.images or options.path})


def _images_beside(url: str) -> Path:
    """As for a file of this machine: `images/` beside it where there is one, else its folder."""
    folder = url.rpartition("/")[0]
    beside = f"{folder}/images"
    return Path(beside if Remote(beside).listing() else folder)
