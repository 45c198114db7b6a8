"""Whether a column is distributed otherwise, held against what chance alone would do to so few rows.

Fixed limits for PSI or Jensen-Shannon fire on most small sets that did not change at all, and tests of significance on
every large one; see arXiv 2307.11878. Here the pooled rows are shared out at random 200 times, and only a distance
that this hardly ever reaches is drift.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from curate.diff.distribution import Distribution, Histogram, ValueCount
from curate.diff.survey import Facet

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
_DRAWN = 200_000
_SEED = 0
_PERCENTS = (1, 5, 25, 50, 75, 95, 99)

Counts = npt.NDArray[np.int64]
Values = npt.NDArray[np.floating[Any]]
Bits = npt.NDArray[np.bool_]
Parts = tuple["Bits | None", "Bits | None"]


def categorical(name: str, a: Facet, b: Facet, percent: int, parts: Parts = (None, None)) -> Distribution:
    """Compare the values of a column on both sides.

    Args:
        name: The column.
        a: Its values in A; none counts as a value.
        b: Its values in B.
        percent: Percentile of the noise floor.
        parts: The rows of A and B that are looked at; all of them where None.
    """
    values = sorted({*a.values, *b.values}, key=lambda value: (value is None, value or ""))
    counts_a, counts_b = _aligned(a, parts[0], values), _aligned(b, parts[1], values)
    value, floor = _distance(counts_a, counts_b, percent, "tvd")
    order = sorted(range(len(values)), key=lambda place: (-int(counts_a[place] + counts_b[place]), values[place] or ""))
    order = [place for place in order if counts_a[place] or counts_b[place]]
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
        nulls=(int(counts_a[-1]), int(counts_b[-1])),
        stats=_stats(counts_a, counts_b),
    )


def _aligned(facet: Facet, part: Bits | None, values: list[str | None]) -> Counts:
    """Rows with each of some values."""
    counts = dict(zip(facet.values, facet.counts(part).tolist(), strict=True))
    return np.array([counts.get(value, 0) for value in values], np.int64)


@dataclass(frozen=True)
class Binned:
    """Numbers of both sides on common bins of equal weight; bin 0 is for what is no number."""

    a: npt.NDArray[np.int16]
    b: npt.NDArray[np.int16]
    size: int

    def distance(self, percent: int, parts: Parts = (None, None)) -> tuple[float, float, Counts, Counts]:
        """KS distance, its noise floor, and the counts on the bins."""
        counts = [
            np.bincount(side if part is None else side[part], minlength=self.size)[1:].astype(np.int64)
            for side, part in zip((self.a, self.b), parts, strict=True)
        ]
        return *_distance(counts[0], counts[1], percent, "ks"), counts[0], counts[1]


def binned(a: Values, b: Values) -> Binned | None:
    """Put numbers on bins; None where neither side has any.

    Of more than 200,000 numbers a side the bins are made from a part of them, every so many rows; all are counted.
    """
    drawn = [side[:: max(1, len(side) // _DRAWN)] for side in (a, b)]
    pooled = np.concatenate(drawn)
    pooled = pooled[~np.isnan(pooled)]
    if not len(pooled):
        whole = np.concatenate([a, b])
        pooled = whole[~np.isnan(whole)][:_DRAWN]
    if not len(pooled):
        return None
    edges = np.unique(np.quantile(pooled, np.linspace(0, 1, _BINS + 1), method="higher"))
    sides = []
    for side in (a, b):
        codes = np.searchsorted(edges, side).astype(np.int16) + 1
        codes[np.isnan(side)] = 0
        sides.append(codes)
    return Binned(sides[0], sides[1], len(edges) + 2)


def numeric(name: str, a: Values, b: Values, bins: Binned, percent: int, parts: Parts = (None, None)) -> Distribution:
    """Compare numbers on both sides, NaN where there is none; `bins` are theirs, `parts` as for `categorical`."""
    value, floor, counts_a, counts_b = bins.distance(percent, parts)
    one, other = (side if part is None else side[part] for side, part in zip((a, b), parts, strict=True))
    sizes = (len(one), len(other))
    one, other = one[~np.isnan(one)], other[~np.isnan(other)]
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
        nulls=(sizes[0] - len(one), sizes[1] - len(other)),
        histogram=_histogram(one, other),
        stats=_stats(counts_a, counts_b),
    )


def _distance(a: Counts, b: Counts, percent: int, metric: Literal["tvd", "ks"]) -> tuple[float, float]:
    """The distance of two tables of counts, and the percentile of it if the rows were shared out at random."""
    if not a.sum() or not b.sum():
        return (1.0 if a.sum() != b.sum() else 0.0), 1.0
    draws = np.random.default_rng(_SEED).multivariate_hypergeometric(
        a + b, int(a.sum()), size=DRAWS, method="marginals"
    )
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


def _histogram(a: Values, b: Values) -> Histogram | None:
    """Common bins by the rule of Freedman and Diaconis, 40 at most; the outer 0.5 % are in the last ones."""
    pooled = np.concatenate([side[:: max(1, len(side) // _DRAWN)] for side in (a, b)])
    if not len(pooled):
        return None
    low, quarter, three_quarters, high = np.percentile(pooled, (0.5, 25, 75, 99.5))
    if not np.isfinite(low) or not np.isfinite(high) or high <= low:
        return None
    spread = float(three_quarters - quarter)
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
