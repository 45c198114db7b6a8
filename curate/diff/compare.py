"""The second pass: reads again only what has other hashes, compares it exactly, and counts what differs.

Rows are read in groups of bounded size; a group whose rows lie together, as in two steps of one run, touches only the
row groups of the Parquet files that hold it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from curate.diff.cells import MISSING, text_of
from curate.diff.cellwise import MOST_DECODED, CellComparer
from curate.diff.columns import Column
from curate.diff.kept import Kept, Shown
from curate.diff.pairing import A, B, Pairing
from curate.diff.report import Note
from curate.diff.survey import HASH, Survey
from curate.diff.table import Table
from curate.diff.tally import Tally
from curate.diff.walk import Difference
from curate.records import PLACEHOLDER

GROUP_BYTES = 192 << 20
"""Bytes of Arrow data of one side that are in memory at once."""
_BATCH = 4096
_LONGEST = 100_000

Rows = npt.NDArray[np.int64]
Bits = npt.NDArray[np.bool_]
Names = Callable[[Rows], list[str]]


@dataclass
class Pairs:
    """Matched rows, in the order of A."""

    a: Rows
    b: Rows
    by: npt.NDArray[np.int8]
    """Place in `Pairing.found`."""
    score: npt.NDArray[np.float64]
    changed: Bits
    """Whether the two versions differ; set by `compare`."""
    digits: Bits
    broken: Bits
    """Whether the number of `<image>` does not fit the pictures any more."""
    differs: dict[str, Bits] = field(default_factory=dict)
    """By column: whether the hashes of the cells differ."""

    def __len__(self) -> int:
        return len(self.a)


def pairs_of(pairing: Pairing, a: Survey, b: Survey, columns: Sequence[Column]) -> Pairs:
    """Put the pairs of all rungs together and note which cells have other hashes."""
    parts = [one.pairs.with_columns(pl.lit(place, pl.Int8).alias("\x00by")) for place, one in enumerate(pairing.found)]
    scores = [np.full(len(one.pairs), np.nan) if one.scores is None else one.scores for one in pairing.found]
    empty = pl.DataFrame(schema={A: pl.UInt32, B: pl.UInt32, "\x00by": pl.Int8})
    frame = pl.concat([part.cast({A: pl.UInt32, B: pl.UInt32}) for part in parts]) if parts else empty
    score = np.concatenate(scores) if scores else np.zeros(0)
    order = np.argsort(frame[A].to_numpy(), kind="stable")
    rows_a = frame[A].to_numpy()[order].astype(np.int64)
    rows_b = frame[B].to_numpy()[order].astype(np.int64)
    by = frame["\x00by"].to_numpy()[order]
    size = len(rows_a)
    found = Pairs(rows_a, rows_b, by, score[order], np.zeros(size, bool), np.zeros(size, bool), np.zeros(size, bool))
    place_a, place_b = a.places(rows_a), b.places(rows_b)

    def differs(column: Column) -> Bits:
        left = a.rows[HASH + column.name].to_numpy()[place_a]
        right = b.rows[HASH + column.name].to_numpy()[place_b]
        unequal: Bits = np.not_equal(left, right)
        return unequal

    with ThreadPoolExecutor(2) as threads:
        for column, bits in zip(columns, threads.map(differs, columns), strict=True):
            found.differs[column.name] = bits
    return found


@dataclass
class Comparison:
    """What the second pass found."""

    tally: Tally
    shown: Shown = field(default_factory=dict)
    """Rows to show, with their differences."""
    alone: tuple[pl.DataFrame, pl.DataFrame] | None = None
    """Rows that are on one side only, as they were asked for."""
    warnings: list[Note] = field(default_factory=list)


Wanted = tuple[Rows, Sequence[str]]
"""Ascending row numbers and columns."""


_NOTHING: tuple[Wanted, Wanted] = ((np.zeros(0, np.int64), ()), (np.zeros(0, np.int64), ()))


class Comparer:
    """Compares the pairs whose hashes differ.

    Args:
        cells: Compares cells.
        columns: What is compared.
        names: Gives the names of pairs at some places: uid or key.
        kept: Where rows to show are kept.
        when_read: Called as soon as rows were read, and one core is enough for what follows.
    """

    def __init__(
        self,
        a: Table,
        b: Table,
        cells: CellComparer,
        columns: Sequence[Column],
        names: Names,
        kept: Kept,
        when_read: Callable[[], None] = lambda: None,
    ) -> None:
        self._a, self._b = a, b
        self._cells = cells
        self._columns = list(columns)
        self._names = names
        self._kept = kept
        self._when_read = when_read

    def compare(self, pairs: Pairs, alone: tuple[Wanted, Wanted]) -> Comparison:
        """Compare all pairs of which any cell has another hash; mark those that really differ.

        Args:
            pairs: The pairs.
            alone: Rows of A and of B that are read on the way.
        """
        any_differs = np.zeros(len(pairs), bool)
        for bits in pairs.differs.values():
            any_differs |= bits
        found = Comparison(self._cells.tally)
        for group in self._groups(pairs, np.flatnonzero(any_differs)):
            self._group(pairs, group, alone if found.alone is None else _NOTHING, found)
        found.shown = self._kept.chosen()
        if self._cells.decoded >= MOST_DECODED:
            text = f"only {MOST_DECODED:,} changed pictures were decoded; others may be re-encoded or not"
            found.warnings.append(Note(code="pictures_unchecked", text=text))
        return found

    def _groups(self, pairs: Pairs, places: Rows) -> list[Rows]:
        """Cut places into groups whose cells fit into memory; at least one group, of nothing."""
        names = [column.source for column in self._columns if pairs.differs[column.name].any()]
        rows = max(1, int(GROUP_BYTES / max(1.0, _row_bytes(self._a, names))))
        return [places[start : start + rows] for start in range(0, max(1, len(places)), rows)]

    def _group(self, pairs: Pairs, places: Rows, alone: tuple[Wanted, Wanted], found: Comparison) -> None:
        columns = [column for column in self._columns if pairs.differs[column.name][places].any()]
        sources = [column.source for column in columns]
        order = np.argsort(pairs.b[places], kind="stable")
        with ThreadPoolExecutor(2) as threads:
            one = threads.submit(self._a.frames, (pairs.a[places], sources), alone[0])
            other = threads.submit(self._b.frames, (pairs.b[places][order], sources), alone[1])
            (frame_a, alone_a), (frame_b, alone_b) = one.result(), other.result()
        self._when_read()
        if found.alone is None:
            found.alone = (alone_a, alone_b)
        back = np.empty(len(places), np.int64)
        back[order] = np.arange(len(places))
        for start in range(0, len(places), _BATCH):
            end = start + _BATCH
            self._batch(pairs, places[start:end], columns, frame_a[start:end], frame_b[back[start:end]])

    def _batch(
        self, pairs: Pairs, places: Rows, columns: Sequence[Column], before: pl.DataFrame, after: pl.DataFrame
    ) -> None:
        """Compare some pairs; the frames hold their rows, in their order."""
        found: list[list[Difference]] = [[] for _ in places]
        for column in columns:
            inside = np.flatnonzero(pairs.differs[column.name][places])
            one, other = before[column.source].gather(inside), after[column.source].gather(inside)
            for place, differences in zip(inside.tolist(), self._cells.compare_all(column, one, other), strict=True):
                found[place] += differences
                self._cells.tally.add_column(column.name, column.compared_as, differences)
        pairs_of_texts = [
            (_text(one.before), _text(one.after))
            for differences in found
            for one in differences
            if not one.column.startswith("images[*].ocr")  # what is read in a picture was in it before
        ]
        self._cells.tally.add_personal(*map(list, zip(*pairs_of_texts, strict=True)) if pairs_of_texts else ([], []))
        names = self._names(places)
        for place, name, differences in zip(places.tolist(), names, found, strict=True):
            if differences:
                self._cells.tally.add(differences)
                counted = [one for one in differences if not one.ignored]
                if counted:
                    mark(pairs, place, counted)
                    self._kept.offer(place, name, counted)


def _row_bytes(table: Table, names: Sequence[str]) -> float:
    """Bytes of Arrow data that some columns of a row take, from what Parquet says of them; twice that, to be safe."""
    import pyarrow.parquet as pq

    size, rows = 0, 0
    for file in table.files:
        metadata = pq.read_metadata(file)
        rows += metadata.num_rows
        for group in range(metadata.num_row_groups):
            columns = metadata.row_group(group)
            for number in range(columns.num_columns):
                column = columns.column(number)
                if column.path_in_schema.split(".")[0] in names:
                    size += column.total_uncompressed_size
    return 2 * size / max(1, rows)


def mark(pairs: Pairs, place: int, differences: Sequence[Difference]) -> None:
    """Note that the pair at a place differs, and whether in what worries."""
    pairs.changed[place] = True
    pairs.digits[place] = any(one.change == "digits" for one in differences)
    pairs.broken[place] = _breaks_pictures(differences)


def _text(value: Any) -> str:
    """The texts in a value, of at most 100,000 characters."""
    return value if isinstance(value, str) else text_of(value)[:_LONGEST]


def _breaks_pictures(differences: Sequence[Difference]) -> bool:
    """Whether the number of `<image>` in the texts changed, and not by as many as there are pictures more or fewer.

    All texts of a row count together: a placeholder may move to another turn.
    """
    texts = [one for one in differences if one.compared_as not in ("image", "boxes")]
    marks = sum(_text(one.after).count(PLACEHOLDER) - _text(one.before).count(PLACEHOLDER) for one in texts)
    pictures = [one for one in differences if one.compared_as == "image"]
    return marks != 0 and marks != sum((one.before is MISSING) - (one.after is MISSING) for one in pictures)
