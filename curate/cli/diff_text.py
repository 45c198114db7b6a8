"""A diff report in a terminal: verdict, counts, what stands out, stages; then the rest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from curate.cli.output import Output, printable

if TYPE_CHECKING:
    from curate.diff.report import Report
    from curate.diff.sample import Change, RowSample
    from curate.diff.tables import ColumnChange

_HARMLESS = ("invisible", "nfc", "width", "whitespace", "punctuation", "case", "re_encoded", "moved", "order")
_SAID = {
    "content": "other words", "digits": "other digits", "confusable": "look-alikes", "value": "other value",
    "added": "new", "removed": "gone", "re_encoded": "re-encoded only", "pixels": "other picture",
    "unchecked": "other bytes", "type": "other type", "nfc": "composed otherwise",
}  # fmt: skip
_WORRYING = ("digits", "pixels", "confusable", "content", "type")
"""Rows with these changes are shown first."""
_SHOWN, _COLUMNS, _REASONS = 3, 12, 8


def report_text(out: Output, report: Report, hints: list[str]) -> None:
    """Print a report; the first screen always has the same order."""
    parts: list[RenderableType] = [*_first(report)]
    if report.verdict.findings:
        parts += [Text("what stands out", style="bold"), *_findings(report)]
    if report.stages:
        parts.append(_stages(report))
    for name, lines in (
        ("checks", _checks(report)), ("columns", _columns(report)), ("distributions that drifted", _drift(report)),
        ("splits", _splits(report)), ("changed rows", _changed(report)), ("matching", _matching(report)),
        ("not in this report", [Text(f"  {printable(one)}") for one in report.limits.left_out]),
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
    out.print(Group(_first(report)[0], _stages(report)))


def _first(report: Report) -> list[Text]:
    """Verdict and counts, and why rows went and what kinds of change there are."""
    rows = report.rows
    head = Text.assemble(("curate diff  ", "bold"), printable(f"{report.inputs.a.ref} → {report.inputs.b.ref}"), "   ")
    head.append_text(_verdict(report))
    counts = Text.assemble(("rows     ", "bold"), f"{rows.a:,} → {rows.b:,}    same {rows.same:,}")
    counts.append(f"   changed {rows.changed:,}", "cyan" if rows.changed else "")
    counts.append(f"   added {rows.added:,}{_derived(report)}", "blue" if rows.added else "")
    counts.append(f"   removed {rows.removed:,}", "yellow" if rows.removed else "")
    lines = [head, counts]
    if report.removed_by:
        lines.append(Text.assemble(("removed  ", "bold"), printable(_reasons(report))))
    lines += _changes(report)
    steps = ", ".join(f"{one.by} {one.pairs:,}" for one in report.matching.by)
    key = f" ({', '.join(report.matching.key)})" if report.matching.key else ""
    lines.append(Text.assemble(("matched  ", "bold"), printable(f"by {steps or 'nothing'}{key}")))
    return lines


def _reasons(report: Report) -> str:
    """Why rows went, by stage, commonest first."""
    by_stage: dict[str | None, list[str]] = {}
    for one in report.removed_by[:_REASONS]:
        by_stage.setdefault(one.stage, []).append(f"{one.code or 'no reason in the ledger'} {one.rows:,}")
    told = "; ".join((f"{stage}: " if stage else "") + ", ".join(codes) for stage, codes in by_stage.items())
    more = len(report.removed_by) - _REASONS
    return told + (f"; {more} more reasons" if more > 0 else "")


def _derived(report: Report) -> str:
    rows = report.rows
    if not rows.added_derived:
        return ""
    return " (all derived)" if rows.added_derived == rows.added else f" ({rows.added_derived:,} derived)"


def _verdict(report: Report) -> Text:
    from curate.diff.markdown import value_of

    failed = [one for one in report.verdict.checks if not one.ok]
    if failed:
        more = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
        return Text(printable(f"FAIL  {failed[0].rule}: it is {value_of(failed[0])}{more}"), style="bold red")
    if report.verdict.status == "pass":
        return Text(f"pass  {len(report.verdict.checks)} checks hold", style="bold green")
    return Text("different" if report.verdict.differences else "no difference", style="bold")


def _changes(report: Report) -> Iterator[Text]:
    """Which columns changed in how many rows, and whether the changes of texts may mean something."""
    if report.columns:
        tops: dict[str, list[ColumnChange]] = {}
        for one in report.columns:
            tops.setdefault(_top(one.path), []).append(one)
        told = [f"{name} {max(one.changed_rows for one in parts):,}{_filled(parts)}" for name, parts in tops.items()]
        yield Text.assemble(("changed  ", "bold"), printable(", ".join(told[:8])))
    classes = report.text_changes.by_class
    if classes:
        serious = {name: rows for name, rows in classes.items() if name not in _HARMLESS}
        harmless = {name: rows for name, rows in classes.items() if name in _HARMLESS}
        told = [f"{_SAID.get(name, name)} in {rows:,}" for name, rows in serious.items()]
        told += [f"{_SAID.get(name, name)} in {rows:,} (harmless)" for name, rows in harmless.items()]
        size = f"+{report.text_changes.characters_in:,} −{report.text_changes.characters_out:,} characters"
        yield Text.assemble(("in texts ", "bold"), printable(f"{', '.join(told)}; {size}"))


def _top(path: str) -> str:
    return "ocr" if ".ocr" in path else path.split("[")[0].split(".")[0]


def _filled(parts: list[ColumnChange]) -> str:
    """Whether all that happened is that something stands where nothing stood, or the reverse."""
    if all(one.null_to_value + one.missing_to_value >= one.changed_rows for one in parts):
        return " (filled in)"
    return " (emptied)" if all(one.value_to_null + one.value_to_missing >= one.changed_rows for one in parts) else ""


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
    table = Table(box=box.SIMPLE_HEAD, title="stages", title_justify="left", title_style="bold")
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
    if not report.columns:
        return
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for one in report.columns[:_COLUMNS]:
        share = "" if one.change_rate is None else f"{100 * one.change_rate:.3g} %"
        told = ", ".join(f"{_SAID.get(name, name)} {rows:,}" for name, rows in one.classes.items())
        if one.cer_p50 is not None:
            told += f"   CER {one.cer_p50:.3g}, p95 {one.cer_p95:.3g}"
        table.add_row(Text(f"  {printable(one.path)}"), f"{one.changed_rows:,}", share, Text(told, style="dim"))
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
        yield from _row_lines(row, 3)


def _row_lines(row: RowSample, most: int | None) -> Iterator[Text]:
    facets = "  ".join(f"{name} {row.facets[name]}" for name in ("label", "split") if name in row.facets)
    yield Text.assemble(("  " + printable(row.uid), "bold"), printable(f"  {row.source_id or ''}  {facets}").rstrip())
    changes = row.changes[:most]
    for one in changes:
        line = Text(f"    {printable(one.path)}  ", style="dim")
        line.append(f"{_SAID.get(one.change, one.change)}  ", "cyan")
        yield line.append_text(change_text(one))
    hidden = len(row.changes) - len(changes) + row.more_changes
    if hidden:
        yield Text(f"    {hidden:,} more changes", style="dim")


def change_text(change: Change) -> Text:
    """A change in one line; where colours fail, signs tell what went and came."""
    if not change.segments:
        return Text(printable(f"{_value(change.before)} → {_value(change.after)}"))
    line = Text()
    for one in change.segments:
        shown = printable(one.text)
        if one.kind == "gap":
            line.append(f"…{one.characters:,}…", "dim")
        elif one.kind == "same":
            line.append(shown)
        else:
            line.append(
                f"[-{shown}-]" if one.kind == "out" else f"{{+{shown}+}}", "red" if one.kind == "out" else "green"
            )
    return line


def _value(value: object) -> str:
    """A value in short: a turn as role and text, None as such."""
    if value is None:
        return "(none)"
    if isinstance(value, dict):
        role = value.get("role") or value.get("from")
        text = value.get("text") or value.get("value") or value.get("content")
        if isinstance(role, str) and (isinstance(text, str) or text is None):
            return f"{role}: {text or '(empty)'}"
        if "lines" in value and "engine" in value:
            return f"{len(value['lines'] or ())} lines read"
    text = str(value)
    return text if len(text) <= 120 else f"{text[:119]}…"


def _matching(report: Report) -> Iterator[Text]:
    found = report.matching
    for rejected in found.rejected_keys:
        yield Text(printable(f"  {', '.join(rejected.key)} is no key: {rejected.why}"))
    twice = found.duplicate_keys
    if twice.a or twice.b:
        example = f", for example {twice.samples[0]}" if twice.samples else ""
        yield Text(printable(f"  rows that share their key: {twice.a:,} of A, {twice.b:,} of B{example}"))


def row_text(out: Output, row: RowSample) -> None:
    """Print one row whole."""
    out.print(Group(*_whole_row(row)))


def _whole_row(row: RowSample) -> Iterator[Text]:
    match = f", matched by {row.match.by}" if row.match else ""
    yield Text.assemble((printable(row.uid), "bold"), printable(f"  {row.source_id or ''}  {row.status}{match}"))
    for reason in row.reasons:
        value = f" ({reason.metric} {reason.value:g})" if reason.metric and reason.value is not None else ""
        detail = f": {reason.detail}" if reason.detail else ""
        yield Text(printable(f"  {reason.stage}  {reason.action}  {reason.code}{value}{detail}"), style="dim")
    yield from list(_row_lines(row, None))[1:]
    if row.status == "same":
        yield Text("    no difference")
    for one in row.content:
        yield Text.assemble((f"    {printable(one.path)}  ", "dim"), printable(one.text))
    for pair in row.images:
        if pair.change != "same":
            facts = (("SSIM", pair.ssim), ("PSNR", pair.psnr), ("IoU", pair.iou), ("CER", pair.cer))
            told = ", ".join(f"{name} {value:g}" for name, value in facts if value is not None)
            shown = pair.after or pair.before
            name = shown.path if shown else ""
            yield Text(printable(f"    {pair.path}  {_SAID.get(pair.change, pair.change)}  {name}  {told}".rstrip()))
