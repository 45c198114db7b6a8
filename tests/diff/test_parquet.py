"""Parquet files scanned piece by piece: every row once, under its own number."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate.diff import parquet
from curate.diff.parquet import ParquetTable


@pytest.mark.parametrize("piece", [1, 60, 300, 1 << 20])
def test_pieces_hold_every_row_under_its_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, piece: int) -> None:
    """Else the changed rows that are read again are other ones than those whose hashes differ."""
    monkeypatch.setattr(parquet, "_PIECE", piece)
    files, first = [], 0
    for number, rows in enumerate((3, 0, 10, 2, 1, 7)):
        files.append(tmp_path / f"{number}.parquet")
        pq.write_table(pa.table({"n": pa.array(range(first, first + rows), pa.int64())}), files[-1], row_group_size=3)
        first += rows
    pieces = ParquetTable(files, pa.schema([])).scans()
    assert pieces is not None
    found = pl.concat([frame.with_row_index("row", start).collect() for start, frame in pieces])
    assert found["n"].to_list() == found["row"].to_list() == list(range(first))
