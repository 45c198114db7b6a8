"""All rows that differ, one after the other, for `--report FILE.jsonl`; and one row alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from curate.diff.cellwise import CellComparer
from curate.diff.compare import Rows, mark
from curate.diff.diff import match
from curate.diff.kept import Shown
from curate.diff.options import DiffOptions
from curate.diff.sample import RowSample
from curate.diff.samples import Samples
from curate.diff.state import State
from curate.diff.table import Table
from curate.diff.walk import Walker

_AT_ONCE = 1_000


def every_row(a: Table, b: Table, options: DiffOptions) -> Iterator[RowSample]:
    """Give all rows that are not the same: changed ones in the order of A, then removed, then added ones."""
    state = match(a, b, replace(options, samples=0))
    builder = Samples(state)
    differs = np.zeros(len(state.pairs), bool)
    for bits in state.pairs.differs.values():
        differs |= bits
    for places in _parts(np.flatnonzero(differs)):
        shown = builder.changed(differences_at(state, places))
        yield from sorted(shown, key=lambda row: row.row_a or 0)
    for side, left in enumerate((state.left_a, state.left_b)):
        for rows in _parts(left):
            found = builder.one_sided(side, (a, b)[side].frame(rows, builder.sources))
            yield from sorted(found, key=lambda row: (row.row_a or 0, row.row_b or 0))


def _parts(rows: Rows) -> Iterator[Rows]:
    for start in range(0, len(rows), _AT_ONCE):
        yield rows[start : start + _AT_ONCE]


def differences_at(state: State, places: Rows) -> Shown:
    """Compare the pairs at some places whole; those that do not differ after all are not in the answer."""
    cells = CellComparer(state.a, state.b, Walker(state.options, state.layout.nulls_are_missing))
    sources = [column.source for column in state.layout.columns]
    rows_a, rows_b = state.pairs.a[places], state.pairs.b[places]
    before, after = state.a.read(np.sort(rows_a), sources), state.b.read(np.sort(rows_b), sources)
    found: Shown = {}
    for place, one, other in zip(places.tolist(), rows_a.tolist(), rows_b.tolist(), strict=True):
        differences = [
            difference
            for column in state.layout.columns
            for difference in cells.compare(column, before[one][column.source], after[other][column.source])
            if not difference.ignored
        ]
        if differences:
            mark(state.pairs, place, differences)
            found[place] = differences
    return found
