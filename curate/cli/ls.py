"""`curate ls`: the runs below a folder, or the steps of one run."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from curate.cli.output import Output, common, printable

if TYPE_CHECKING:
    from rich.console import RenderableType


_TOLD = ["uid", "action", "code", "detail", "metric", "value", "threshold"]
_DEFAULT = Path("work")
_AT_ONCE = 1000
"""Rows that are printed together."""


@click.command("ls")
@click.argument("folder", type=click.Path(path_type=Path), default=_DEFAULT)
@click.option("--failed", is_flag=True, help="List the rows that failed, each with its reason.")
@click.option("--dropped", is_flag=True, help="List the rows that were dropped, each with its reason.")
@click.option("--noted", is_flag=True, help="List what is worth knowing of rows that stayed, near misses for example.")
@common
def command(out: Output, folder: Path, failed: bool, dropped: bool, noted: bool) -> None:
    """List the runs below FOLDER (default: work), or the steps of a run; --failed, --dropped, --noted list rows.

    \b
    Examples:
      curate ls
      curate ls work/demo
      curate ls work/demo --failed
    """
    from curate.dataset.working_copy import brought

    folder = brought(folder)
    asked = {"failed": failed, "dropped": dropped, "noted": noted}
    if any(asked.values()):
        actions = [name for name, wanted in asked.items() if wanted]
        _rows(out, folder, actions)
    elif (folder / "run.json").exists():
        _steps(out, folder)
    elif not folder.is_dir() and folder != _DEFAULT:
        raise click.UsageError(f"there is no folder {folder}; name a run, or a folder of runs")
    else:
        _runs(out, folder)


def runs(folder: Path) -> list[Path]:
    """The runs below a folder, the newest first."""
    found = [path.parent for path in folder.glob("*/run.json")]
    return sorted(found, key=lambda run: (run / "run.json").stat().st_mtime, reverse=True)


def status(run: Path, facts: dict[str, Any]) -> str | None:
    """How a run stands; one that says it is running, but whose folder nobody holds, was killed: `stopped`."""
    from curate.dataset.lock import exclusive
    from curate.errors import OutputError

    said: str | None = facts.get("status")
    if said != "running" or os.name == "nt":  # Windows has no such lock
        return said
    try:
        with exclusive(run):
            return "stopped"
    except (OutputError, OSError):  # held, or a file system that cannot say
        return said


def newest_run() -> Path:
    """The newest run below `work`.

    Raises:
        UsageError: there is none.
    """
    from curate.errors import UsageError

    found = runs(Path("work"))
    if not found:
        raise UsageError("there is no run below work/; name one with --run FOLDER")
    return found[0]


def _runs(out: Output, folder: Path) -> None:
    from curate.dataset.files import read_json

    found: list[dict[str, Any]] = []
    for run in runs(folder):
        said = read_json(run / "run.json")
        facts: dict[str, Any] = said if isinstance(said, dict) and said else {"status": "damaged"}
        steps = facts.get("steps", [])
        found.append(
            {
                "run": str(run),
                "recipe": facts.get("recipe", {}).get("name"),
                "status": status(run, facts),
                "rows_in": steps[0]["rows_in"] if steps else None,
                "rows_out": steps[-1]["rows_out"] if steps else None,
                "failed": facts.get("failed_rows"),
                "exports": [export["title"] for export in facts.get("exports", [])],
            }
        )
    if out.as_json:
        out.json(found)
        return
    if not found:
        out.talk(f"no runs below {folder}; start one with: curate run demo")
        return
    table(out, found, ("run", "recipe", "status", "rows_in", "rows_out", "failed", "exports"))


def _steps(out: Output, run: Path) -> None:
    from curate.dataset.dataset import broken, steps
    from curate.dataset.files import read_json
    from curate.errors import UsageError
    from curate.pipeline.manifest import Manifest

    if not isinstance(read_json(run / "run.json"), dict):
        raise UsageError(f"{run}/run.json cannot be read or is damaged; run the recipe of this run again")
    found: list[dict[str, Any]] = []
    for step in steps(run):
        manifest = Manifest.read(step)
        if manifest is not None:
            counts = manifest.counts.as_dict()
            counts.pop("codes")
            found.append({"step": step.name, "shards": len(manifest.shards), **counts})
    if lost := broken(run):
        out.talk(f"not all steps are listed: {lost}")
    if out.as_json:
        out.json(found)
        return
    table(out, found, ("step", "shards", "rows_in", "dropped", "failed", "changed", "added", "rows_out"))


def rows_gone(run: Path, actions: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The rows that failed, were dropped or noted in a run, in steps that did not finish too, each with its reason."""
    for step in sorted(path.parent for path in run.glob("[0-9][0-9]-*/rows")):
        for file in sorted((step / "ledger").glob("part-*.parquet")):
            yield from _rows_gone_in(step, file, actions)


def _rows_gone_in(step: Path, file: Path, actions: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The rows that one shard lost or noted; only they, and only what is told of them, leave Arrow."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    wanted = pc.field("action").isin(list(actions))
    entries = pq.read_table(file, columns=_TOLD, filters=wanted).to_pylist()
    whole: dict[str, dict[str, Any]] = {}
    for side in actions:
        rows = step / ("rows" if side == "noted" else side) / file.name
        if entries and rows.exists():
            with pq.ParquetFile(rows) as parquet:
                told = parquet.read(columns=["uid", "source_id", "images.list.element.path"])
            mine = told.filter(pc.is_in(told["uid"], pa.array([entry["uid"] for entry in entries])))
            whole.update((row["uid"], row) for row in mine.to_pylist())
    for entry in entries:
        row = whole.get(entry["uid"], {})
        yield {
            "step": step.name,
            "uid": entry["uid"],
            "source_id": row.get("source_id"),
            "action": entry["action"],
            "code": entry["code"],
            "detail": entry["detail"],
            "metric": entry["metric"],
            "value": entry["value"],
            "threshold": entry["threshold"],
            "pictures": [image["path"] for image in row.get("images") or []],
        }


def _rows(out: Output, run: Path, actions: Sequence[str]) -> None:
    from curate.errors import InputError

    if not (run / "run.json").exists():
        below = ", ".join(str(one) for one in runs(run)[:5])
        hint = f"; give one of the runs below it: {below}" if below else "; `curate ls` lists the runs below work/"
        raise InputError(f"{run} is not a run{hint}")
    found = rows_gone(run, actions)
    if out.as_json:
        out.json(list(found))
        return
    first = True
    while part := list(itertools.islice(found, _AT_ONCE)):
        out.print(gone_lines(part))
        first = False
    if first:
        out.talk(f"no rows {' or '.join(actions)} in {run}")


def gone_lines(rows: list[dict[str, Any]]) -> RenderableType:
    """Two lines a row: why it went and which it is, then what is known of it."""
    from rich.console import Group
    from rich.text import Text

    lines = []
    for row in rows:
        style = {"failed": "red", "noted": "magenta"}.get(row["action"], "yellow")
        head = Text.assemble((f"{row['code']:<22}", style), printable(row["source_id"] or ""))
        lines.append(head.append(f"  {row['step']}  {row['uid']}", "dim"))
        facts = [row["detail"], _measured(row), *row["pictures"]]
        if any(facts):
            lines.append(Text("    " + " · ".join(printable(one) for one in facts if one), style="dim"))
    return Group(*lines)


def _measured(row: dict[str, Any]) -> str | None:
    """What was measured and held against which limit, if anything."""
    if row["value"] is None:
        return None
    limit = "" if row["threshold"] is None else f" (limit {row['threshold']:g})"
    return f"{row['metric']} {row['value']:g}{limit}"


def table(out: Output, rows: list[dict[str, Any]], columns: tuple[str, ...]) -> None:
    """Print rows as a table."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=box.SIMPLE_HEAD)
    for name in columns:
        grid.add_column(name, overflow="fold", justify="right" if rows and isinstance(rows[0][name], int) else "left")
    for row in rows:
        grid.add_row(*(Text(_cell(row[name])) for name in columns))
    out.print(grid)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, int):
        return f"{value:,}"
    return printable(", ".join(value) if isinstance(value, list) else str(value))
