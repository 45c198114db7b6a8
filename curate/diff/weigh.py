"""Weighs every column and measure of two tables against each other, as a whole and split by split."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from curate.diff import drift
from curate.diff.distribution import Distribution
from curate.diff.state import State
from curate.diff.survey import Facet, Survey


def distributions(state: State) -> tuple[Distribution, ...]:
    """Every column and measure that both sides have; of single splits those that drift while the whole does not."""
    a, b = state.survey_a, state.survey_b
    categories = [name for name in a.facets if name in b.facets and _holds(a.facets[name]) and _holds(b.facets[name])]
    bins: dict[str, drift.Binned] = {}
    for name in a.measures:
        if name in b.measures and not name.startswith("\x00") and _has_numbers(a, b, name):
            one = drift.binned(a.measures[name], b.measures[name])
            bins |= {} if one is None else {name: one}
    percent = 99 if len(categories) + len(bins) > drift.MANY_COLUMNS else 95
    found = [drift.categorical(name, a.facets[name], b.facets[name], percent) for name in categories]
    found += [drift.numeric(name, a.measures[name], b.measures[name], one, percent) for name, one in bins.items()]
    drifted = {one.column for one in found if one.state == "drifted"}
    for part, within in _split_parts(state):
        for name in categories:
            if name not in drifted and name != "split":
                found += _if_drifted(drift.categorical(name, a.facets[name], b.facets[name], percent, within), part)
        for name, one in bins.items():
            value, floor, _, _ = one.distance(percent, within) if name not in drifted else (0.0, 1.0, None, None)
            if value > max(drift.THRESHOLD, floor):
                told = drift.numeric(name, a.measures[name], b.measures[name], one, percent, within)
                found += _if_drifted(told, part)
    return tuple(found)


def _holds(facet: Facet) -> bool:
    """Whether any row has a value; a column that was empty and is filled in, or the reverse, has not drifted."""
    return bool(facet.counts()[:-1].any())


def _has_numbers(a: Survey, b: Survey, name: str) -> bool:
    return not (np.isnan(a.measures[name]).all() or np.isnan(b.measures[name]).all())


def _if_drifted(found: Distribution, part: str) -> list[Distribution]:
    return [found.model_copy(update={"scope": f"split={part}"})] if found.state == "drifted" else []


def _split_parts(state: State) -> Iterator[tuple[str, drift.Parts]]:
    """The rows of each split that both sides have."""
    one, other = state.survey_a.facets.get("split"), state.survey_b.facets.get("split")
    if one is None or other is None:
        return
    for part in one.values:
        if part is not None and part in other.values:
            bits = (one.codes == one.values.index(part), other.codes == other.values.index(part))
            if bits[0].any() and bits[1].any():
                yield part, bits
