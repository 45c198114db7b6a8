"""What there is of an OCR cache on disk, what of it is damaged, and taking readings away."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from curate.ocr.cache import Holding, ReadingCache


@dataclass
class Found:
    """What there is of a cache."""

    folder: Path | None
    """None where the cache is switched off."""
    current: str | None = None
    """Signature of the engine in use; None where it cannot be made here."""
    size: int = 0
    """Bytes on disk."""
    copies: int = 0
    """Bytes of copies of other places, which are kept beside."""
    broken: str | None = None
    """What is wrong with the file as a whole."""
    holdings: list[Holding] = field(default_factory=list)

    @property
    def pictures(self) -> int:
        """Readings of all engines."""
        return sum(held.pictures for held in self.holdings)

    def as_dict(self) -> dict[str, Any]:
        """Give what `--json` says."""
        engines = [
            {
                "engine": held.signature,
                "current": held.signature == self.current,
                "pictures": held.pictures,
                "size": held.size,
                "oldest": moment(held.oldest).isoformat() if held.oldest else None,
                "newest": moment(held.newest).isoformat() if held.newest else None,
            }
            for held in self.holdings
        ]
        return {
            "folder": str(self.folder) if self.folder else None,
            "size": self.size,
            "copies": self.copies,
            "broken": self.broken,
            "pictures": self.pictures,
            "engines": engines,
        }


@contextmanager
def _opened(folder: Path) -> Iterator[ReadingCache]:
    """Open a cache for looking at it.

    Raises:
        UsageError: it cannot be used just now.
        sqlite3.DatabaseError: it is damaged as a whole.
    """
    from curate.errors import UsageError
    from curate.ocr.cache import ReadingCache

    try:
        cache = ReadingCache(folder, strict=True)
        try:
            yield cache
        finally:
            cache.close()
    except sqlite3.OperationalError as error:
        raise UsageError(f"the cache in {folder} cannot be used just now: {error}") from error


def look_at(folder: Path, current: str | None) -> Found:
    """Look at a cache; `current` is the signature of the engine in use. One that is damaged as a whole is no error.

    Raises:
        UsageError: it cannot be used just now.
    """
    from curate.ocr.cache import NAME

    found = Found(folder, current)
    if not (folder / NAME).exists():  # there is none, or only one that was set aside
        found.size = size_of(folder)
        return found
    try:
        with _opened(folder) as cache:
            found.holdings = cache.holdings()
    except sqlite3.DatabaseError as error:
        found.broken = str(error)
    found.size = size_of(folder)
    return found


def readings_damaged(folder: Path, found: Found) -> dict[str, int]:
    """Damaged readings by engine; a cache that is damaged as a whole is marked as broken."""
    if found.broken is None and found.holdings:
        try:
            with _opened(folder) as cache:
                return cache.damaged()
        except sqlite3.DatabaseError as error:
            found.broken = str(error)
    return {}


def readings_doomed(found: Found, what: str, damaged: dict[str, int]) -> int:
    """How many readings would go."""
    if what == "all":
        return found.pictures
    if what == "damaged":
        return sum(damaged.values())
    others = sum(held.pictures for held in found.holdings if held.signature != found.current)
    return others + damaged.get(found.current or "", 0)


def remove(folder: Path, found: Found, what: str) -> int:
    """Remove readings; a cache that is damaged as a whole, or was set aside, goes with its files."""
    from curate.ocr.cache import NAME, files

    for path in files(folder):
        if found.broken or path.suffix == ".damaged":
            path.unlink(missing_ok=True)
    if found.broken or not (folder / NAME).exists():
        return 0
    with _opened(folder) as cache:
        if what == "all":
            return cache.clear()
        return cache.verify() + cache.prune(keep=found.current if what == "old" else None)


def size_of(folder: Path) -> int:
    """Bytes of a cache on disk."""
    from curate.ocr.cache import files

    return sum(path.stat().st_size for path in files(folder))


def moment(seconds: int) -> datetime:
    """The time, in UTC, that stands in the cache as seconds since 1970."""
    return datetime.fromtimestamp(seconds, timezone.utc)
