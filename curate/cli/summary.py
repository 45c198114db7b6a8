"""The closing words of a run: what happened to every row, and where everything is."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from curate.cli.output import printable
from curate.dataset.url import url_of
from curate.dataset.working_copy import named
from curate.pipeline.outcome import Counts
from curate.pipeline.result import ExportResult, RunResult, StepResult


def duration(seconds: float) -> str:
    """Seconds as people say them: 0.4 s, 12 s, 3 min 20 s, 2 h 5 min."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def step_line(step: StepResult) -> Text:
    """One line for a finished step."""
    counts = step.counts
    line = Text.assemble(("✓ ", "green"), (f"{step.title:<10}", "bold"), f"{counts.rows_out:>9,} rows")
    if step.reused:
        return line.append("  nothing to do, its result is still valid", "dim")
    for name, style in (("changed", "cyan"), ("dropped", "yellow"), ("added", "blue"), ("failed", "red")):
        number = getattr(counts, name)
        if number:
            line.append(f"  {name} {number:,}", style)
    line.append(f"  {duration(step.seconds)}", "dim")
    if step.tally:
        line.append(
            "  " + ", ".join(f"{value:,} {name.replace('_', ' ')}" for name, value in step.tally.items()), "dim"
        )
    if step.why and step.why != "it has not run yet":
        line.append(f"  ({step.why})", "dim")
    return line


def report(result: RunResult) -> RenderableType:
    """The whole story of a run."""
    parts: list[RenderableType] = [Text(), steps_table(result.steps, result.exports)]
    reasons = reasons_table(result.steps)
    if reasons is not None:
        parts += [Text("why rows went", style="bold"), reasons]
    for export in result.exports:
        parts += [Text(), *export_lines(export)]
    return Group(*parts)


def steps_table(steps: list[StepResult], exports: Sequence[ExportResult] = ()) -> Table:
    """Rows in and out of each step; the last line adds up."""
    table = Table(box=box.SIMPLE_HEAD, title="what happened to every row", title_justify="left", title_style="bold")
    table.add_column("step")
    for name in ("in", "dropped", "failed", "changed", "added", "out"):
        table.add_column(name, justify="right")
    for step in steps:
        counts = step.counts
        table.add_row(
            step.title,
            f"{counts.rows_in:,}",
            _number(counts.dropped, "yellow"),
            _number(counts.failed, "red"),
            _number(counts.changed, "cyan"),
            _number(counts.added, "blue"),
            f"{counts.rows_out:,}",
        )
    if steps:
        table.add_section()
        total = _total(steps)
        table.add_row(
            "all",
            f"{steps[0].counts.rows_in:,}",
            _number(total.dropped, "yellow"),
            _number(total.failed, "red"),
            "",
            _number(total.added, "blue"),
            f"{steps[-1].counts.rows_out:,}",
        )
    for export in exports:
        left, written = sum(export.left_out.values()), sum(export.facts.get("rows", {}).values())
        cells = (_number(left, "yellow"), _number(0, ""), "", "", f"{written:,}")
        table.add_row(f"export {export.title}", f"{left + written:,}", *cells)
    return table


def _total(steps: list[StepResult]) -> Counts:
    total = Counts()
    for step in steps:
        total.add(step.counts)
    return total


def _number(value: int, style: str) -> Text:
    return Text(f"{value:,}", style=style) if value else Text("·", style="dim")


def reasons_table(steps: list[StepResult]) -> Table | None:
    """Why rows failed, were dropped or changed, by step; None where nothing happened."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    styles = {"failed": "red", "dropped": "yellow", "added": "blue", "changed": "cyan", "noted": "magenta"}
    for step in steps:
        for action, style in styles.items():
            codes = step.counts.codes.get(action)
            if codes:
                told = ", ".join(
                    f"{code} {rows:,}" for code, rows in sorted(codes.items(), key=lambda item: (-item[1], item[0]))
                )
                table.add_row(Text(f"  {step.title}"), Text(action, style=style), Text(told))
    return table if table.row_count else None


def export_lines(export: ExportResult) -> list[RenderableType]:
    """Where an export is and what its files are."""
    rows = ", ".join(f"{split} {number:,}" for split, number in export.facts.get("rows", {}).items())
    lines: list[RenderableType] = [Text.assemble((printable(shown(export.folder)), "bold"), f"   {rows}")]
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for name, what in export.facts.get("files", {}).items():
        table.add_row(Text(f"  {name}"), Text(str(what), style="dim"))
    lines.append(table)
    if export.left_out:
        told = ", ".join(f"{code} {rows}" for code, rows in export.left_out.items())
        lines.append(Text(f"  left out: {told}", style="yellow"))
    return lines


def shown(path: Path) -> str:
    """A path as short as it can be said from here; a URL for what is in another place."""
    known = named(path)
    if url_of(known):
        return known
    try:
        return path.resolve().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return str(path)


def as_written(path: Path) -> str:
    """A path as it may stand in a file that others read: from here, else only its last part."""
    text = shown(path)
    return path.resolve().name if Path(text).is_absolute() else text


def typed(path: Path) -> str:
    """A path as it is typed into a shell: quoted where it must be."""
    text = shown(path)
    return shlex.quote(f"./{text}" if text.startswith("-") else text)
