"""The first screen in words: how many rows went, why, and whether anything meaningful was damaged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from curate.diff.flow import StageFlow
from curate.diff.page_rows import MEANINGFUL
from curate.diff.report import Report
from curate.diff.tables import ColumnChange
from curate.report.shell import visible
from curate.report.words import Words

_SHOWN = 6
"""Reasons that the first screen names."""


_IN_STAGE = 3
"""Reasons that the table of stages names."""


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
    """The commonest reasons, those of one stage together."""
    stages: dict[str | None, list[str]] = {}
    for one in report.removed_by[:_SHOWN]:
        name = visible(one.code) if one.code else words("diff_not_recorded")
        near = f" ({words('diff_near', rows=one.near_threshold_rows)})" if one.near_threshold_rows else ""
        stages.setdefault(one.stage, []).append(f"{name} {one.rows:,}{near}")
    for stage, told in stages.items():
        yield (f"{visible(stage)}: " if stage else "") + words("comma").join(told)
    rest = report.removed_by[_SHOWN:]
    if rest:
        yield words("diff_why_more", rows=sum(one.rows for one in rest), reasons=len(rest))
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
    if column.compared_as == "image":
        for name, rows in column.classes.items():
            if (name in MEANINGFUL) == meaningful:
                yield rows, words("diff_class_rows", kind=words.named("pictures", name), rows=rows)
        return
    classes = {name: rows for name, rows in column.classes.items() if name != "added"}
    told = sum(rows for name, rows in classes.items() if (name in MEANINGFUL) == meaningful)
    rows = min(told, column.changed_rows)  # a value has one class; of a list a row may have several
    if rows:
        kind = words("pictures_text") if column.compared_as == "boxes" else visible(column.path)
        yield rows, words("diff_class_rows", kind=kind, rows=rows)


def stage_reasons(stage: StageFlow, words: Words) -> str:
    """Why rows went in a stage, the commonest reasons first, with the limit where it was one."""
    gone = [one for one in stage.codes if one.action in ("dropped", "failed")]
    if len(gone) == 1 and words.language == "en":
        return stage.top_reason or ""
    told = words("comma").join(f"{visible(one.code)} {one.rows:,}" for one in gone[:_IN_STAGE])
    rest = gone[_IN_STAGE:]
    more = words("diff_why_more", rows=sum(one.rows for one in rest), reasons=len(rest)) if rest else ""
    return words("and_then").join(filter(None, (told, more)))


def not_shown(report: Report, words: Words) -> list[str]:
    """Rows that the report counts and does not hold, by status."""
    hidden = [
        (name, getattr(report.rows, name) - len(getattr(report.samples, name)))
        for name in ("changed", "added", "removed")
    ]
    return [
        words("diff_left_status", rows=rows, status=words.named("status", name)) for name, rows in hidden if rows > 0
    ]
