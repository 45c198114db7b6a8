"""Pairs of rows, rung by rung: never by order, never many to many; every pair says how it was found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from curate.diff.columns import Column
from curate.diff.sample import MatchedBy
from curate.diff.survey import HASH, KEY
from curate.diff.table import ROW

A, B = "\x00a", "\x00b"
"""Columns of row numbers in a frame of pairs."""


@dataclass
class Found:
    """Pairs of one rung."""

    by: MatchedBy
    pairs: pl.DataFrame
    """A and B."""
    scores: np.ndarray[tuple[int], np.dtype[np.float64]] | None = None


@dataclass
class Pairing:
    """All pairs, and the rows that are left."""

    left_a: pl.DataFrame
    left_b: pl.DataFrame
    found: list[Found] = field(default_factory=list)

    def take(self, found: Found) -> None:
        """Keep pairs, and take their rows out of those that are left."""
        if not len(found.pairs):
            return
        self.found.append(found)
        self.left_a = _without(self.left_a, found.pairs[A])
        self.left_b = _without(self.left_b, found.pairs[B])


def _without(frame: pl.DataFrame, rows: pl.Series) -> pl.DataFrame:
    """Rows of a frame whose numbers are not among some."""
    if not len(frame):
        return frame
    numbers = frame[ROW].to_numpy()
    gone = np.zeros(int(numbers.max()) + 1, bool)
    gone[rows.to_numpy()] = True
    return frame.filter(pl.Series(~gone[numbers]))


def repeated(frame: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    """Rows whose key is whole and occurs again."""
    names = [KEY + name for name in keys]
    whole = frame.drop_nulls(names) if any(frame[name].null_count() for name in names) else frame
    if len(names) == 1 and whole[names[0]].n_unique() == len(whole):
        return whole.clear()
    return whole.filter(pl.struct(names).is_duplicated())


def unique_on(frame: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    """Rows whose key is whole and occurs once."""
    names = [KEY + name for name in keys]
    whole = frame.drop_nulls(names) if any(frame[name].null_count() for name in names) else frame
    again = repeated(whole, keys)
    return whole if not len(again) else whole.join(again.select(ROW), ROW, "anti", maintain_order="left")


def join_keys(a: pl.DataFrame, b: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    """Pair rows of equal keys; the keys are unique on both sides."""
    names = [KEY + name for name in keys]
    one, other = same_types(a, b, names)
    return (
        one.select(pl.col(ROW).alias(A), *names)
        .join(other.select(pl.col(ROW).alias(B), *names), on=names, how="inner")
        .select(A, B)
    )


def same_types(a: pl.DataFrame, b: pl.DataFrame, names: Sequence[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Cast keys to texts where the sides have them in different types: 7 and "7" name one row."""
    other = [name for name in names if a.schema[name] != b.schema[name]]
    if not other:
        return a, b
    return a.with_columns(pl.col(other).cast(pl.String)), b.with_columns(pl.col(other).cast(pl.String))


def by_content(a: pl.DataFrame, b: pl.DataFrame, columns: Sequence[Column], within: Sequence[str] = ()) -> pl.DataFrame:
    """Pair rows with equal hashes in all columns; of rows that occur several times as many as both sides have.

    Args:
        a: Rows of one side.
        b: Rows of the other.
        columns: What must be equal.
        within: Key columns that must be equal besides.
    """
    names = [*(KEY + name for name in within), *(HASH + column.name for column in columns)]
    if not names:
        return pl.DataFrame(schema={A: pl.UInt32, B: pl.UInt32})
    a, b = same_types(a, b, names)
    one = a.sort(ROW).select(pl.col(ROW).alias(A), *names, pl.int_range(pl.len()).over(names).alias("\x00n"))
    other = b.sort(ROW).select(pl.col(ROW).alias(B), *names, pl.int_range(pl.len()).over(names).alias("\x00n"))
    return one.join(other, on=[*names, "\x00n"], how="inner", nulls_equal=True).select(A, B)
