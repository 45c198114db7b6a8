"""Parquet files that are written whole, say themselves what they are, and notice when they are damaged."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from curate.dataset.files import atomic_write

FINGERPRINT = b"curate.fingerprint"
"""Metadata key: what this shard was made from (input bytes, options, stage version)."""


def part_name(index: int) -> str:
    """File name of shard `index`."""
    return f"part-{index:05d}.parquet"


def write_table(path: Path, table: pa.Table, metadata: dict[bytes, bytes] | None = None) -> None:
    """Write a table atomically; the same table and metadata always give the same bytes.

    Pages carry checksums, so that a flipped bit is found when the file is read.
    """
    if metadata:
        table = table.replace_schema_metadata({**(table.schema.metadata or {}), **metadata})
    with atomic_write(path) as stream:
        pq.write_table(table, stream, compression="zstd", compression_level=3, write_page_checksum=True)


def read_table(path: Path, columns: list[str] | None = None) -> pa.Table:
    """Read a shard.

    Raises:
        OSError: a page does not fit its checksum.
    """
    with pq.ParquetFile(path, page_checksum_verification=True) as file:
        return file.read(columns=columns)


def read_metadata(path: Path) -> dict[bytes, bytes] | None:
    """Read what the shard says of itself; None where the file is missing or its footer is damaged."""
    try:
        return dict(pq.read_schema(path).metadata or {})
    except (OSError, pa.ArrowInvalid):
        return None
