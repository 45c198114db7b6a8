"""Conversations of two versions, cut down to the turns in which they differ before any of it becomes Python."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from curate.diff.cells import turn_keys


@dataclass
class Turns:
    """A column of conversations before and after, row by row."""

    before: list[Any]
    after: list[Any]
    skipped: list[int]
    """Turns left out at the beginning; at the end as many more may be."""
    cut: list[bool]
    """Whether any turn was left out."""


def differing_turns(before: pl.Series, after: pl.Series) -> Turns | None:
    """Leave out equal turns at both ends of conversations that have one length; None where these are no conversations.

    What is left is what `align` compares: it leaves out the same turns, one by one.
    """
    kind = before.dtype
    if kind != after.dtype or not isinstance(kind, pl.List) or not isinstance(kind.inner, pl.Struct):
        return None
    if turn_keys({one.name: None for one in kind.inner.fields}) is None:
        return None
    sizes = before.list.len()
    alike = ((sizes == after.list.len()) & (sizes > 0)).fill_null(False)
    one, other = before.filter(alike).explode(), after.filter(alike).explode()
    if one.null_count() or other.null_count():
        return None
    places = np.flatnonzero(one.ne_missing(other).to_numpy())
    lengths = sizes.filter(alike).to_numpy().astype(np.int64)
    ends = np.cumsum(lengths)
    first, last = np.searchsorted(places, ends - lengths), np.searchsorted(places, ends) - 1
    differs = last >= first
    skipped, left = np.zeros(len(before), np.int64), sizes.fill_null(0).to_numpy().astype(np.int64)
    within = np.flatnonzero(alike.to_numpy())
    left[within] = 0
    skipped[within[differs]] = places[first[differs]] - (ends - lengths)[differs]
    left[within[differs]] = places[last[differs]] - places[first[differs]] + 1
    cut = np.zeros(len(before), bool)
    cut[within] = left[within] < lengths
    left[~alike.to_numpy()] = np.iinfo(np.int32).max
    window = pl.DataFrame({"before": before, "after": after, "skipped": skipped, "left": left})
    shown = window.select(pl.col("before", "after").list.slice(pl.col("skipped"), pl.col("left")))
    return Turns(shown["before"].to_list(), shown["after"].to_list(), skipped.tolist(), cut.tolist())
