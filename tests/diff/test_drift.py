"""Drift is told from chance, on few rows and on many."""

from __future__ import annotations

import numpy as np
import pytest

from curate.diff import drift
from curate.diff.survey import Facet


def facet(codes: np.ndarray, kinds: int) -> Facet:  # type: ignore[type-arg]
    return Facet(codes.astype(np.int16), [*(f"label{place:03d}" for place in range(kinds)), None])


@pytest.mark.parametrize("kinds", [5, 20, 100])
@pytest.mark.parametrize("rows", [100, 1_000, 10_000])
def test_a_sample_of_the_same_data_has_not_drifted(kinds: int, rows: int) -> None:
    """Acceptance 16: a fixed limit of 0.1 fires in more than half of these."""
    draw = np.random.default_rng(0)
    base = draw.dirichlet(np.ones(kinds))
    alarms = 0
    for _ in range(100):
        a, b = (facet(draw.choice(kinds, rows, p=base), kinds) for _ in range(2))
        alarms += drift.categorical("label", a, b, 95).state == "drifted"

    assert alarms <= 7


@pytest.mark.parametrize("kinds", [5, 20])
def test_a_shift_of_twenty_points_is_found(kinds: int) -> None:
    """A rule that never fires is no rule."""
    draw = np.random.default_rng(1)
    base = draw.dirichlet(np.ones(kinds))
    moved = base.copy()
    most = int(moved.argmax())
    shift = min(0.2, moved[most] * 0.9)
    moved[most] -= shift
    moved = (moved + shift / kinds) / (moved + shift / kinds).sum()
    found = [
        drift.categorical(
            "label",
            facet(draw.choice(kinds, 2_000, p=base), kinds),
            facet(draw.choice(kinds, 2_000, p=moved), kinds),
            95,
        ).state
        for _ in range(20)
    ]

    assert found.count("drifted") == 20


@pytest.mark.parametrize("rows", [200, 5_000])
def test_numbers_of_the_same_kind_have_not_drifted(rows: int) -> None:
    """The same holds for lengths and scores."""
    draw = np.random.default_rng(2)
    alarms = 0
    for _ in range(60):
        a, b = draw.lognormal(3, 1, rows), draw.lognormal(3, 1, rows)
        bins = drift.binned(a, b)
        assert bins is not None
        alarms += drift.numeric("length", a, b, bins, 95).state == "drifted"

    assert alarms <= 5


def test_longer_texts_have_drifted() -> None:
    """And quantiles say by how much."""
    draw = np.random.default_rng(3)
    a, b = draw.normal(100, 10, 3000), draw.normal(110, 10, 3000)
    bins = drift.binned(a, b)
    assert bins is not None

    found = drift.numeric("length", a, b, bins, 95)

    assert found.state == "drifted"
    assert found.value == pytest.approx(0.38, abs=0.03)
    assert found.quantiles_b is not None
    assert found.quantiles_b["p50"] == pytest.approx(110, abs=1)
    assert found.histogram is not None
    assert sum(found.histogram.a) == sum(found.histogram.b) == 3000


def test_too_few_rows_are_no_answer() -> None:
    """`No drift` over ten rows is a claim that nobody can make."""
    draw = np.random.default_rng(4)
    a, b = (facet(draw.choice(5, 12), 5) for _ in range(2))

    assert drift.categorical("label", a, b, 95).state == "too_few_rows"
