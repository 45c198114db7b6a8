"""The part of a report that explains: findings, the flow of rows through stages, reasons, slices."""

from __future__ import annotations

from typing import Literal

from curate.diff.sample import Count, Part, Share


class Finding(Part):
    """Something that stands out."""

    id: str
    """Stable: `segment.removed.source`, `digits`, `split_moved`, …"""
    severity: Literal["high", "medium", "low"]
    text: str
    """One sentence for people; says where, never why. Names columns and their categories, but quotes no text."""
    example: str = ""
    """Text of the data set that shows it, `[out→in]` where it changed."""
    filter: dict[str, str] = {}
    """What shows its rows: keys are status, stage, reason, class, flag, or the name of a facet."""
    rows: tuple[str, ...] = ()
    """uids of at most 3 of its rows."""


class CodeCount(Part):
    """Rows that a stage gave one code."""

    action: Literal["changed", "dropped", "added", "failed", "noted"]
    code: str
    rows: Count


class StageFlow(Part):
    """Rows through one stage of a run: rows_in - dropped - failed + added = rows_out."""

    name: str
    use: str
    rows_in: Count
    rows_out: Count
    dropped: Count
    changed: Count
    added: Count
    failed: Count
    codes: tuple[CodeCount, ...] = ()
    """Commonest first."""
    top_reason: str | None = None
    """The commonest reason why rows went, with its limit: `image_blur < 100 (9 of 26 near the limit)`."""
    version: int | None = None
    options_digest: str | None = None
    reused: bool | None = None


class LimitHistogram(Part):
    """Values of the rows that a limit took out, so that one sees whether it was a good limit."""

    metric: str
    threshold: float
    edges: tuple[float, ...]
    counts: tuple[Count, ...]
    near: Count
    """Rows whose value lies within 2 % of the range from the limit."""
    near_within: float
    """That distance, in units of the metric."""


class RemovedBy(Part):
    """Rows that are in A and not in B, by who took them out and why."""

    stage: str | None
    """None where the ledger says nothing."""
    action: Literal["dropped", "failed"] | None = None
    code: str | None
    rows: Count
    share: Share = None
    share_of: Literal["removed"] = "removed"
    metric: str | None = None
    threshold: float | None = None
    near_threshold_rows: Count = 0
    histogram: LimitHistogram | None = None


class SegmentShare(Part):
    """A slice that is over-represented among rows of one status."""

    status: Literal["changed", "added", "removed"]
    column: str
    value: str | None
    """A value, or `lowest quarter` of a number."""
    rows: Count
    support: Share
    support_of: Literal["status"] = "status"
    baseline_share: Share
    baseline_share_of: Literal["a", "b"]
    """A for removed rows, else B."""
    lift: float
    score: float
    """Bounded surprise, 0 to 1; the report is sorted by it."""
