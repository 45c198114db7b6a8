"""The part of a report that weighs: distributions and drift, splits and leaks, personal data."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from curate.diff.sample import Count, Part, Share


class ValueCount(Part):
    """Rows with one value on both sides."""

    value: str | None
    a: Count
    b: Count
    share_a: Share = None
    share_b: Share = None
    points: float | None = None
    """Difference of the shares in percentage points."""


class Histogram(Part):
    """Counts on common bins; bin i lies between edges i and i + 1."""

    edges: tuple[float, ...]
    a: tuple[Count, ...]
    b: tuple[Count, ...]


class Distribution(Part):
    """How a column or a measure is distributed on both sides, and whether that drifted."""

    column: str
    scope: str | None = None
    """`split=train` where it is of one part of the rows."""
    kind: Literal["categorical", "numeric"]
    n_a: Count
    n_b: Count
    metric: Literal["tvd", "ks"]
    """tvd: half the sum of absolute differences of shares. ks: the largest distance of the cumulated shares."""
    value: float = Field(ge=0, le=1)
    noise_floor: float = Field(ge=0, le=1)
    """95th (with more than 20 columns 99th) percentile of `value` if the rows were shared out at random."""
    threshold: float = 0.05
    state: Literal["steady", "drifted", "too_few_rows"]
    table: tuple[ValueCount, ...] = ()
    """The commonest 20 values; categorical only."""
    other: ValueCount | None = None
    vanished: tuple[str, ...] = ()
    vanished_values: Count = 0
    appeared: tuple[str, ...] = ()
    appeared_values: Count = 0
    quantiles_a: dict[str, float] | None = None
    """p1, p5, p25, p50, p75, p95, p99, mean; numeric only."""
    quantiles_b: dict[str, float] | None = None
    zeros: tuple[Count, Count] | None = None
    nulls: tuple[Count, Count] = (0, 0)
    histogram: Histogram | None = None
    stats: dict[str, float] = {}
    """psi and js, for those who need them; no verdict rests on them."""


class SplitMove(Part):
    """Matched rows that went from one split to another."""

    before: str | None
    after: str | None
    rows: Count


class Leaks(Part):
    """Rows of one side whose content is in another split, too."""

    a: Count = 0
    b: Count = 0
    new: Count = 0
    """Rows of B that leak and did not in A."""
    by: dict[str, tuple[Count, Count]] = {}
    """Rows of A and B by kind: exact_text, near_text, picture, near_picture."""
    samples: tuple[tuple[str, ...], ...] = ()
    """uids in B that say or show the same, in different splits; at most 5 groups."""


class Splits(Part):
    """Splits before and after."""

    rows: dict[str, tuple[Count, Count]] = {}
    """Rows of A and B in each split."""
    moved: tuple[SplitMove, ...] = ()
    leaks: Leaks | None = None
    """None where there are no splits."""


class PersonalCounts(Part):
    """Hits of one kind of personal data in rows that differ."""

    a: Count
    b: Count
    new: Count
    """Hits in B that are not in the same row of A."""


class Safety(Part):
    """Personal data, never as values."""

    personal: dict[str, PersonalCounts] | None = None
    """By kind; rows that are the same on both sides are not counted. None: not looked for."""
    redacted: bool = False
    redaction: Literal["default", "strict", "keys-only", "none"] = "none"
