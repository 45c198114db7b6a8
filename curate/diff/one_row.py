"""One row of a diff, whole."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from curate.diff.cellwise import CellComparer
from curate.diff.diff import match
from curate.diff.options import DiffOptions
from curate.diff.sample import RowSample
from curate.diff.samples import Samples
from curate.diff.state import State
from curate.diff.survey import KEY
from curate.diff.table import ROW, Table
from curate.diff.walk import Walker
from curate.errors import UsageError


def one_row(a: Table, b: Table, options: DiffOptions, wanted: str) -> RowSample:
    """Tell all of one row, nothing cut.

    Args:
        a: What was.
        b: What is.
        options: How they are compared.
        wanted: A uid, key or source id, or the beginning of one; `a:12` or `b:12` for the number of a row, from 0.

    Raises:
        UsageError: no row fits, or several do.
    """
    state = match(a, b, replace(options, samples=0))
    side, row = _find(state, wanted)
    builder = Samples(state, longest=None)
    rows = (state.pairs.a, state.pairs.b)[side]
    places = np.flatnonzero(rows == row)
    if not len(places):
        return builder.one_sided(side, (a, b)[side].frame(np.array([row], np.int64), builder.sources))[0]
    place = int(places[0])
    cells = CellComparer(a, b, Walker(options, state.layout.nulls_are_missing))
    before = a.read(state.pairs.a[[place]], builder.sources)[int(state.pairs.a[place])]
    after = b.read(state.pairs.b[[place]], builder.sources)[int(state.pairs.b[place])]
    found = [
        one
        for column in state.layout.columns
        for one in cells.compare(column, before[column.source], after[column.source])
        if not one.ignored
    ]
    return builder.changed({place: found})[0]


def _find(state: State, wanted: str) -> tuple[int, int]:
    """The side and the number of a row."""
    head, _, number = wanted.partition(":")
    if head in ("a", "b") and number.isdecimal():
        side = "ab".index(head)
        if int(number) in state.survey_a.rows[ROW] if side == 0 else int(number) in state.survey_b.rows[ROW]:
            return side, int(number)
    for exact in (True, False):
        for side in (1, 0):
            found = _matches((state.survey_a, state.survey_b)[side].rows, wanted, exact)
            if len(found) == 1:
                return side, found[0]
            if found:
                names = state.names(side, np.array(found[:3], np.int64))
                raise UsageError(f"{len(found):,} rows begin with '{wanted}', for example {', '.join(names)}")
    raise UsageError(
        f"no row of the two has a uid, key or source id that begins with '{wanted}'; a:0 is the first of A"
    )


def _matches(rows: pl.DataFrame, wanted: str, exact: bool) -> list[int]:
    """Rows of which any key column is, or begins with, what is wanted."""
    names = [name for name in rows.columns if name.startswith(KEY)]
    if not names:
        return []
    texts = (pl.col(name).cast(pl.String) for name in names)
    hits = [text == wanted if exact else text.str.starts_with(wanted) for text in texts]
    found: list[int] = rows.filter(pl.any_horizontal(*hits))[ROW].to_list()
    return found
