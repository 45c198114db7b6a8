"""The local copies of other places that are kept in the cache folder: how large they are, and taking them away."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

from curate.dataset.files import read_json
from curate.dataset.lock import exclusive
from curate.dataset.working_copy import WorkingCopy
from curate.errors import OutputError

FOLDER = "copies"


def size_of(cache: Path) -> int:
    """Bytes of all copies below a cache folder."""
    return _size(cache / FOLDER)


def remove(cache: Path, *, dry_run: bool = False) -> tuple[int, list[str]]:
    """Remove all copies but those of runs at work, or with files that could not be sent yet.

    Args:
        cache: The cache folder.
        dry_run: Only say what would go.

    Returns:
        Bytes that are free again, and the URLs of runs whose copies stay.
    """
    freed, stay = 0, []
    doomed = [path for name in ("read", "files") for path in (cache / FOLDER / name).glob("*")]
    for memory in sorted((cache / FOLDER / "runs").glob("*/*.json")):
        url = (read_json(memory) or {}).get("url")
        if isinstance(url, str) and _needed(url, memory.with_suffix("")):
            stay.append(url)
        else:
            doomed.append(memory.parent)
    for path in doomed:
        freed += _size(path)
        if not dry_run:
            shutil.rmtree(path, ignore_errors=True)
    return freed, stay


def _needed(url: str, copy: Path) -> bool:
    if not copy.is_dir():
        return False
    try:
        with exclusive(copy):
            return WorkingCopy(url, copy).unsent()
    except OutputError:
        return True


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):
            total += path.stat().st_size if path.is_file() else 0
    return total
