"""Precision, recall and F1 from a confusion matrix, to the last bit as scikit-learn computes them.

The ranking metric of the MIRE challenge is the weighted F1: the mean of the classes' F1, each weighted by its support.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

NO_ANSWER = "(no answer)"
"""Stands where a row has no prediction: it is wrong, and belongs to no class."""

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Confusion:
    """How often each label was given where another was right."""

    labels: tuple[str, ...]
    """All labels that occur, sorted; rows and columns of `counts`."""
    counts: Integers
    """Rows: the right label. Columns: the predicted one."""

    @property
    def support(self) -> Integers:
        """Rows of each label in the gold data."""
        return np.asarray(self.counts.sum(axis=1))

    @property
    def predicted(self) -> Integers:
        """Rows for which each label was predicted."""
        return np.asarray(self.counts.sum(axis=0))

    @property
    def hits(self) -> Integers:
        """Rows of each label that were right."""
        return np.diagonal(self.counts)

    def pairs(self, most: int) -> list[tuple[str, str, int]]:
        """The commonest mistakes: right label, predicted label, rows."""
        wrong = self.counts * (1 - np.eye(len(self.labels), dtype=np.int64))
        rows, columns = np.nonzero(wrong)
        found = [(self.labels[r], self.labels[c], int(wrong[r, c])) for r, c in zip(rows, columns, strict=True)]
        return sorted(found, key=lambda pair: (-pair[2], pair[:2]))[:most]


def confusion(gold: Sequence[str], predicted: Sequence[str]) -> Confusion:
    """Count; labels are compared as they are, blanks and brackets included."""
    labels = sorted({*gold, *predicted})
    number = {label: index for index, label in enumerate(labels)}
    counts = np.zeros((len(labels), len(labels)), dtype=np.int64)
    np.add.at(counts, ([number[one] for one in gold], [number[one] for one in predicted]), 1)
    return Confusion(tuple(labels), counts)


@dataclass(frozen=True)
class ClassScore:
    """Scores of one label, 0 to 1."""

    label: str
    precision: float
    recall: float
    f1: float
    support: int
    predicted: int


@dataclass(frozen=True)
class Scores:
    """Scores of all rows together, 0 to 1."""

    f1: float
    """Mean of the labels' F1, weighted by support: the metric that ranks."""
    accuracy: float
    precision: float
    """Weighted by support."""
    recall: float
    """Weighted by support; always the accuracy."""
    macro_f1: float
    """Mean of the labels' F1, each as much as another; only labels that the registry knows and that occur."""

    def as_dict(self) -> dict[str, float]:
        """Give the scores by name."""
        return dict(vars(self))


def class_scores(counted: Confusion) -> list[ClassScore]:
    """Scores of every label that occurs, in the order of `counted.labels`."""
    precision, recall, f1 = rates(counted.hits, counted.support, counted.predicted)
    columns = (precision, recall, f1, counted.support, counted.predicted)
    return [
        ClassScore(label, *map(float, values[:3]), *map(int, values[3:]))  # type: ignore[arg-type]
        for label, *values in zip(counted.labels, *columns, strict=True)
    ]


def scores(counted: Confusion, known: Collection[str] | None = None) -> Scores:
    """Scores over all rows; at least one row is needed.

    Args:
        counted: The confusion matrix.
        known: Labels that count for the macro mean; None takes those of the gold data.
    """
    precision, recall, f1 = rates(counted.hits, counted.support, counted.predicted)
    weights = counted.support
    if known is None:
        known = {label for label, rows in zip(counted.labels, weights, strict=True) if rows}
    chosen = np.array([label in known for label in counted.labels])
    return Scores(
        f1=float(np.average(f1, weights=weights)),
        accuracy=float(counted.hits.sum() / weights.sum()),
        precision=float(np.average(precision, weights=weights)),
        recall=float(np.average(recall, weights=weights)),
        macro_f1=float(f1[chosen].mean()) if chosen.any() else 0.0,
    )


def rates(hits: Integers, support: Integers, predicted: Integers) -> tuple[Floats, Floats, Floats]:
    """Precision, recall and F1 of each label (last axis); 0 where nothing is there to divide by."""
    return _share(hits, predicted), _share(hits, support), _share(2 * hits, support + predicted)


def _share(part: Integers, whole: Integers) -> Floats:
    return np.divide(part, whole, out=np.zeros(np.shape(part)), where=np.asarray(whole) > 0)


def as_rows(found: Sequence[ClassScore]) -> list[dict[str, Any]]:
    """Give class scores as dictionaries."""
    return [dict(vars(one)) for one in found]
