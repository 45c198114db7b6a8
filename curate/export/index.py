"""Which line of an export is which record: predictions come back in the order of the lines, without ids."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from curate.export.sample import Sample

FILE = "index.parquet"

SCHEMA = pa.schema(
    [
        ("file", pa.string()),
        ("line", pa.int64()),
        ("uid", pa.string()),
        ("source_id", pa.string()),
        ("task", pa.string()),
        ("label", pa.string()),
        ("text_tokens", pa.int64()),
        ("image_tokens", pa.int64()),
    ]
)
"""`line` counts from 0; `text_tokens` are an upper bound unless a tokenizer counted them."""

_GROUP_ROWS = 10_000


class IndexWriter:
    """Writes the index row by row."""

    def __init__(self, folder: Path) -> None:
        self._writer = pq.ParquetWriter(folder / FILE, SCHEMA, compression="zstd")
        self._waiting: list[dict[str, Any]] = []

    def add(self, file: str, line: int, sample: Sample) -> None:
        """Say that a line of a file is this sample."""
        record = sample.record
        row = (file, line, record.uid, record.source_id, record.task, record.label)
        row += (sample.text_tokens, sample.image_tokens)  # type: ignore[assignment]
        self._waiting.append(dict(zip(SCHEMA.names, row, strict=True)))
        if len(self._waiting) >= _GROUP_ROWS:
            self._flush()

    def close(self) -> None:
        """Finish the file."""
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if self._waiting:
            self._writer.write_table(pa.Table.from_pylist(self._waiting, schema=SCHEMA))
        self._waiting = []
