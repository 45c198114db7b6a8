"""Parquet files as one table: scanned whole, or single rows by number, one batch in memory at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

BATCH = 16_384
"""Rows of a batch."""
_PIECE = 32 << 20
"""Bytes of row groups, uncompressed, that are scanned at once."""

RowNumbers = npt.NDArray[np.int64]


class ParquetTable:
    """The rows of some Parquet files, one after the other.

    Args:
        files: The files; a column that some of them lack is null there.
        empty: The schema where there are no files.

    Raises:
        pa.ArrowInvalid, OSError: a file is damaged, or their schemas do not fit together.
    """

    def __init__(self, files: Sequence[Path], empty: pa.Schema) -> None:
        self.files = list(files)
        schemas = [pq.read_schema(file).remove_metadata() for file in self.files]
        self._alike = all(schema.equals(schemas[0]) for schema in schemas)
        self.schema: pa.Schema = pa.unify_schemas(schemas, promote_options="permissive") if schemas else empty
        self.counts = [int(pq.read_metadata(file).num_rows) for file in self.files]

    @property
    def types(self) -> dict[str, pl.DataType]:
        """Columns and their types."""
        return dict(_polars(self.schema.empty_table()).schema)

    def batches(self, columns: Sequence[str]) -> Iterator[tuple[int, pl.DataFrame]]:
        """Give all rows, and the number of the first one of each batch."""
        for first, batch in self._arrow_batches(columns, None):
            yield first, _polars(batch)

    def scans(self) -> Iterator[tuple[int, pl.LazyFrame]] | None:
        """All rows for Polars' streaming engine, piece by piece, and the number of the first one of each.

        Polars maps a file into memory while it scans it; so a large one is scanned in several goes.

        Returns:
            None where the files have different schemas, or there are none.
        """
        return self._pieces() if self.files and self._alike else None

    def _pieces(self) -> Iterator[tuple[int, pl.LazyFrame]]:
        first, whole, size, rows = 0, list[Path](), 0, 0
        for file, count in zip(self.files, self.counts, strict=True):
            cuts = list(_cuts(pq.read_metadata(file)))
            if len(cuts) == 1:
                whole, size, rows = [*whole, file], size + cuts[0][2], rows + count
            if whole and (size >= _PIECE or len(cuts) > 1):
                yield first, pl.scan_parquet(whole, glob=False)
                first, whole, size, rows = first + rows, [], 0, 0
            if len(cuts) > 1:
                for start, length, _ in cuts:
                    yield first + start, pl.scan_parquet(file, glob=False).slice(start, length)
                first += count
        if whole:
            yield first, pl.scan_parquet(whole, glob=False)

    def head(self, rows: int, columns: Sequence[str]) -> pl.DataFrame:
        """The first rows."""
        found: list[pa.Table] = []
        for _, batch in self._arrow_batches(columns, None, max(1, rows)):
            found.append(batch)
            if sum(map(len, found)) >= rows:
                break
        empty = pa.schema([self.schema.field(name) for name in columns]).empty_table()
        return _polars(pa.concat_tables([empty, *found]).slice(0, rows))

    def take(self, *wanted: tuple[RowNumbers, Sequence[str]]) -> list[pl.DataFrame]:
        """Give rows by ascending number, without touching row groups that hold none of them; read once for all.

        Args:
            wanted: Row numbers and the columns of them, as often as needed.
        """
        columns = list(dict.fromkeys(name for _, names in wanted for name in names))
        rows = np.unique(np.concatenate([numbers for numbers, _ in wanted])) if wanted else np.zeros(0, np.int64)
        found = [[pa.schema([self.schema.field(name) for name in names]).empty_table()] for _, names in wanted]
        for first, batch in self._arrow_batches(columns, rows):
            for parts, (numbers, names) in zip(found, wanted, strict=True):
                start, end = np.searchsorted(numbers, [first, first + len(batch)])
                if end > start:
                    parts.append(batch.select(list(names)).take(pa.array(numbers[start:end] - first)))
        return [_polars(pa.concat_tables(parts)) for parts in found]

    def _arrow_batches(
        self, columns: Sequence[str], wanted: RowNumbers | None, size: int = BATCH
    ) -> Iterator[tuple[int, pa.Table]]:
        """Batches as Arrow tables of the common schema, each with the number of its first row."""
        target = pa.schema([self.schema.field(name) for name in columns])
        first = 0
        for file, count in zip(self.files, self.counts, strict=True):
            if wanted is None or _any_within(wanted, first, first + count):
                yield from self._of_file(file, first, target, wanted, size)
            first += count

    def _of_file(
        self, file: Path, first: int, target: pa.Schema, wanted: RowNumbers | None, size: int
    ) -> Iterator[tuple[int, pa.Table]]:
        with pq.ParquetFile(file, pre_buffer=False) as parquet:
            there = [name for name in target.names if name in parquet.schema_arrow.names]
            for group in range(parquet.num_row_groups):
                rows = parquet.metadata.row_group(group).num_rows
                if wanted is None or _any_within(wanted, first, first + rows):
                    place = first
                    for batch in parquet.iter_batches(size, row_groups=[group], columns=there):
                        yield place, _fitted(batch, target)
                        place += batch.num_rows
                first += rows


def _cuts(metadata: pq.FileMetaData) -> Iterator[tuple[int, int, int]]:
    """Put row groups together until they are large enough; give their first row, their rows and their bytes."""
    first = rows = size = 0
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        rows, size = rows + group.num_rows, size + group.total_byte_size
        if size >= _PIECE or number == metadata.num_row_groups - 1:
            yield first, rows, size
            first, rows, size = first + rows, 0, 0
    if not metadata.num_row_groups:
        yield 0, 0, 0


def _any_within(rows: RowNumbers, first: int, end: int) -> bool:
    start, stop = np.searchsorted(rows, [first, end])
    return bool(stop > start)


def _fitted(batch: pa.RecordBatch, target: pa.Schema) -> pa.Table:
    table = pa.Table.from_batches([batch]).replace_schema_metadata(None)
    if table.schema.equals(target):
        return table
    columns = [
        table[field.name].cast(field.type) if field.name in table.column_names else pa.nulls(len(table), field.type)
        for field in target
    ]
    return pa.Table.from_arrays(columns, schema=target)


def _polars(table: pa.Table) -> pl.DataFrame:
    frame: Any = pl.from_arrow(table, rechunk=False)
    assert isinstance(frame, pl.DataFrame)
    frame.columns = table.column_names  # a column without a name would get one
    return frame
