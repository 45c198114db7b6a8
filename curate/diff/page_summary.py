"""The first screen in words: how many rows went, why, and whether anything meaningful was damaged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from curate.diff.page_rows import MEANINGFUL
from curate.diff.report import Report
from curate.diff.tables import ColumnChange
from curate.report.shell import visible
from curate.report.words import Words

_SHOWN = 4
"""Reasons, and kinds of change, that the first screen names."""


@dataclass(frozen=True)
class Summary:
    """What the head of the page says."""

    verdict: str
    mood: str
    """good, bad or dim: a class of the style sheet."""
    gone: str
    rest: str
    why: list[str]
    """Reasons with their rows; empty where no row is gone."""
    grave: bool
    """Whether digits, pictures, splits or personal data are among what may matter."""
    damage: list[str]
    """What may mean something else now; empty where nothing does."""
    harmless: list[str]


def summary(report: Report, words: Words) -> Summary:
    """Say the main things."""
    rows = report.rows
    return Summary(
        *_verdict(report, words),
        gone=_gone(report, words),
        rest=words("diff_rest", same=rows.same, changed=rows.changed, added=rows.added)
        + (f"; {words('diff_derived', derived=rows.added_derived)}" if rows.added_derived else ""),
        why=list(_why(report, words)) if rows.removed else [],
        grave=any(_grave(report)),
        damage=list(_damage(report, words)),
        harmless=_classes(report, words, meaningful=False),
    )


def _verdict(report: Report, words: Words) -> tuple[str, str]:
    verdict = report.verdict
    if verdict.status == "fail":
        failed = sum(not check.ok for check in verdict.checks)
        return words("verdict_fail", failed=failed, checks=max(len(verdict.checks), failed)), "bad"
    if verdict.status == "pass":
        return words("verdict_pass"), "good"
    return (words("verdict_no_policy"), "dim") if verdict.differences else (words("verdict_equal"), "good")


def _gone(report: Report, words: Words) -> str:
    rows = report.rows
    if not rows.removed:
        return words("diff_none_gone", rows=rows.a)
    share = f"{100 * (rows.removed_share or 0):.1f} %"
    return words("diff_gone", removed=rows.removed, rows=rows.a, share=share)


def _why(report: Report, words: Words) -> Iterator[str]:
    told = 0
    for one in report.removed_by[:_SHOWN]:
        told += one.rows
        where = f"{one.stage}: " if one.stage else ""
        name = visible(f"{where}{one.code}") if one.code else words("diff_not_recorded")
        near = f" ({words('diff_near', rows=one.near_threshold_rows)})" if one.near_threshold_rows else ""
        yield f"{name} {one.rows:,}{near}"
    rest = sum(one.rows for one in report.removed_by[_SHOWN:])
    if rest:
        yield f"{words('more')} {rest:,}"
    if not report.removed_by:
        yield words("diff_unexplained", rows=report.rows.removed)


def _grave(report: Report) -> Iterator[bool]:
    yield report.text_changes.digits_changed_rows > 0
    yield any(one.severity == "high" for one in report.verdict.findings)


def _damage(report: Report, words: Words) -> Iterator[str]:
    """Worst first; each says how many rows."""
    text, splits = report.text_changes, report.splits
    if text.digits_changed_rows:
        yield words("diff_digits", rows=text.digits_changed_rows)
    mismatch = next((one for one in report.verdict.findings if one.id.startswith("image_mismatch")), None)
    if mismatch:
        yield visible(mismatch.text)
    yield from (one for one in _classes(report, words, meaningful=True))
    moved = sum(move.rows for move in splits.moved)
    if moved:
        yield words("diff_split_moves", rows=moved)
    if splits.leaks and splits.leaks.new:
        yield words("diff_leaks", rows=splits.leaks.new)
    personal = {kind: counts.new for kind, counts in (report.safety.personal or {}).items() if counts.new}
    if personal:
        yield words("diff_personal", told=", ".join(f"{visible(kind)} {number:,}" for kind, number in personal.items()))


def _classes(report: Report, words: Words, meaningful: bool) -> list[str]:
    """Kinds of change of texts with their rows, commonest first; with them the other columns whose values changed."""
    found = [
        (rows, words("diff_class_rows", kind=words.named("class", name), rows=rows))
        for name, rows in report.text_changes.by_class.items()
        if rows and (name in MEANINGFUL) == meaningful and name != "digits"
    ]
    for column in report.columns:
        found += _other(column, words, meaningful)
    return [told for _, told in sorted(found, key=lambda one: (-one[0], one[1]))]


def _other(column: ColumnChange, words: Words, meaningful: bool) -> Iterator[tuple[int, str]]:
    """What became of a column that is no text; a value that came where there was none does no harm."""
    if column.compared_as == "text" or column.path == "split":
        return
    if column.compared_as == "conversation":
        for name in ("removed", "added"):
            if meaningful and column.classes.get(name):
                yield column.classes[name], words(f"diff_turns_{name}", rows=column.classes[name])
        return
    classes = {name: rows for name, rows in column.classes.items() if name != "added"}
    rows = max((rows for name, rows in classes.items() if (name in MEANINGFUL) == meaningful), default=0)
    if rows:
        yield rows, words("diff_class_rows", kind=visible(column.path), rows=rows)
