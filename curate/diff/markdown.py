"""A report as Markdown for a pull request: a comment of bounded size that no text of the data set can break.

GitHub takes 65,536 characters of a comment, others about 65,000. Samples go first, then rows of the table of columns;
verdict, counts and findings never do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from curate.diff.report import Check, Report
from curate.diff.said import SAID, in_short, reasons
from curate.diff.sample import Change, RowSample, Value

COMMENT = 60_000
"""Characters of a comment."""
SUMMARY = 900_000
"""Characters of a step summary, of which GitHub takes 1 MiB."""
_TEXT = 120
_CHANGES, _CONTENT = 4, 3
"""Changes of a row, and texts of a row that is on one side only, that are shown."""
_TIERS = ((20, 40), (5, 40), (0, 40), (0, 15), (0, 5))
"""Samples of each status and columns that are shown, step by step fewer."""
_TICKS = re.compile("`+")
_CALLS = re.compile("([@#])")


def markdown(report: Report, budget: int = COMMENT) -> str:
    """Write a report as Markdown of at most `budget` characters."""
    text = ""
    for samples, columns in _TIERS:
        text = "\n".join(_lines(report, samples, columns)) + "\n"
        if len(text) <= budget:
            return text
    return text[: budget - 60].rsplit("\n", 1)[0] + "\n\n_cut here: the report is longer than a comment may be_\n"


def code(text: str, longest: int = _TEXT) -> str:
    """Text of a data set as inline code that cannot end early, open a cell or call anybody."""
    text = text if len(text) <= longest else f"{text[: longest - 1]}…"
    text = _CALLS.sub("\\1\u2060", text.replace("\r", "").replace("\n", "⏎")).replace("|", "\\|")
    fence = "`" * (max((len(run) for run in _TICKS.findall(text)), default=0) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") or not text.strip() else ""
    return f"{fence}{pad}{text or ' '}{pad}{fence}"


def words(text: str) -> str:
    """Our own sentence, in which names of columns and files may stand: nothing in it is markup."""
    escaped = re.sub(r"([\\`*_{}\[\]<>|~$])", r"\\\1", text.replace("\n", " "))
    return _CALLS.sub("\\1\u2060", escaped)


def _lines(report: Report, samples: int, columns: int) -> Iterator[str]:
    name = re.sub(r"[^\w./ →-]|--", "_", report.title)[:80]
    yield f"<!-- curate-diff:{name} -->"
    yield f"### {_verdict(report)}"
    yield ""
    yield words(f"{report.inputs.a.ref} → {report.inputs.b.ref}")
    yield ""
    yield f"**{words(counts(report))}**"
    yield ""
    if report.removed_by:
        yield f"why rows went: {words(reasons(report))}"
        yield ""
    for one in report.verdict.findings:
        mark = {"high": "**!** ", "medium": "", "low": ""}[one.severity]
        yield f"> {mark}{words(one.text)}{': ' + code(one.example) if one.example else ''}  "
    if report.verdict.checks:
        yield ""
        yield from _table(("check", "value", ""), [_check(one) for one in report.verdict.checks])
    if report.stages:
        yield ""
        yield from _table(
            ("stage", "in", "dropped", "failed", "changed", "added", "out", "top reason"),
            [
                (words(one.name), *(f"{number:,}" for number in (one.rows_in, one.dropped, one.failed, one.changed,
                                                                 one.added, one.rows_out)), words(one.top_reason or ""))
                for one in report.stages
            ],
        )  # fmt: skip
    yield from _columns(report, columns)
    yield from _samples(report, samples)
    yield ""
    cut = ", ".join(f"{number:,} {name}" for name, number in _hidden(report, samples) if number)
    if cut:
        yield f"_not shown: {cut} rows_  "
    yield f"<sub>{code(report.created_by.command, 400)} · curate {words(report.tool.version)}</sub>"


def _verdict(report: Report) -> str:
    failed = [one for one in report.verdict.checks if not one.ok]
    if report.verdict.status == "fail":
        more = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
        return f"❌ FAIL: {words(failed[0].rule)}{more}"
    if report.verdict.status == "pass":
        return f"✅ pass: {len(report.verdict.checks)} checks hold"
    return "different" if report.verdict.differences else "no difference"


def counts(report: Report) -> str:
    """Rows by status, in one line."""
    rows = report.rows
    parts = [f"rows {rows.a:,} → {rows.b:,}", f"same {rows.same:,}", f"changed {rows.changed:,}"]
    derived = f" ({'all' if rows.added_derived == rows.added else f'{rows.added_derived:,}'} derived)"
    parts.append(f"added {rows.added:,}{derived if rows.added_derived else ''}")
    parts.append(f"removed {rows.removed:,}")
    return " · ".join(parts)


def _check(one: Check) -> tuple[str, str, str]:
    return (
        words(one.rule),
        words(value_of(one)),
        ("holds" if one.ok else "**fails**") + (f" ({words(one.note)})" if one.note else ""),
    )


def value_of(check: Check) -> str:
    """The value of a check with its unit."""
    if check.value is None:
        return "not computed"
    unit = {"share": "%", "points": " points", "rows": "", "score": ""}[check.unit]
    return f"{check.value:,.4g}{unit}" if check.unit != "rows" else f"{check.value:,.0f}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(row) + " |"


def _columns(report: Report, most: int) -> Iterator[str]:
    if not report.columns:
        return
    yield ""
    rows = [
        (code(one.path), f"{one.changed_rows:,}", "" if one.change_rate is None else f"{100 * one.change_rate:.3g} %",
         ", ".join(f"{SAID.get(name, name)} {number:,}" for name, number in one.classes.items()))
        for one in report.columns[:most]
    ]  # fmt: skip
    yield from _table(("column", "rows", "of matched", "what"), rows)
    if len(report.columns) > most:
        yield f"_{len(report.columns) - most} more columns changed_"


def _samples(report: Report, most: int) -> Iterator[str]:
    hide = report.safety.redaction in ("strict", "keys-only")
    for status in ("changed", "removed", "added"):
        shown: tuple[RowSample, ...] = getattr(report.samples, status)[:most]
        if not shown:
            continue
        yield ""
        yield f"<details><summary>{status} rows: {len(shown)} of {getattr(report.rows, status):,}</summary>"
        yield ""
        for row in shown:
            told = ", ".join(f"{one.stage}: {one.code}" for one in row.reasons if one.action != "noted")
            yield f"- {code(row.uid)} {words(told)}"
            if not hide:
                lines = [f"  - {code(one.path)} {SAID.get(one.change, one.change)}: {code(inline(one))}"
                         for one in row.changes[:_CHANGES]]  # fmt: skip
                lines += [f"  - {code(one.path)}: {code(one.text)}" for one in _telling(row)]
                yield from lines
                more = len(row.changes) - _CHANGES + row.more_changes
                if more > 0:
                    yield f"  - {more:,} more"
        yield ""
        yield "</details>"


def inline(change: Change) -> str:
    """A change in one line: `before[-out-]{+in+}after`, or `before → after`."""
    if not change.segments:
        return f"{in_short(change.before)} → {in_short(change.after)}"
    signs = {"same": "{}", "out": "[-{}-]", "in": "{{+{}+}}", "gap": "…"}
    return "".join(signs[one.kind].format(one.text) for one in change.segments)


def _telling(row: RowSample) -> list[Value]:
    """The longest texts of a row that is on one side only, in the order of the row: names of roles say nothing."""
    longest = sorted(row.content, key=lambda one: -len(one.text))[:_CONTENT]
    return [one for one in row.content if one in longest]


def _hidden(report: Report, most: int) -> Iterator[tuple[str, int]]:
    """Rows of each status that are in no list."""
    for name in ("changed", "removed", "added"):
        yield name, getattr(report.rows, name) - min(most, len(getattr(report.samples, name)))
