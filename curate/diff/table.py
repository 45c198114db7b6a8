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
import pyarrow as pa

from curate import records
from curate.dataset.pictures import PictureStore
from curate.diff.cells import MISSING, value_of
from curate.diff.parquet import ParquetTable
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
    suffix: str = ""
    """What stands behind the path: `@ocr`, ` (input)`."""
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
            self.parquet = ParquetTable(self.files, records.SCHEMA)
        except (OSError, pa.ArrowException) as error:
            raise self._unreadable(error) from error
        self.types = self.parquet.types
        self._heads: dict[str, pl.Series] = {}
        if self.where is not None:
            self._check_where(self.where)

    @property
    def name(self) -> str:
        """What it is called in reports: its path as it may be shown, and the step."""
        return self.shown + self.suffix

    def is_input_of(self, other: Table) -> bool:
        """Whether the other side alone, named as a run or step, gives both."""
        return bool(self.suffix) and self.suffix.startswith(f"{other.suffix} (") and self.run == other.run

    @property
    def names(self) -> list[str]:
        """Names of the columns, in order."""
        return list(self.types)

    def collect(self, expressions: Sequence[pl.Expr]) -> pl.DataFrame:
        """Read the whole table once, giving only what the expressions make of each row that was asked for.

        Raises:
            InputError: a file is damaged.
        """
        try:
            pieces = self.parquet.scans()
            if pieces is None or (self.where is not None and self.as_json):
                return self._in_batches(expressions)
            found = []
            for first, piece in pieces:
                frame = piece.with_row_index(ROW, first)
                frame = frame if self.where is None else frame.filter(pl.sql_expr(self.where))
                found.append(frame.select(*expressions).collect(engine="streaming"))
            return pl.concat(found)
        except (OSError, pa.ArrowException, pl.exceptions.PolarsError) as error:
            raise self._unreadable(error) from error

    def _in_batches(self, expressions: Sequence[pl.Expr]) -> pl.DataFrame:
        condition = None if self.where is None else pl.sql_expr(self.where)
        roots = [name for one in expressions for name in one.meta.root_names()]
        names = {*roots, *(condition.meta.root_names() if condition is not None else ())} - {ROW}
        parts = [pl.DataFrame(schema={ROW: pl.UInt32, **self.types}).select(*expressions)]
        for first, batch in self.parquet.batches(sorted(names)):
            numbered = batch.with_row_index(ROW, first)
            kept = numbered if condition is None else numbered.filter(self._kept(batch, condition))
            parts.append(kept.select(*expressions))
        return pl.concat(parts)

    def _kept(self, batch: pl.DataFrame, condition: pl.Expr) -> pl.Series:
        """Which rows a condition keeps; JSON texts are decoded for it."""
        if self.as_json:
            names = sorted(set(condition.meta.root_names()))
            kinds = {name: self.scalars.get(name, pl.String()) for name in names}
            batch = batch.select(pl.col(name).str.json_decode(kind).alias(name) for name, kind in kinds.items())
        return batch.select(condition.alias("kept"))["kept"].fill_null(False)

    def head(self, rows: int, name: str) -> pl.Series:
        """The first values of a column, whatever `where` says."""
        if name not in self._heads or len(self._heads[name]) < rows:
            try:
                self._heads[name] = self.parquet.head(rows, [name])[name]
            except (OSError, pa.ArrowException) as error:
                raise self._unreadable(error) from error
        return self._heads[name].head(rows)

    def paths_of(self, name: str) -> list[str]:
        """The different texts of a column of texts or of lists of them; none where it holds something else."""
        kind: Any = self.types.get(name)
        listed = isinstance(kind, pl.List)
        if not isinstance(kind.inner if listed else kind, pl.String):
            return []
        texts = self.collect([pl.col(name)])[name]
        return sorted((texts.explode() if listed else texts).drop_nulls().unique().to_list())

    def may_have(self, path: str) -> bool:
        """Whether a path as `turns[*].text` leads anywhere; what JSON holds is not known before it is read."""
        top = path.split("[")[0].split(".")[0]
        if self.as_json or path in self.types:
            return True
        kind: Any = self.types.get(top)
        rest = path.removeprefix(top)
        while rest and kind is not None:
            if rest.startswith("[*]") and isinstance(kind, pl.List):
                kind, rest = kind.inner, rest[3:]
            elif rest.startswith(".") and isinstance(kind, pl.Struct):
                name = rest[1:].split("[")[0].split(".")[0]
                kind = next((one.dtype for one in kind.fields if one.name == name), None)
                rest = rest[1 + len(name) :]
            else:
                return False
        return kind is not None

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

    def frames(self, *wanted: tuple[RowNumbers, Sequence[str]]) -> list[pl.DataFrame]:
        """Read rows by number, in ascending order, each with the column ROW; the files are read once for all of it.

        Args:
            wanted: Ascending row numbers (those behind the last row are left out) and columns (those that the table
                does not have are left out).

        Raises:
            InputError: a file is damaged.
        """
        end = sum(self.parquet.counts)
        asked = [
            (rows[rows < end], [name for name in dict.fromkeys(columns) if name in self.types])
            for rows, columns in wanted
        ]
        try:
            found = self.parquet.take(*asked)
        except (OSError, pa.ArrowException, pl.exceptions.PolarsError) as error:
            raise self._unreadable(error) from error
        return [
            frame.insert_column(0, pl.Series(ROW, rows.astype(np.uint32))) if frame.width else pl.DataFrame({ROW: rows})
            for frame, (rows, _) in zip(found, asked, strict=True)
        ]

    def frame(self, rows: RowNumbers, columns: Sequence[str]) -> pl.DataFrame:
        """Read rows by number; as `frames`."""
        return self.frames((rows, columns))[0]

    def read(self, rows: RowNumbers, columns: Sequence[str]) -> dict[int, dict[str, Any]]:
        """Read some rows by number, as Python values; a key that is not there is MISSING.

        Args:
            rows: Ascending row numbers; those behind the last row are left out.
            columns: Which columns; those that the table does not have are MISSING.
        """
        return self.values(self.frame(rows, columns), columns)

    def values(self, found: pl.DataFrame, columns: Sequence[str]) -> dict[int, dict[str, Any]]:
        """Turn what `frame` gave into Python values, row by row."""
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


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
