"""Files that rows are written to one by one: JSON arrays, JSON lines, and Parquet with pictures in it."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

Row = dict[str, Any]

IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
"""A picture as `datasets` stores it."""

_GROUP_ROWS = 1000
_GROUP_BYTES = 64 << 20
"""A row group is closed at this many rows or bytes of pictures, whichever comes first: this much is in memory."""


class RowWriter(ABC):
    """One file of an export; rows are counted from 0."""

    def __init__(self) -> None:
        self.rows = 0

    @abstractmethod
    def add(self, row: Row) -> None:
        """Write one row."""

    @abstractmethod
    def close(self) -> None:
        """Finish the file."""


class JsonArray(RowWriter):
    """A JSON array, a row a line, or indented as MIRE's files are."""

    def __init__(self, path: Path, indent: int | None = None) -> None:
        super().__init__()
        self._stream = open(path, "wb")  # noqa: SIM115  closed by `close`
        self._indent = indent

    def add(self, row: Row) -> None:
        """Write one row."""
        text = json.dumps(row, ensure_ascii=False, indent=self._indent)
        if self._indent:
            pad = " " * self._indent
            text = "\n".join(pad + line for line in text.split("\n"))
        self._stream.write((("[\n" if self.rows == 0 else ",\n") + text).encode("utf-8"))
        self.rows += 1

    def close(self) -> None:
        """Finish the file."""
        self._stream.write(b"\n]" if self._indent else b"\n]\n")
        self._stream.close()


class JsonLines(RowWriter):
    """A row a line."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._stream = open(path, "wb")  # noqa: SIM115  closed by `close`

    def add(self, row: Row) -> None:
        """Write one row."""
        self._stream.write((json.dumps(row, ensure_ascii=False) + "\n").encode("utf-8"))
        self.rows += 1

    def close(self) -> None:
        """Finish the file."""
        self._stream.close()


class ParquetRows(RowWriter):
    """Parquet with a fixed schema; columns of `IMAGE` are pictures to `datasets`, structs to others."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        super().__init__()
        features = {field.name: _feature(field.type) for field in schema}
        metadata = {b"huggingface": json.dumps({"info": {"features": features}}).encode()}
        self._schema = schema.with_metadata(metadata)
        self._writer = pq.ParquetWriter(path, self._schema, compression="zstd")
        self._waiting: list[Row] = []
        self._bytes = 0

    def add(self, row: Row) -> None:
        """Write one row."""
        self._waiting.append(row)
        pictures = row.get("images") or row.get("image") or ()
        self._bytes += sum(len(one["bytes"]) for one in pictures if isinstance(one, Mapping))
        self.rows += 1
        if len(self._waiting) >= _GROUP_ROWS or self._bytes >= _GROUP_BYTES:
            self._flush()

    def close(self) -> None:
        """Finish the file."""
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if self._waiting:
            self._writer.write_table(pa.Table.from_pylist(self._waiting, schema=self._schema))
        self._waiting, self._bytes = [], 0


def _feature(kind: pa.DataType) -> Any:
    """The feature that `datasets` gives an Arrow type; lists in the form that versions 3, 4 and 5 read."""
    if kind == IMAGE:
        return {"_type": "Image"}
    if pa.types.is_list(kind):
        return [_feature(kind.value_type)]
    if pa.types.is_struct(kind):
        return {field.name: _feature(field.type) for field in kind}
    return {"dtype": str(kind).replace("double", "float64"), "_type": "Value"}


class SplitFiles:
    """One file for each split, opened when its first row comes.

    Args:
        open_file: Opens the file of a split.
    """

    def __init__(self, open_file: Callable[[str], RowWriter]) -> None:
        self._open = open_file
        self._files: dict[str, RowWriter] = {}

    def add(self, split: str, row: Row) -> int:
        """Write a row; give its number in its file, from 0."""
        if split not in self._files:
            self._files[split] = self._open(split)
        self._files[split].add(row)
        return self._files[split].rows - 1

    def close(self) -> None:
        """Finish all files."""
        for file in self._files.values():
            file.close()
