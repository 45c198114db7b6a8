"""Where a change sits: slices of the data that have more than their share of it. Never why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from curate.diff.drift import rounded
from curate.diff.flow import SegmentShare
from curate.diff.survey import Survey

LEAST_STATUS, LEAST_ROWS, LEAST_SUPPORT, LEAST_LIFT = 30, 10, 0.05, 1.5
"""Rows of the status, rows of the slice in it, its share of the status, and how much that is above its usual share."""
MOST_VALUES, MOST_SHOWN = 50, 5
_DRAWN = 200_000

Bits = npt.NDArray[np.bool_]
Status = Literal["changed", "added", "removed"]


def over_represented(a: Survey, b: Survey, removed: Bits, added: Bits, changed: Bits) -> tuple[SegmentShare, ...]:
    """Give the slices with more than their share of removed, added or changed rows, the most telling ones first.

    Args:
        a: What was found of A.
        b: What was found of B.
        removed: Which rows of A were removed.
        added: Which rows of B were added.
        changed: Which rows of B changed.
    """
    found = [
        *_of("removed", a, removed, "a"),
        *_of("changed", b, changed, "b"),
        *_of("added", b, added, "b"),
    ]
    return tuple(sorted(found, key=lambda one: (-one.score, one.status, one.column, one.value or ""))[:MOST_SHOWN])


def _of(status: Status, side: Survey, marked: Bits, base: Literal["a", "b"]) -> Iterator[SegmentShare]:
    total = int(marked.sum())
    if total < LEAST_STATUS or total == len(marked):
        return
    for column, facet in side.facets.items():
        if 2 <= len(facet.values) - 1 <= MOST_VALUES:
            counts, inside = facet.counts(), facet.counts(marked)
            for value, usual, rows in zip(facet.values, counts.tolist(), inside.tolist(), strict=True):
                found = _segment(status, column, value, rows, total, usual / len(marked), base) if usual else None
                if found:
                    yield found
    for name, numbers in side.measures.items():
        if not name.startswith("\x00"):
            yield from _quarters(status, name, numbers, marked, base)


def _quarters(
    status: Status, name: str, numbers: npt.NDArray[np.floating[Any]], marked: Bits, base: Literal["a", "b"]
) -> Iterator[SegmentShare]:
    there = ~np.isnan(numbers)
    if there.sum() < 4 * LEAST_ROWS:
        return
    low, high = np.percentile(numbers[there][:: max(1, len(numbers) // _DRAWN)], (25, 75))
    for value, inside in (
        (f"at most {low:.4g}", there & (numbers <= low)),
        (f"at least {high:.4g}", there & (numbers >= high)),
    ):
        baseline = float(inside.mean())
        if baseline <= 0.5:  # else it is no quarter: most rows have one value
            rows = int((inside & marked).sum())
            found = _segment(status, name, value, rows, int(marked.sum()), baseline, base)
            if found:
                yield found


def _segment(
    status: Status, column: str, value: str | None, rows: int, total: int, baseline: float, base: Literal["a", "b"]
) -> SegmentShare | None:
    support = rows / total
    lift = support / baseline
    if rows < LEAST_ROWS or support < LEAST_SUPPORT or lift < LEAST_LIFT:
        return None
    return SegmentShare(
        status=status,
        column=column,
        value=value,
        rows=rows,
        support=rounded(support),
        baseline_share=rounded(baseline),
        baseline_share_of=base,
        lift=rounded(lift),
        score=rounded(surprise(support, baseline)),
    )


def surprise(share: float, baseline: float) -> float:
    """Jensen-Shannon divergence between "in the slice or not" here and usually: 0 (no surprise) to 1."""

    def entropy(p: float) -> float:
        return 0.0 if p in (0.0, 1.0) else -p * float(np.log2(p)) - (1 - p) * float(np.log2(1 - p))

    return max(0.0, entropy((share + baseline) / 2) - (entropy(share) + entropy(baseline)) / 2)
