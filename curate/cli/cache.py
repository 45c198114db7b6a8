"""`curate cache`: what the OCR cache holds, whether it is sound, what of it may go; and copies of other places."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from curate.cli.cache_holdings import Found, look_at, moment, readings_damaged, readings_doomed, remove, size_of
from curate.cli.output import Output, common, whoever_reads

if TYPE_CHECKING:
    from rich.console import RenderableType

PRUNE = ("damaged", "old", "all", "copies")
"""What `--prune` may take away."""


@click.command("cache")
@click.option("--verify", is_flag=True, help="Check every reading; exit 1 if any is damaged.")
@click.option(
    "--prune",
    type=click.Choice(PRUNE),
    is_flag=False,
    flag_value="old",
    help="Remove readings: damaged ones; old, those and what other engines than the one in use read (this is what "
    "--prune alone does); or all. Or copies of s3:// places.",
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
      curate cache --prune copies
    """
    from curate.dataset import copies
    from curate.dataset.remote import cache_folder
    from curate.ocr.cache import files

    if verify and prune:
        raise click.UsageError("give --verify or --prune, not both; --prune removes damaged readings too")
    if dry_run and not prune:
        raise click.UsageError("--dry-run goes with --prune; without it nothing is removed anyway")
    folder = cache_folder()
    if folder is not None and folder.exists() and not folder.is_dir():
        raise click.UsageError(f"the cache's folder {folder} (CURATE_CACHE) is not a folder; name another one, or off")
    if folder is not None and prune == "copies":
        return _prune_copies(out, folder, dry_run)
    copied = copies.size_of(folder) if folder else 0
    if folder and copied and not out.as_json:
        out.print(f"{folder / copies.FOLDER}   {_bytes(copied)}, copies of other places (--prune copies)")
    if folder is None or not files(folder):
        if out.as_json:
            out.json(Found(folder, copies=copied).as_dict())
        out.print("the cache is off (CURATE_CACHE=off)" if folder is None else f"{folder} holds no readings yet")
        return 0
    current = _current(overrides, needed=prune == "old")
    found = look_at(folder, current)
    found.copies = copied
    if prune:
        return _prune(out, folder, found, prune, dry_run)
    return _show(out, found, readings_damaged(folder, found) if verify else None)


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


def _show(out: Output, found: Found, damaged: dict[str, int] | None) -> int:
    """Show what there is, and what a check found; give the exit code."""
    number = sum((damaged or {}).values())
    bad = damaged is not None and bool(number or found.broken)
    with whoever_reads():
        _tell(out, found, damaged, number, bad)
    if not out.as_json and (bad or (damaged is None and found.broken)):
        out.hint("curate cache --prune damaged")
    return int(bad)


def _tell(out: Output, found: Found, damaged: dict[str, int] | None, number: int, bad: bool) -> None:
    if out.as_json:
        out.json({**found.as_dict(), **({} if damaged is None else {"damaged": number})})
        return
    out.print(f"{found.folder}   {_bytes(found.size)}, {found.pictures:,} pictures read")
    if found.broken:
        out.print(f"  damaged as a whole: {found.broken}")
    if found.holdings:
        out.print(_table(found, damaged))
    if damaged is not None and not bad:
        out.print(f"all {found.pictures:,} readings are sound")
    if number:
        out.print(f"{number:,} of {found.pictures:,} readings are damaged; their pictures would be read again")


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
        cells += [moment(at).astimezone().strftime("%Y-%m-%d %H:%M") if at else "" for at in held[3:]]
        mark = "  (in use)" if held.signature == found.current else ""
        table.add_row(*cells, Text(held.signature + mark))
    return table


def _prune(out: Output, folder: Path, found: Found, what: str, dry_run: bool) -> int:
    damaged = readings_damaged(folder, found)
    removed = readings_doomed(found, what, damaged) if dry_run else remove(folder, found, what)
    freed = 0 if dry_run else max(0, found.size - size_of(folder))
    if out.as_json:
        facts = {"removed": removed, "freed": freed, "dry_run": dry_run}
        left = found if dry_run else look_at(folder, found.current)
        out.json({**left.as_dict(), **facts})
        return 0
    of = "the damaged cache" if found.broken else f"{removed:,} of {found.pictures:,} readings"
    if dry_run:
        out.print(f"would remove {of} from {folder}")
        out.talk("nothing was removed (--dry-run)")
    else:
        out.print(f"removed {of} from {folder}; {_bytes(freed)} are free again")
    return 0


def _prune_copies(out: Output, folder: Path, dry_run: bool) -> int:
    from curate.dataset import copies

    freed, stay = copies.remove(folder, dry_run=dry_run)
    if out.as_json:
        out.json({"freed": freed, "stay": stay, "dry_run": dry_run})
        return 0
    out.print(f"{'would remove' if dry_run else 'removed'} copies of other places: {_bytes(freed)}")
    for url in stay:
        out.print(f"  {url} stays: a run is at work there, or has files that could not be sent yet")
    return 0


def _bytes(size: int) -> str:
    """Bytes as people say them."""
    return f"{size / 1e6:,.1f} MB" if size >= 100_000 else f"{size / 1e3:,.1f} kB"
