"""The part of a report that counts: how rows were matched, and what became of columns, texts and pictures."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from curate.diff.sample import ComparedAs, Count, MatchedBy, Part, Share


class MatchStep(Part):
    """Pairs found by one rung of the ladder."""

    by: MatchedBy
    pairs: Count
    score_p50: float | None = None


class RejectedKey(Part):
    """A column that looked like a key and is none."""

    key: tuple[str, ...]
    why: str
    given_anew: bool = False
    """Whether its values name other rows on the two sides; then it is not compared either."""


class DuplicateKeys(Part):
    """Rows whose key occurs more than once on their side."""

    a: Count = 0
    b: Count = 0
    samples: tuple[str, ...] = Field(default=(), max_length=5)


class Matching(Part):
    """How rows were paired."""

    mode: Literal["uid", "key", "content"]
    key: tuple[str, ...] = ()
    inferred: bool = False
    rejected_keys: tuple[RejectedKey, ...] = ()
    by: tuple[MatchStep, ...] = ()
    duplicate_keys: DuplicateKeys = DuplicateKeys()


class Retyped(Part):
    """A column with another type."""

    column: str
    before: str
    after: str


class SchemaDiff(Part):
    """Columns that came, went or have another type."""

    identical: bool
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    retyped: tuple[Retyped, ...] = ()
    reordered: bool = False
    skipped: tuple[str, ...] = ()
    """Columns that were not compared because they are bookkeeping, or were ignored on request."""


class ColumnChange(Part):
    """What became of one column, or of one path in a nested one."""

    path: str
    """`turns[*].text`"""
    compared_as: ComparedAs
    changed_rows: Count
    change_rate: Share = None
    change_rate_of: Literal["matched"] = "matched"
    null_to_value: Count = 0
    value_to_null: Count = 0
    missing_to_value: Count = 0
    """The key was not there before (JSON only: null and missing are two things)."""
    value_to_missing: Count = 0
    classes: dict[str, Count] = {}
    """Rows by class of change."""
    tolerance: str | None = None
    cer_p50: float | None = None
    """Median and 95th percentile over the rows that changed; texts only."""
    cer_p95: float | None = None


class ChangedIn(Part):
    """Matched rows that differ anywhere in a column; a row with two changed paths counts once."""

    rows: Count
    classes: dict[str, Count] = {}
    """Rows by class of change."""


class TextChanges(Part):
    """Changed rows by the class of what changed in their texts; a row may be in several classes."""

    by_class: dict[str, Count] = {}
    characters_in: Count = 0
    characters_out: Count = 0
    digits_changed_rows: Count = 0


class ImageChanges(Part):
    """What became of the pictures of matched rows."""

    compared: Count = 0
    """Pairs of pictures with different bytes that were decoded."""
    re_encoded: Count = 0
    pixels: Count = 0
    added: Count = 0
    removed: Count = 0
    unchecked: Count = 0
    """Other bytes, but not decoded: a file is missing or broken, or there were too many."""
    ssim_p50: float | None = None


class BoxChanges(Part):
    """What became of the lines of text read in the pictures."""

    added: Count = 0
    removed: Count = 0
    moved: Count = 0
    text_changed: Count = 0
    mean_iou: float | None = None
    cer_p50: float | None = None
    cer_p95: float | None = None


class Media(Part):
    """Pictures and the text in them."""

    images: ImageChanges | None = None
    boxes: BoxChanges | None = None


class TurnErrors(Part):
    """Rows that no trainer takes, on both sides."""

    image_mismatch: tuple[Count, Count] = (0, 0)
    """Rows of A and B with another number of `<image>` in the texts than pictures."""
    new_image_mismatch: Count = 0
    """Rows of B for which that is so, while it was not in their partner in A."""
    empty_turns: tuple[Count, Count] = (0, 0)
    """Rows with a turn that says nothing, or no turn at all."""
    repeated_roles: tuple[Count, Count] = (0, 0)
    """Rows in which one role, not the system, speaks twice in a row."""
    new_repeated_roles: Count = 0
    """Rows of B for which that is so, while it was not in their partner in A."""
    any_error: tuple[Count, Count] = (0, 0)
    """Rows with empty turns or repeated roles."""
