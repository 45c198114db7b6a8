"""How a report says things in one line of English: classes of change, values, why rows went."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from curate.diff.report import Report

SAID = {
    "content": "other words", "digits": "other digits", "confusable": "look-alikes", "value": "other value",
    "added": "new", "removed": "gone", "re_encoded": "re-encoded only", "pixels": "other picture",
    "unchecked": "other bytes", "type": "other type", "nfc": "composed otherwise",
}  # fmt: skip
"""What classes of change are called in a terminal and in Markdown."""
_LONGEST = 120
_REASONS = 8


def in_short(value: object) -> str:
    """A value in one line: a turn as role and text, a reading as its number of lines, None as such."""
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
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def reasons(report: Report) -> str:
    """Why rows went, by stage, commonest first."""
    by_stage: dict[str | None, list[str]] = {}
    for one in report.removed_by[:_REASONS]:
        by_stage.setdefault(one.stage, []).append(f"{one.code or 'no reason in the ledger'} {one.rows:,}")
    told = "; ".join((f"{stage}: " if stage else "") + ", ".join(codes) for stage, codes in by_stage.items())
    more = len(report.removed_by) - _REASONS
    return told + (f"; {more} more reasons" if more > 0 else "")
