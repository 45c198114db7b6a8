"""Whether a column is distributed otherwise, held against what chance alone would do to so few rows.

Fixed limits for PSI or Jensen-Shannon fire on most small sets that did not change at all, and tests of significance on
every large one; see arXiv 2307.11878. Here the pooled rows are shared out at random 200 times, and only a distance
that this hardly ever reaches is drift.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from curate.diff.distribution import Distribution, Histogram, ValueCount

THRESHOLD = 0.05
"""Distance up to which a change is too small to care for, however sure it is."""
TOO_FEW = 0.10
"""Noise floor above which nothing can be told."""
DRAWS = 200
MANY_COLUMNS = 20
"""From so many columns on the floor is the 99th percentile, because 5 % of them would pass the 95th by chance."""
_SHOWN = 20
_BINS = 200
"""Bins of equal weight on which distances of numbers are computed."""
_BARS = 40
_PERCENTS = (1, 5, 25, 50, 75, 95, 99)

Counts = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]


def categorical(name: str, a: pl.Series, b: pl.Series, percent: int, seed: int = 0) -> Distribution:
    """Compare the values of a column on both sides.

    Args:
        name: The column.
        a: Its values in A; nulls count as a value.
        b: Its values in B.
        percent: Percentile of the noise floor.
        seed: Of the random draws.
    """
    values, counts_a, counts_b = _table(a, b)
    value, floor = _distance(counts_a, counts_b, percent, seed, "tvd")
    order = sorted(range(len(values)), key=lambda place: (-int(counts_a[place] + counts_b[place]), values[place] or ""))
    sides = (int(counts_a.sum()), int(counts_b.sum()))
    rest = order[_SHOWN:]
    named = [place for place in order if values[place] is not None]
    vanished = [str(values[place]) for place in named if counts_a[place] and not counts_b[place]]
    appeared = [str(values[place]) for place in named if counts_b[place] and not counts_a[place]]
    other = _count("other", int(counts_a[rest].sum()), int(counts_b[rest].sum()), sides) if rest else None
    return Distribution(
        column=name,
        kind="categorical",
        n_a=sides[0],
        n_b=sides[1],
        metric="tvd",
        value=value,
        noise_floor=floor,
        threshold=THRESHOLD,
        state=_state(value, floor, sides),
        table=tuple(_count(values[p], int(counts_a[p]), int(counts_b[p]), sides) for p in order[:_SHOWN]),
        other=other,
        vanished=tuple(vanished[:_SHOWN]),
        vanished_values=len(vanished),
        appeared=tuple(appeared[:_SHOWN]),
        appeared_values=len(appeared),
        nulls=(a.null_count(), b.null_count()),
        stats=_stats(counts_a, counts_b),
    )


def numeric(name: str, a: Values, b: Values, percent: int, seed: int = 0) -> Distribution | None:
    """Compare numbers on both sides, NaN where there is none; None where neither side has any."""
    one, other = a[~np.isnan(a)], b[~np.isnan(b)]
    if not len(one) and not len(other):
        return None
    pooled = np.concatenate([one, other])
    edges = np.unique(np.quantile(pooled, np.linspace(0, 1, _BINS + 1), method="higher"))
    counts_a, counts_b = (np.bincount(np.searchsorted(edges, side), minlength=len(edges)) for side in (one, other))
    value, floor = _distance(counts_a.astype(np.int64), counts_b.astype(np.int64), percent, seed, "ks")
    return Distribution(
        column=name,
        kind="numeric",
        n_a=len(one),
        n_b=len(other),
        metric="ks",
        value=value,
        noise_floor=floor,
        threshold=THRESHOLD,
        state=_state(value, floor, (len(one), len(other))),
        quantiles_a=_quantiles(one),
        quantiles_b=_quantiles(other),
        zeros=(int((one == 0).sum()), int((other == 0).sum())),
        nulls=(len(a) - len(one), len(b) - len(other)),
        histogram=_histogram(pooled, one, other),
        stats=_stats(counts_a.astype(np.int64), counts_b.astype(np.int64)),
    )


def _table(a: pl.Series, b: pl.Series) -> tuple[list[str | None], Counts, Counts]:
    """Values of either side, and how often each has them."""
    sides: list[Mapping[str | None, int]] = []
    for side in (a, b):
        counted = side.cast(pl.String).value_counts(name="\x00n")
        sides.append(dict(zip(counted[counted.columns[0]].to_list(), counted["\x00n"].to_list(), strict=True)))
    values = sorted({*sides[0], *sides[1]}, key=lambda value: (value is None, value or ""))
    counts = [np.array([side.get(value, 0) for value in values], np.int64) for side in sides]
    return values, counts[0], counts[1]


def _distance(a: Counts, b: Counts, percent: int, seed: int, metric: Literal["tvd", "ks"]) -> tuple[float, float]:
    """The distance of two tables of counts, and the percentile of it if the rows were shared out at random."""
    if not a.sum() or not b.sum():
        return (1.0 if a.sum() != b.sum() else 0.0), 1.0
    draws = np.random.default_rng(seed).multivariate_hypergeometric(a + b, int(a.sum()), size=DRAWS, method="marginals")
    floor = float(np.quantile(_far(draws, a + b - draws, metric), percent / 100))
    return rounded(float(_far(a[None], b[None], metric)[0])), rounded(floor)


def _far(a: Any, b: Any, metric: str) -> Any:
    difference = a / a.sum(axis=1, keepdims=True) - b / b.sum(axis=1, keepdims=True)
    if metric == "tvd":
        return 0.5 * np.abs(difference).sum(axis=1)
    return np.abs(np.cumsum(difference, axis=1)).max(axis=1)


def _state(value: float, floor: float, sides: tuple[int, int]) -> Literal["steady", "drifted", "too_few_rows"]:
    if all(sides) and value > max(THRESHOLD, floor):
        return "drifted"
    return "too_few_rows" if floor > TOO_FEW else "steady"


def _count(value: str | None, a: int, b: int, sides: tuple[int, int]) -> ValueCount:
    share_a, share_b = (part / whole if whole else None for part, whole in zip((a, b), sides, strict=True))
    points = None if share_a is None or share_b is None else rounded(100 * (share_b - share_a))
    return ValueCount(
        value=value,
        a=a,
        b=b,
        share_a=None if share_a is None else rounded(share_a),
        share_b=None if share_b is None else rounded(share_b),
        points=points,
    )


def _quantiles(values: Values) -> dict[str, float] | None:
    if not len(values):
        return None
    found = dict(zip((f"p{percent}" for percent in _PERCENTS), np.percentile(values, _PERCENTS).tolist(), strict=True))
    return {name: rounded(value) for name, value in {**found, "mean": float(values.mean())}.items()}


def _histogram(pooled: Values, a: Values, b: Values) -> Histogram | None:
    """Common bins by the rule of Freedman and Diaconis on the pooled numbers, 40 at most; outer 1 % in the last bins."""
    low, high = np.percentile(pooled, (0.5, 99.5))
    if not np.isfinite(low) or not np.isfinite(high) or high <= low:
        return None
    spread = float(np.subtract(*np.percentile(pooled, (75, 25))))
    width = 2 * spread / len(pooled) ** (1 / 3) if spread > 0 else (high - low) / 10
    number = int(np.clip(np.ceil((high - low) / width), 5, _BARS))
    edges = np.linspace(low, high, number + 1)
    counts = [np.histogram(np.clip(side, low, high), edges)[0].tolist() for side in (a, b)]
    return Histogram(edges=tuple(rounded(float(edge)) for edge in edges), a=tuple(counts[0]), b=tuple(counts[1]))


def _stats(a: Counts, b: Counts) -> dict[str, float]:
    """Population stability index (shares of at least 0.0001) and Jensen-Shannon distance with base 2."""
    if not a.sum() or not b.sum():
        return {}
    one, other = a / a.sum(), b / b.sum()
    low, high = np.clip(one, 1e-4, None), np.clip(other, 1e-4, None)
    middle = (one + other) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = [np.nansum(np.where(side > 0, side * np.log2(side / middle), 0)) for side in (one, other)]
    return {
        "psi": rounded(float(((high - low) * np.log(high / low)).sum())),
        "js": rounded(float(np.sqrt(max(0.0, sum(parts) / 2)))),
    }


def rounded(value: float) -> float:
    """Six significant digits, so that the last bits of sums do not travel."""
    return float(f"{value:.6g}")
