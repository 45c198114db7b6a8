"""One of the two data sets, whatever it came from: Parquet files with rows in an order, read twice at most.

Parquet is read as it lies. JSON is written to temporary Parquet once, a column for each key, each cell the JSON text of
its value: so a file of any shape has columns, memory stays bounded, and missing, null and "" stay three things.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from curate import records
from curate.dataset.pictures import PictureStore
from curate.diff.cells import MISSING, value_of
from curate.errors import InputError, RowError, UsageError

RowNumbers = npt.NDArray[np.int64]
ROW = "\x00row"
"""Name of the column of row numbers; no column of a file has it."""
BAD = "(unreadable record)"
"""Column that holds the raw text of a record that is no JSON object."""

Format = Literal["parquet", "jsonl", "json", "sharegpt", "imagefolder", "run", "stage"]


@dataclass
class Table:
    """Rows and columns of one side."""

    ref: str
    """As it was asked for."""
    shown: str
    """Its path for people: never absolute."""
    format: Format
    files: list[Path]
    fingerprint: str
    as_json: bool = False
    """Whether every cell is the JSON text of its value."""
    as_records: bool = False
    """Whether the columns are those of `curate.records.SCHEMA`."""
    pictures: PictureStore | None = None
    run: Path | None = None
    step: Path | None = None
    next_step: int = 0
    """Number of the step of the run that these rows go into."""
    where: str | None = None
    bad_records: int = 0
    kept: Any = None
    """Keeps temporary files alive as long as the table."""
    types: dict[str, pl.DataType] = field(default_factory=dict)
    scalars: dict[str, pl.DataType] = field(default_factory=dict)
    """For JSON columns that hold nothing but texts, numbers or truth values: which."""
    digests: dict[str, dict[str, str]] = field(default_factory=dict)
    """For JSON columns that name picture files: their hash by path."""

    def __post_init__(self) -> None:
        try:
            self.types = dict(_scan(self.files).collect_schema())
        except (OSError, pl.exceptions.PolarsError) as error:
            raise self._unreadable(error) from error
        if self.where is not None:
            self._check_where(self.where)

    @property
    def names(self) -> list[str]:
        """Names of the columns, in order."""
        return list(self.types)

    def scan(self) -> pl.LazyFrame:
        """Give the rows that were asked for, lazily, numbered as they stand in the files."""
        frame = _scan(self.files).with_row_index(ROW)
        if self.where is None:
            return frame
        condition = pl.sql_expr(self.where)
        if not self.as_json:
            return frame.filter(condition)
        names = sorted(set(condition.meta.root_names()))
        decoded = [pl.col(name).str.json_decode(self.scalars.get(name, pl.String())).alias(name) for name in names]
        rows = _scan(self.files).with_row_index(ROW).select(ROW, *decoded).filter(condition).select(ROW)
        return frame.join(rows, ROW, "semi")

    def _check_where(self, where: str) -> None:
        try:
            roots = pl.sql_expr(where).meta.root_names()
        except pl.exceptions.PolarsError as error:
            raise UsageError(
                f"--where {where}: {_first_line(error)}; write a condition as in SQL, as in --where \"label = '退款'\""
            ) from error
        unknown = [name for name in roots if name not in self.types]
        if unknown:
            raise UsageError(
                f"--where names the column '{unknown[0]}', which {self.ref} does not have; "
                f"it has: {', '.join(self.names)}"
            )

    def collect(self, expressions: Sequence[pl.Expr]) -> pl.DataFrame:
        """Read the whole table once, giving only what the expressions make of it.

        Raises:
            InputError: a file is damaged.
        """
        try:
            return self.scan().select(*expressions).collect(engine="streaming")
        except (OSError, pl.exceptions.PolarsError) as error:
            raise self._unreadable(error) from error

    def frame(self, rows: RowNumbers, columns: Sequence[str]) -> pl.DataFrame:
        """Read some rows by number, in ascending order, with the column ROW.

        Args:
            rows: Ascending row numbers.
            columns: Which columns; those that the table does not have are left out.
        """
        there = [name for name in dict.fromkeys(columns) if name in self.types]
        first, last = (int(rows[0]), int(rows[-1])) if len(rows) else (0, -1)
        wanted = pl.DataFrame({ROW: rows.astype(np.uint32)}).lazy()
        frame = _scan(self.files).select(there).with_row_index(ROW).slice(first, last - first + 1)
        try:
            if len(rows) == last - first + 1:
                return frame.collect(engine="streaming")
            return frame.join(wanted, ROW, "semi").collect(engine="streaming").sort(ROW)
        except (OSError, pl.exceptions.PolarsError) as error:
            raise self._unreadable(error) from error

    def read(self, rows: RowNumbers, columns: Sequence[str]) -> dict[int, dict[str, Any]]:
        """Read some rows by number, as Python values; a key that is not there is MISSING.

        Args:
            rows: Ascending row numbers; those behind the last row are left out.
            columns: Which columns; those that the table does not have are MISSING.
        """
        found = self.frame(rows, columns)
        values = {name: self.decoded(found[name]) for name in found.columns if name != ROW}
        lost = {name: MISSING for name in columns if name not in self.types}
        numbers = found[ROW].to_list()
        return {
            number: {**{name: cells[place] for name, cells in values.items()}, **lost}
            for place, number in enumerate(numbers)
        }

    def decoded(self, column: pl.Series) -> list[Any]:
        """Cells as Python values."""
        if not self.as_json:
            return column.to_list()
        return [MISSING if text is None else value_of(text) for text in column.to_list()]

    def _unreadable(self, error: Exception) -> InputError:
        where = f" with --where {self.where}" if self.where else ""
        return InputError(f"{self.ref} cannot be read{where}: {_first_line(error)}")

    def picture_file(self, path: str) -> Path | None:
        """Where a picture lies; None where it cannot be found."""
        if self.pictures is None:
            return None
        try:
            return self.pictures.find(path)
        except RowError:
            return None


def _scan(files: Sequence[Path]) -> pl.LazyFrame:
    if not files:  # a step of a run that let no row through
        empty = pl.from_arrow(records.SCHEMA.empty_table())
        assert isinstance(empty, pl.DataFrame)
        return empty.lazy()
    return pl.scan_parquet(list(files), glob=False, missing_columns="insert", extra_columns="raise")


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
