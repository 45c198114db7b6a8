"""Parquet files that are written whole, say themselves what they are, and notice when they are damaged."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import xxhash

from curate.dataset.files import atomic_write

FINGERPRINT = b"curate.fingerprint"
"""Metadata key: what this shard was made from (input bytes, options, stage version)."""


def part_name(index: int) -> str:
    """File name of shard `index`."""
    return f"part-{index:05d}.parquet"


def write_table(path: Path, table: pa.Table, metadata: dict[bytes, bytes] | None = None) -> str:
    """Write a table atomically and give the hash of the file; the same input always gives the same bytes.

    Pages carry checksums, so that a flipped bit is found when the file is read.
    """
    if metadata:
        table = table.replace_schema_metadata({**(table.schema.metadata or {}), **metadata})
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd", compression_level=3, write_page_checksum=True)
    data = sink.getvalue()
    with atomic_write(path) as stream:
        stream.write(data)
    return xxhash.xxh3_128_hexdigest(data)


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


def remove_shards_from(
    folder: Path, count: int, sides: Sequence[str] = ("rows", "ledger", "dropped", "failed")
) -> None:
    """Remove shards that are left from a longer input."""
    for side in sides:
        for path in sorted((folder / side).glob("part-*.parquet")):
            if int(path.stem.removeprefix("part-")) >= count:
                path.unlink()
