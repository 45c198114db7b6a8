"""Whether a confidence can be trusted: how often predictions of about one confidence are right."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

EDGES = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)
"""Limits of the bins; finer near 1, where thresholds for pseudo-labels lie."""


@dataclass(frozen=True)
class Bin:
    """Predictions with a confidence above `low` up to `high` (the first bin holds 0 too)."""

    low: float
    high: float
    rows: int
    confidence: float
    """Mean confidence."""
    accuracy: float
    """Share that is right."""


def calibration(confidences: Sequence[float | None], right: Sequence[bool]) -> list[Bin]:
    """Give the bins that are not empty; predictions without a confidence are left out."""
    found = []
    known = [(sure, hit) for sure, hit in zip(confidences, right, strict=True) if sure is not None]
    for low, high in itertools.pairwise(EDGES):
        inside = [(sure, hit) for sure, hit in known if low < sure <= high or (low == 0 == sure)]
        if inside:
            mean = sum(sure for sure, _ in inside) / len(inside)
            found.append(Bin(low, high, len(inside), mean, sum(hit for _, hit in inside) / len(inside)))
    return found


def expected_error(bins: Sequence[Bin]) -> float:
    """Expected calibration error: mean distance of confidence and accuracy, by rows (Naeini et al. 2015)."""
    rows = sum(one.rows for one in bins)
    return sum(one.rows * abs(one.confidence - one.accuracy) for one in bins) / rows if rows else 0.0
