"""The head of a diff in a terminal: verdict, counts, why rows went, and what kinds of change there are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.text import Text

from curate.cli.output import printable
from curate.diff.said import SAID, reasons

if TYPE_CHECKING:
    from curate.diff.report import Report
    from curate.diff.tables import ColumnChange

_HARMLESS = ("invisible", "nfc", "width", "whitespace", "punctuation", "case", "re_encoded", "moved", "order")


def first_lines(report: Report) -> list[Text]:
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
        lines.append(Text.assemble(("removed  ", "bold"), printable(reasons(report))))
    lines += _changes(report)
    steps = ", ".join(f"{one.by} {one.pairs:,}" for one in report.matching.by)
    key = f" ({', '.join(report.matching.key)})" if report.matching.key else ""
    lines.append(Text.assemble(("matched  ", "bold"), printable(f"by {steps or 'nothing'}{key}")))
    return lines


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
        told = [f"{name} {one.rows:,}{_filled(tops.get(name, []))}" for name, one in report.changed_in.items()]
        yield Text.assemble(("changed  ", "bold"), printable(", ".join(told[:8])))
    classes = report.text_changes.by_class
    if classes:
        serious = {name: rows for name, rows in classes.items() if name not in _HARMLESS}
        harmless = {name: rows for name, rows in classes.items() if name in _HARMLESS}
        told = [f"{SAID.get(name, name)} in {rows:,}" for name, rows in serious.items()]
        told += [f"{SAID.get(name, name)} in {rows:,} (harmless)" for name, rows in harmless.items()]
        size = f"+{report.text_changes.characters_in:,} −{report.text_changes.characters_out:,} characters"
        yield Text.assemble(("in texts ", "bold"), printable(f"{', '.join(told)}; {size}"))


def _top(path: str) -> str:
    return "ocr" if ".ocr" in path else path.split("[")[0].split(".")[0]


def _filled(parts: list[ColumnChange]) -> str:
    """Whether all that happened is that something stands where nothing stood, or the reverse."""
    if not parts:
        return ""
    if all(one.null_to_value + one.missing_to_value >= one.changed_rows for one in parts):
        return " (filled in)"
    return " (emptied)" if all(one.value_to_null + one.value_to_missing >= one.changed_rows for one in parts) else ""
