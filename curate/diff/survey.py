"""The first pass over a table: for each row its number, its keys and a hash of each cell; values to count and measure.

Everything comes from one streaming scan, so that memory holds what is narrow (about 12 bytes a cell) and no text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from curate.diff.columns import Column
from curate.diff.measures import TRIED, categories_of, head_of, measures_of, scalar
from curate.diff.table import ROW, Table

HASH = "\x00h:"
KEY = "\x00k:"
_FACET, _MEASURE = "\x00f:", "\x00m:"
MOST_VALUES = 1000
"""Different values from which on a column is no category any more."""
LONGEST_VALUE = 64

Values = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Facet:
    """The categories of a column, row by row."""

    codes: npt.NDArray[np.int16]
    """Place of each row's value in `values`; the last place, whose value is None, where there is none."""
    values: list[str | None]

    def counts(self, within: npt.NDArray[Any] | None = None) -> npt.NDArray[np.int64]:
        """Rows with each value, of all of them or of those that bits or places name."""
        codes = self.codes if within is None else self.codes[within]
        return np.bincount(codes, minlength=len(self.values)).astype(np.int64)

    def names(self, places: npt.NDArray[Any]) -> list[str | None]:
        """Values of some rows."""
        return [self.values[code] for code in self.codes[places].tolist()]


@dataclass
class Survey:
    """What the first pass found."""

    rows: pl.DataFrame
    """ROW, the key columns (prefix KEY), and the hashes (prefix HASH)."""
    facets: dict[str, Facet] = field(default_factory=dict)
    """Categories of each row, by column."""
    measures: dict[str, Values] = field(default_factory=dict)
    """Numbers of each row, by name; NaN where there is none."""

    def forget_hashes(self) -> None:
        """Let go of what is not needed any more once rows are paired."""
        self.rows = self.rows.select(ROW, *(name for name in self.rows.columns if name.startswith(KEY)))

    def __len__(self) -> int:
        return len(self.rows)

    def places(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Places of some row numbers, which differ from them where not all rows were asked for."""
        numbers = self.rows[ROW].to_numpy()
        if len(numbers) and numbers[-1] == len(numbers) - 1:
            return rows
        return np.searchsorted(numbers, rows).astype(np.int64)


def survey(table: Table, side: int, columns: Sequence[Column], keys: Sequence[str]) -> Survey:
    """Read a table once.

    Args:
        table: What is read.
        side: 0 for A, 1 for B.
        columns: What is hashed.
        keys: Columns that may be keys.
    """
    facets = {name: scalar(table, name) for name in _facets(table)} | categories_of(table)
    measures = {
        name: expression
        for name, expression in measures_of(table).items()
        if name.removesuffix(" length") not in (*facets, *keys)
    }
    expressions = [pl.col(ROW)]
    expressions += [scalar(table, name).alias(KEY + name) for name in keys]
    expressions += [column.hashes[side].alias(HASH + column.name) for column in columns]
    expressions += [expression.cast(pl.String).alias(_FACET + name) for name, expression in facets.items()]
    expressions += [expression.cast(_number(name)).alias(_MEASURE + name) for name, expression in measures.items()]
    whole = table.collect(expressions)
    found = Survey(whole.select(ROW, *(name for name in whole.columns if name.startswith((HASH, KEY)))))
    for name in facets:
        values = whole[_FACET + name].unique()
        if len(values) <= MOST_VALUES:
            found.facets[name] = _facet(whole[_FACET + name], values.to_list())
        whole = whole.drop(_FACET + name)
    for name in measures:
        found.measures[name] = whole[_MEASURE + name].fill_null(float("nan")).to_numpy()
    return found


def _number(name: str) -> pl.DataType:
    """Lengths and counts need no 64 bits."""
    return pl.Float32() if name.endswith((" length", " number")) or name.startswith("\x00") else pl.Float64()


def _facet(column: pl.Series, values: list[Any]) -> Facet:
    known = sorted(value for value in values if value is not None)
    codes = column.cast(pl.Enum(known)).to_physical().cast(pl.Int16).fill_null(len(known))
    return Facet(codes.to_numpy().astype(np.int16), [*known, None])


def _facets(table: Table) -> list[str]:
    """Columns whose values look like categories among the first rows."""
    names = [name for name, kind in table.types.items() if _may_be_facet(table, name, kind)]
    if not names or table.as_records:
        return names
    heads = {name: head_of(table, name, TRIED).cast(pl.String).drop_nulls() for name in names}
    return [name for name in names if _looks_like_categories(heads[name])]


def _may_be_facet(table: Table, name: str, kind: pl.DataType) -> bool:
    if table.as_records:
        return name in ("task", "label", "label_from", "split")
    if table.as_json:
        return isinstance(table.scalars.get(name), (pl.String, pl.Boolean))
    return isinstance(kind, (pl.String, pl.Boolean, pl.Categorical, pl.Enum))


def _looks_like_categories(values: pl.Series) -> bool:
    if not len(values):
        return True
    longest: Any = values.str.len_chars().max()
    return values.n_unique() <= max(50, len(values) // 4) and longest <= LONGEST_VALUE and _repeats(values)


def _repeats(values: pl.Series) -> bool:
    """Whether values occur again at all; ids never do."""
    return len(values) < 8 or values.n_unique() <= len(values) * 0.6
