"""Reads datasets that curate wrote: records stay as they are, uid and OCR text included."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from curate import records
from curate.dataset.files import content_hash, digest
from curate.errors import InputError
from curate.ingest.codes import CODES, VERSION
from curate.ingest.pictures import PictureFacts
from curate.pipeline.batch import Batch
from curate.pipeline.source import Position, Source, SourceShard

_AT_ONCE = 65_536
"""Rows that are read at once; shards are cut from what was read."""
_STAGE = re.compile(r"\d+-.+")


def find_files(path: Path) -> list[Path]:
    """Parquet files of a file, a folder, a stage's folder or a run (its last stage that has rows); may be none."""
    if path.is_file():
        return [path]
    for folder in (path / "rows", path):
        if files := sorted(folder.glob("*.parquet")):
            return files
    stages = sorted((name for name in path.iterdir() if _STAGE.fullmatch(name.name)), key=lambda name: name.name)
    return next((files for stage in reversed(stages) if (files := sorted((stage / "rows").glob("*.parquet")))), [])


def is_own(file: Path) -> bool:
    """Whether a Parquet file holds records of curate.

    Raises:
        InputError: of another version.
    """
    try:
        schema = pq.read_schema(file)
    except (OSError, pa.ArrowInvalid):
        return False
    if schema.names != records.SCHEMA.names:
        return False
    version = (schema.metadata or {}).get(b"curate.record", str(records.VERSION).encode()).decode()
    if version != str(records.VERSION):
        raise InputError(
            f"{file}: written by a version of curate with record schema {version}, this one reads {records.VERSION}"
        )
    return True


class OwnSource(Source):
    """Records of one or more Parquet files of `records.SCHEMA`. Offsets count records."""

    codes = CODES
    version = VERSION
    format = "parquet"

    def __init__(
        self, files: list[Path], pictures: PictureFacts, shard_rows: int, made_folders: tuple[Path, ...] = ()
    ) -> None:
        self.image_root = pictures.root
        self.made_folders = made_folders
        self._files = files
        self._pictures = pictures
        self._shard_rows = shard_rows
        self._counts = [row_count(file) for file in files]
        self._fingerprint: str | None = None

    def fingerprint(self) -> str:
        """Hash of the bytes of all files, in order."""
        if self._fingerprint is None:
            self._fingerprint = digest([content_hash(file) for file in self._files])
        return self._fingerprint

    def rows_hint(self) -> int:
        """Give the number of records."""
        return sum(self._counts)

    def signature(self) -> dict[str, Any]:
        """Version and cutting."""
        return {"version": self.version, "format": "curate", "shard_rows": self._shard_rows}

    def layout(self) -> dict[str, str]:
        """The raw texts are written back as JSON lines; the source that they came from is not known any more."""
        return {"head": "", "separator": "\n", "tail": "\n", "name": "source.jsonl"}

    def pictures_digest(self, paths: Sequence[str]) -> str:
        """Hash of the contents of pictures."""
        return self._pictures.digest(paths)

    def shards(self, start: Position, seen: Iterable[str]) -> Iterator[SourceShard]:
        """Read on from `start`; ids are not compared, because copies of a record keep its source id."""
        offset, index = start
        pending: list[pa.Table] = []
        for table in self._tables(offset):
            pending.append(table)
            while sum(map(len, pending)) >= self._shard_rows:
                joined = pa.concat_tables(pending)
                index += self._shard_rows
                yield self._shard(joined.slice(0, self._shard_rows), Position(index, index))
                pending = [joined.slice(self._shard_rows)]
        rest = sum(map(len, pending))
        if rest:
            yield self._shard(pa.concat_tables(pending), Position(index + rest, index + rest))

    def _tables(self, offset: int) -> Iterator[pa.Table]:
        passed = 0
        for file, rows in zip(self._files, self._counts, strict=True):
            if passed + rows > offset:
                skip = max(0, offset - passed)
                try:
                    with pq.ParquetFile(file, page_checksum_verification=True) as parquet:
                        for batch in parquet.iter_batches(min(self._shard_rows, _AT_ONCE)):
                            if skip < batch.num_rows:
                                yield pa.Table.from_batches([batch.slice(skip)]).cast(records.SCHEMA)
                            skip = max(0, skip - batch.num_rows)
                except (OSError, pa.ArrowInvalid) as error:
                    raise InputError(f"{file}: damaged; copy it again or make it again ({error})") from error
            passed += rows

    def _shard(self, table: pa.Table, position: Position) -> SourceShard:
        table = table.combine_chunks()
        batch = Batch(table, "ingest", self.codes)
        for row, what in records.violations(table):
            batch.fail(row, "invalid_record", what)
        return SourceShard(batch, position)


def row_count(file: Path) -> int:
    """Number of records in a Parquet file.

    Raises:
        InputError: it is damaged.
    """
    try:
        return int(pq.read_metadata(file).num_rows)
    except (OSError, pa.ArrowInvalid) as error:
        raise InputError(f"{file}: this Parquet file is damaged or cut off; copy it again ({error})") from error
