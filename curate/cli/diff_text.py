"""A diff report in a terminal: verdict, counts, what stands out, stages; then the rest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from curate.cli.diff_head import first_lines
from curate.cli.diff_row import row_lines
from curate.cli.output import Output, printable
from curate.diff.said import SAID

if TYPE_CHECKING:
    from curate.diff.report import Report
    from curate.diff.sample import RowSample

_WORRYING = ("digits", "pixels", "confusable", "content", "type")
"""Rows with these changes are shown first."""
_SHOWN, _COLUMNS = 3, 12


def report_text(out: Output, report: Report, hints: list[str]) -> None:
    """Print a report; the first screen always has the same order."""
    parts: list[RenderableType] = [*first_lines(report)]
    if report.verdict.findings:
        parts += [Text("what stands out", style="bold"), *_findings(report)]
    if report.stages:
        parts.append(_stages(report))
    for name, lines in (
        ("checks", _checks(report)), ("columns", _columns(report)), ("drift", _drift(report)),
        ("splits", _splits(report)), ("changed rows", _changed(report)), ("matching", _matching(report)),
        ("not shown here", _hidden(report)),
    ):  # fmt: skip
        found = list(lines)
        if found:
            parts += [Text(name, style="bold"), *found]
    out.print(Group(*parts))
    for note in report.warnings:
        out.talk(f"note: {note.text}")
    for hint in hints:
        out.hint(hint)


def by_stage_text(out: Output, report: Report) -> None:
    """Print how rows went through the stages, and nothing else."""
    out.print(Group(first_lines(report)[0], _stages(report)))


def _findings(report: Report) -> Iterator[Text]:
    styles = {"high": "bold red", "medium": "yellow", "low": "dim"}
    for one in report.verdict.findings:
        line = Text("  ! " if one.severity == "high" else "    ", style=styles[one.severity])
        line.append(printable(one.text), styles[one.severity] if one.severity == "high" else "")
        if one.rows:
            line.append(printable(f":  {one.rows[0]}"), "dim")
        if one.example:
            line.append(printable(f"  {one.example}"))
        yield line


def _stages(report: Report) -> Table:
    a, b = report.inputs.a, report.inputs.b
    title = "stages" if a.path == b.path or a.format not in ("run", "stage") else printable(f"stages of {b.ref}")
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", title_style="bold")
    table.add_column("")
    for name in ("in", "dropped", "failed", "changed", "added", "out"):
        table.add_column(name, justify="right")
    table.add_column("top reason")
    for one in report.stages:
        numbers = (one.rows_in, one.dropped, one.failed, one.changed, one.added, one.rows_out)
        shown = [f"{number:,}" if number or place in (0, 5) else "·" for place, number in enumerate(numbers)]
        table.add_row(printable(one.name), *shown, Text(printable(one.top_reason or "")))
    return table


def _checks(report: Report) -> Iterator[Text]:
    from curate.diff.markdown import value_of

    for one in report.verdict.checks:
        line = Text("  ✓ " if one.ok else "  ✗ ", style="green" if one.ok else "bold red")
        yield line.append(printable(f"{one.rule}   {value_of(one)}{f'   {one.note}' if one.note else ''}"), "")


def _columns(report: Report) -> Iterator[Text | Table]:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for one in report.columns[:_COLUMNS]:
        share = "" if one.change_rate is None else f"{100 * one.change_rate:.3g} %"
        told = ", ".join(f"{SAID.get(name, name)} {rows:,}" for name, rows in one.classes.items())
        if one.cer_p50 is not None:
            told += f"   CER {one.cer_p50:.3g}, p95 {one.cer_p95:.3g}"
        table.add_row(Text(f"  {printable(one.path)}"), f"{one.changed_rows:,}", share, Text(told, style="dim"))
    if report.columns:
        yield table
    if len(report.columns) > _COLUMNS:
        yield Text(f"  {len(report.columns) - _COLUMNS} more", style="dim")
    schema = report.schema_diff
    for name, found in (("new columns", schema.added), ("columns that went", schema.removed)):
        if found:
            yield Text(printable(f"  {name}: {', '.join(found)}"))
    for retyped in schema.retyped:
        yield Text(printable(f"  {retyped.column}: type {retyped.before} → {retyped.after}"))


def _drift(report: Report) -> Iterator[Text]:
    for one in report.distributions:
        if one.state == "drifted":
            scope = f" in {one.scope}" if one.scope else ""
            yield Text(printable(f"  {one.column}{scope}   {one.metric} {one.value:.3f}, chance {one.noise_floor:.3f}"))
    few = sorted({one.column for one in report.distributions if one.state == "too_few_rows" and one.scope is None})
    if few:
        yield Text(printable(f"  too few rows to tell: {', '.join(few)}"), style="dim")


def _splits(report: Report) -> Iterator[Text]:
    for move in report.splits.moved:
        yield Text(printable(f"  {move.before} → {move.after}   {move.rows:,} rows"), style="red")
    leaks = report.splits.leaks
    if leaks and (leaks.a or leaks.b):
        kinds = ", ".join(f"{kind.replace('_', ' ')} {a:,} → {b:,}" for kind, (a, b) in leaks.by.items())
        yield Text(printable(f"  rows that another split holds, too: {leaks.a:,} → {leaks.b:,}   ({kinds})"))


def _changed(report: Report) -> Iterator[Text]:
    def worry(row: RowSample) -> int:
        return min((place for place, name in enumerate(_WORRYING) if name in row.classes), default=len(_WORRYING))

    for row in sorted(report.samples.changed, key=worry)[:_SHOWN]:
        yield from row_lines(row, 3)


def _hidden(report: Report) -> Iterator[Text]:
    """Rows that differ and are not on the screen, and where they are."""
    rows = report.rows
    hidden = {"changed": rows.changed - min(_SHOWN, len(report.samples.changed)), "removed": rows.removed,
              "added": rows.added}  # fmt: skip
    told = ", ".join(f"{number:,} {name}" for name, number in hidden.items() if number)
    if told:
        yield Text(f"  {told} rows; --report FILE.html shows some of each kind, FILE.jsonl holds all")


def _matching(report: Report) -> Iterator[Text]:
    found = report.matching
    for rejected in found.rejected_keys:
        yield Text(printable(f"  {', '.join(rejected.key)} is no key: {rejected.why}"))
    twice = found.duplicate_keys
    if twice.a or twice.b:
        example = f", for example {twice.samples[0]}" if twice.samples else ""
        yield Text(printable(f"  rows that share their key: {twice.a:,} of A, {twice.b:,} of B{example}"))
