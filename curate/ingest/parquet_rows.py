"""Rows of a Parquet file that some other program wrote."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from curate.dataset.files import content_hash
from curate.errors import InputError, RowError
from curate.ingest.codes import RECORD_LIMIT
from curate.ingest.slices import MAX_DEPTH, SHOWN, Slice, is_too_deep
from curate.pipeline.source import Position

_BATCH = 256
_AT_ONCE = 128 << 20
"""Bytes that the rows read at once may have, however often they share one value (see `_rows_at_once`)."""


class ParquetRows:
    """Rows of a Parquet file. Offsets count rows; a slice's raw text is the row as JSON."""

    kind = "parquet"

    def __init__(self, path: Path, limit: int = RECORD_LIMIT) -> None:
        self.path = path
        self.limit = limit
        try:
            with pq.ParquetFile(path) as file:
                self.rows: int = file.metadata.num_rows
                self.names: list[str] = file.schema_arrow.names
        except (OSError, pa.ArrowInvalid) as error:
            raise InputError(f"{path}: this Parquet file is damaged or cut off; copy it again ({error})") from error

    def fingerprint(self) -> str:
        """Hash of the file's bytes."""
        return content_hash(self.path)

    def learn(self, keys: frozenset[str]) -> None:
        """Rows need no help to find the next record."""

    def count(self, sizes: list[int]) -> int:
        """Give the number of rows."""
        return self.rows

    def layout(self) -> dict[str, str]:
        """Rows are written back as JSON lines, because Parquet bytes cannot be cut at rows."""
        return {"head": "", "separator": "\n", "tail": "\n", "name": "source.jsonl"}

    def slices(self, start: Position) -> Iterator[Slice]:
        """Give the rows from `start` on.

        Raises:
            InputError: a page is damaged.
        """
        index = start.offset
        try:
            with pq.ParquetFile(self.path, page_checksum_verification=True) as file:
                for batch in _batches(file, start.offset):
                    for row in _rows(batch, self.limit):
                        index += 1
                        yield self._slice(row, index)
        except (OSError, pa.ArrowInvalid) as error:
            raise InputError(f"{self.path}: damaged behind row {index}; copy the file again ({error})") from error

    def _slice(self, row: dict[str, Any] | RowError, following: int) -> Slice:
        if isinstance(row, RowError):
            return Slice("", None, row, following)
        try:
            raw = orjson.dumps(row, default=_plain, option=orjson.OPT_NON_STR_KEYS).decode("utf-8")
        except (TypeError, orjson.JSONEncodeError):
            return Slice("", None, RowError("bad_json", "the row has values that JSON cannot hold"), following)
        if len(raw) > self.limit:
            return Slice(raw[:SHOWN], None, RowError("record_too_large", f"more than {self.limit} bytes"), following)
        failure = RowError("too_deep", f"more than {MAX_DEPTH} levels") if is_too_deep(row) else None
        return Slice(raw, row, failure, following)


def _batches(file: pq.ParquetFile, start: int) -> Iterator[pa.RecordBatch]:
    """Batches from row `start` on, without reading the row groups before it."""
    passed = 0
    for group in range(file.num_row_groups):
        rows = file.metadata.row_group(group).num_rows
        if passed + rows > start:
            skip = max(0, start - passed)
            for batch in file.iter_batches(_rows_at_once(file.metadata.row_group(group)), row_groups=[group]):
                if skip < batch.num_rows:
                    yield batch.slice(skip)
                skip = max(0, skip - batch.num_rows)
        passed += rows


def _rows_at_once(group: pq.RowGroupMetaData) -> int:
    """As many rows as fit into the bounds at the worst.

    A value that rows share stands in the file once and in memory as often as there are rows: some kilobytes of file
    can be terabytes. No value is larger than its column in the row group, so the largest column bounds them all.
    """
    largest = max((group.column(number).total_uncompressed_size for number in range(group.num_columns)), default=0)
    return max(1, min(_BATCH, _AT_ONCE // max(1, largest)))


def _rows(batch: pa.RecordBatch, limit: int) -> Iterator[dict[str, Any] | RowError]:
    try:
        if batch.nbytes <= limit:
            yield from batch.to_pylist()
            return
    except UnicodeDecodeError:
        pass  # one bad string spoils the conversion of all rows
    for number in range(batch.num_rows):
        row = batch.slice(number, 1)
        if row.nbytes > limit:
            yield RowError("record_too_large", f"more than {limit} bytes")
            continue
        try:
            yield row.to_pylist()[0]
        except UnicodeDecodeError:
            yield RowError("not_utf8")


def _plain(value: Any) -> Any:
    if isinstance(value, (bytes, bytearray)):
        return f"{len(value)} bytes, sha256 {hashlib.sha256(value).hexdigest()}"
    return str(value)
