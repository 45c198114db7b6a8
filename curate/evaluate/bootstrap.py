"""How far a score would move on another draw of the same kind of rows: the percentile bootstrap.

Rows are drawn with replacement, each time as many as there are; a score's interval holds the middle 95 % of what comes
out (Efron & Tibshirani 1993). Two systems are compared on the same draws.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from curate.evaluate.scores import Floats, Integers, rates

DRAWS = 1000
LEVEL = 0.95
_AT_ONCE = 2_000_000
"""Row numbers that are held at one time."""


@dataclass(frozen=True)
class Interval:
    """The middle `LEVEL` of the draws."""

    low: float
    high: float


@dataclass(frozen=True)
class Difference:
    """One system's score less another's, on the same rows."""

    value: float
    low: float
    high: float
    p: float
    """Share of draws on the other side of zero, twice: how often chance alone would look like this (two-sided).

    The rows themselves count as one more draw, so that a thousand draws never say zero (Phipson & Smyth 2010).
    """


def weighted_f1_draws(
    gold: Sequence[str], systems: Sequence[Sequence[str]], seed: int = 0, draws: int = DRAWS
) -> npt.NDArray[np.float64]:
    """Draw rows and score each system on the same draws.

    Args:
        gold: The right labels.
        systems: The predictions of one or more systems, row by row as `gold`.
        seed: Decides the draws.
        draws: How many.

    Returns:
        Weighted F1, systems x draws.
    """
    labels = sorted({*gold, *(label for system in systems for label in system)})
    number = {label: index for index, label in enumerate(labels)}
    right = np.array([number[label] for label in gold])
    given = [np.array([number[label] for label in system]) for system in systems]
    found = np.zeros((len(systems), draws))
    for start, rows in _drawn(len(right), seed, draws):
        support = _counts(right[rows], len(labels))
        for system, answers in enumerate(given):
            hits = _counts(np.where(answers[rows] == right[rows], right[rows], len(labels)), len(labels) + 1)[:, :-1]
            _, _, f1 = rates(hits, support, _counts(answers[rows], len(labels)))
            found[system, start : start + len(rows)] = (f1 * support).sum(axis=1) / support.sum(axis=1)
    return found


def interval(values: Floats) -> Interval:
    """The middle of the draws."""
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(low), float(high))


def difference(value: float, one: Floats, other: Floats) -> Difference:
    """Compare two systems; `value` is the difference on the rows themselves."""
    apart = one - other
    middle = interval(apart)
    fewer = min(int((apart <= 0).sum()), int((apart >= 0).sum()))
    return Difference(value, middle.low, middle.high, min(1.0, 2 * (fewer + 1) / (len(apart) + 1)))


def _drawn(rows: int, seed: int, draws: int) -> Iterator[tuple[int, Integers]]:
    """Row numbers, draws x rows, some draws at a time."""
    generator = np.random.default_rng(seed)
    step = max(1, _AT_ONCE // rows)
    for start in range(0, draws, step):
        yield start, generator.integers(0, rows, (min(step, draws - start), rows))


def _counts(numbers: Integers, kinds: int) -> Integers:
    """How often each number occurs in each row of an array."""
    places = numbers + kinds * np.arange(len(numbers))[:, None]
    return np.bincount(places.ravel(), minlength=kinds * len(numbers)).reshape(len(numbers), kinds)
