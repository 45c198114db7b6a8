"""`curate cache`: what the OCR cache holds, whether it is sound, and what of it may go."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from curate.cli.output import Output, common

if TYPE_CHECKING:
    from rich.console import RenderableType

    from curate.ocr.cache import Holding, ReadingCache

PRUNE = ("damaged", "old", "all")
"""What `--prune` may take away."""


@dataclass
class Found:
    """What there is of a cache."""

    folder: Path | None
    """None where the cache is switched off."""
    current: str | None = None
    """Signature of the engine in use; None where it cannot be made here."""
    size: int = 0
    """Bytes on disk."""
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
                "oldest": _when(held.oldest).isoformat() if held.oldest else None,
                "newest": _when(held.newest).isoformat() if held.newest else None,
            }
            for held in self.holdings
        ]
        return {
            "folder": str(self.folder) if self.folder else None,
            "size": self.size,
            "broken": self.broken,
            "pictures": self.pictures,
            "engines": engines,
        }


@click.command("cache")
@click.option("--verify", is_flag=True, help="Check every reading; exit 1 if any is damaged.")
@click.option(
    "--prune",
    type=click.Choice(PRUNE),
    is_flag=False,
    flag_value="old",
    help="Remove readings: damaged ones; old, those and what other engines than the one in use read (this is what "
    "--prune alone does); or all.",
)
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="Option of the engine in use, as for `curate ocr`; repeat for more.",
)
@click.option("-n", "--dry-run", is_flag=True, help="Say what --prune would remove; remove nothing.")
@common
def command(out: Output, verify: bool, prune: str | None, overrides: tuple[str, ...], dry_run: bool) -> int:
    """Show what the OCR cache holds, by engine; --verify checks it, --prune makes room.

    The cache only saves work: what is removed is read again when a run needs it. Its folder is CURATE_CACHE, else
    ~/.cache/curate; CURATE_CACHE=off switches it off.

    \b
    Examples:
      curate cache
      curate cache --verify
      curate cache --prune --dry-run
      curate cache --prune old --set det_side=1600
      curate cache --prune all
    """
    from curate.dataset.remote import cache_folder
    from curate.ocr.cache import files

    if verify and prune:
        raise click.UsageError("give --verify or --prune, not both; --prune removes damaged readings too")
    folder = cache_folder()
    if folder is None or not files(folder):
        if out.as_json:
            out.json(Found(folder).as_dict())
        out.print("the cache is off (CURATE_CACHE=off)" if folder is None else f"{folder} holds no readings yet")
        return 0
    current = _current(overrides, needed=prune == "old")
    found = _look(folder, current)
    if prune:
        return _prune(out, folder, found, prune, dry_run)
    return _show(out, found, _damaged(folder, found) if verify else None)


def _current(overrides: tuple[str, ...], needed: bool) -> str | None:
    """The signature of the engine that `curate ocr` would use.

    Raises:
        UsageError: the engine cannot be made here, and it is needed or was asked for.
    """
    from curate.cli.single import single_recipe
    from curate.dataset.pictures import PictureStore
    from curate.errors import UsageError
    from curate.ocr.stage import OcrOptions, OcrStage
    from curate.pipeline.stage import Context

    try:
        recipe = single_recipe("cache", [{"use": "ocr"}], {"path": "."}, overrides)
        options = recipe.stages[0]
        assert isinstance(options, OcrOptions)
        return OcrStage(options, Context(PictureStore(None, Path()))).environment()["engine"]
    except UsageError:
        if needed or overrides:
            raise
        return None


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


def _look(folder: Path, current: str | None) -> Found:
    from curate.ocr.cache import NAME

    found = Found(folder, current)
    if not (folder / NAME).exists():  # there is none, or only one that was set aside
        found.size = _size(folder)
        return found
    try:
        with _opened(folder) as cache:
            found.holdings = cache.holdings()
    except sqlite3.DatabaseError as error:
        found.broken = str(error)
    found.size = _size(folder)
    return found


def _damaged(folder: Path, found: Found) -> dict[str, int]:
    """Damaged readings by engine; a cache that is damaged as a whole is marked as broken."""
    if found.broken is None and found.holdings:
        try:
            with _opened(folder) as cache:
                return cache.damaged()
        except sqlite3.DatabaseError as error:
            found.broken = str(error)
    return {}


def _show(out: Output, found: Found, damaged: dict[str, int] | None) -> int:
    """Show what there is, and what a check found; give the exit code."""
    number = sum((damaged or {}).values())
    bad = damaged is not None and bool(number or found.broken)
    if out.as_json:
        out.json({**found.as_dict(), **({} if damaged is None else {"damaged": number})})
        return int(bad)
    out.print(f"{found.folder}   {_bytes(found.size)}, {found.pictures:,} pictures read")
    if found.broken:
        out.print(f"  damaged as a whole: {found.broken}")
    if found.holdings:
        out.print(_table(found, damaged))
    if damaged is not None and not bad:
        out.print(f"all {found.pictures:,} readings are sound")
    if number:
        out.print(f"{number:,} of {found.pictures:,} readings are damaged; their pictures would be read again")
    if bad or (damaged is None and found.broken):
        out.hint("curate cache --prune damaged")
    return int(bad)


def _table(found: Found, damaged: dict[str, int] | None) -> RenderableType:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD)
    columns = ["pictures", "size", *(["damaged"] if damaged is not None else []), "oldest", "newest"]
    for name in columns:
        table.add_column(name, justify="right")
    table.add_column("engine", overflow="fold")
    for held in found.holdings:
        cells = [f"{held.pictures:,}", _bytes(held.size)]
        if damaged is not None:
            cells.append(f"{damaged.get(held.signature, 0):,}")
        cells += [_when(at).astimezone().strftime("%Y-%m-%d %H:%M") if at else "" for at in held[3:]]
        mark = "  (in use)" if held.signature == found.current else ""
        table.add_row(*cells, Text(held.signature + mark))
    return table


def _prune(out: Output, folder: Path, found: Found, what: str, dry_run: bool) -> int:
    damaged = _damaged(folder, found)
    removed = _doomed(found, what, damaged) if dry_run else _remove(folder, found, what)
    freed = 0 if dry_run else max(0, found.size - _size(folder))
    if out.as_json:
        facts = {"removed": removed, "freed": freed, "dry_run": dry_run}
        left = found if dry_run else _look(folder, found.current)
        out.json({**left.as_dict(), **facts})
        return 0
    of = "the damaged cache" if found.broken else f"{removed:,} of {found.pictures:,} readings"
    if dry_run:
        out.print(f"would remove {of} from {folder}")
        out.talk("nothing was removed (--dry-run)")
    else:
        out.print(f"removed {of} from {folder}; {_bytes(freed)} are free again")
    return 0


def _doomed(found: Found, what: str, damaged: dict[str, int]) -> int:
    """How many readings would go."""
    if what == "all":
        return found.pictures
    if what == "damaged":
        return sum(damaged.values())
    others = sum(held.pictures for held in found.holdings if held.signature != found.current)
    return others + damaged.get(found.current or "", 0)


def _remove(folder: Path, found: Found, what: str) -> int:
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


def _size(folder: Path) -> int:
    from curate.ocr.cache import files

    return sum(path.stat().st_size for path in files(folder))


def _bytes(size: int) -> str:
    """Bytes as people say them."""
    return f"{size / 1e6:,.1f} MB" if size >= 100_000 else f"{size / 1e3:,.1f} kB"


def _when(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, timezone.utc)
