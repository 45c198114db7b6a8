"""JSON of any shape as temporary Parquet: one column for each key, one JSON text for each cell.

Also records of any source that curate can ingest, so that a raw file can be held against a run.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from curate import records
from curate.dataset.pictures import PictureStore
from curate.diff.cells import cell, picture_paths, storable
from curate.diff.table import BAD
from curate.errors import InputError, RowError
from curate.pipeline import registry
from curate.pipeline.source import InputOptions, Position, RawFile

_CHUNK = 8192
"""Records that are held in memory at a time."""
PICTURE_COLUMNS = ("images", "image", "file_name", "image_path", "image_paths", "picture", "pictures")
_TRIED = 64


@dataclass
class Spooled:
    """Temporary Parquet files, and what was learnt while they were written."""

    folder: tempfile.TemporaryDirectory[str]
    files: list[Path] = field(default_factory=list)
    kinds: dict[str, set[str]] = field(default_factory=dict)
    """Names of the Python types of the values of each column."""
    bad: int = 0
    digests: dict[str, dict[str, str]] = field(default_factory=dict)
    """SHA-256 of picture files, by column and path."""

    @property
    def scalars(self) -> dict[str, pl.DataType]:
        """Columns of texts, numbers or truth values alone."""
        found: dict[str, pl.DataType] = {}
        for name, kinds in self.kinds.items():
            seen = kinds - {"NoneType"}
            if seen == {"str"}:
                found[name] = pl.String()
            elif seen == {"bool"}:
                found[name] = pl.Boolean()
            elif seen and seen <= {"int", "float"}:
                found[name] = pl.Float64() if "float" in seen else pl.Int64()
        return found


def open_raw(path: Path) -> RawFile:
    """Open a JSON or JSONL file.

    Raises:
        InputError: it is neither; the message says what it is.
    """
    found: RawFile = registry.load(registry.OPEN_FILE)(path)
    return found


def spool_json(files: Sequence[tuple[Path, str | None]], pictures: PictureStore) -> Spooled:
    """Write JSON files to temporary Parquet.

    Args:
        files: Each with the split that its name says, or None; the split fills records that have none.
        pictures: Where picture files are looked for.
    """
    spooled = Spooled(tempfile.TemporaryDirectory(prefix="curate-diff-"))
    for number, chunk in enumerate(_chunks(_records(files, spooled))):
        target = Path(spooled.folder.name) / f"part-{number:05d}.parquet"
        _digest_pictures(chunk, pictures, spooled, first=number == 0)
        pq.write_table(_table(chunk, spooled), target, compression="zstd", compression_level=1)
        spooled.files.append(target)
    if not spooled.files:
        raise InputError(f"{files[0][0]}: there is no record in this file")
    _same_columns(spooled)
    return spooled


def _records(files: Sequence[tuple[Path, str | None]], spooled: Spooled) -> Iterator[dict[str, Any]]:
    for path, split in files:
        for item in open_raw(path).slices(Position()):
            if isinstance(item.value, dict):
                value = item.value
                value = {storable(name): one for name, one in value.items()}
                yield {**value, "split": split} if split is not None and value.get("split") is None else value
            else:
                spooled.bad += 1
                yield {BAD: storable(item.raw.strip())}


def _chunks(found: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    chunk: list[dict[str, Any]] = []
    for one in found:
        chunk.append(one)
        if len(chunk) == _CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _table(chunk: list[dict[str, Any]], spooled: Spooled) -> pa.Table:
    names = {str(name): None for one in chunk for name in one}
    columns: dict[str, list[str | None]] = {name: [] for name in names}
    for name, cells in columns.items():
        kinds = spooled.kinds.setdefault(name, set())
        for one in chunk:
            if name in one:
                value = storable(one[name]) if isinstance(one[name], str) else one[name]
                kinds.add(type(value).__name__)
                cells.append(cell(value))
            else:
                cells.append(None)
    return pa.table({name: pa.array(cells, pa.string()) for name, cells in columns.items()})


def _same_columns(spooled: Spooled) -> None:
    """Give every part all columns in one order, those that it lacks empty: Parquet readers want it so."""
    names = list(spooled.kinds)
    for file in spooled.files:
        table = pq.read_table(file)
        if table.column_names != names:
            full = {
                name: table[name] if name in table.column_names else pa.nulls(len(table), pa.string()) for name in names
            }
            pq.write_table(pa.table(full), file, compression="zstd", compression_level=1)


def _digest_pictures(chunk: list[dict[str, Any]], pictures: PictureStore, spooled: Spooled, *, first: bool) -> None:
    """Hash the picture files that the records name, so that a picture is compared by what it holds."""
    if first:
        spooled.digests = {
            name: {} for name in PICTURE_COLUMNS if _finds_any(pictures, [one.get(name) for one in chunk[:_TRIED]])
        }
    for name, known in spooled.digests.items():
        new = {path for one in chunk for path in picture_paths(one.get(name)) if path not in known}
        known.update(_digests(sorted(new), pictures))


def digest_column(paths: list[str], pictures: PictureStore) -> dict[str, str]:
    """Hash the picture files that a column of paths names; nothing where it names none of the first ones."""
    return _digests(paths, pictures) if _finds_any(pictures, paths[:_TRIED]) else {}


def _digests(paths: list[str], pictures: PictureStore) -> dict[str, str]:
    with ThreadPoolExecutor(4) as threads:
        found = zip(paths, threads.map(lambda one: _digest(pictures, one), paths), strict=True)
        return {path: digest for path, digest in found if digest is not None}


def _finds_any(pictures: PictureStore, values: list[Any]) -> bool:
    paths = [path for value in values for path in picture_paths(value)]
    return any(_digest(pictures, path) is not None for path in paths[:_TRIED])


def _digest(pictures: PictureStore, path: str) -> str | None:
    try:
        return hashlib.sha256(pictures.read(path)).hexdigest()
    except RowError:
        return None


def spool_records(options: InputOptions) -> tuple[Spooled, Any]:
    """Read a source as records, the bad ones included, into temporary Parquet; give the source, too."""
    source = registry.load(registry.OPEN_SOURCE)(options)
    spooled = Spooled(tempfile.TemporaryDirectory(prefix="curate-diff-"))
    for number, shard in enumerate(source.shards(Position(), ())):
        target = Path(spooled.folder.name) / f"part-{number:05d}.parquet"
        pq.write_table(shard.batch.incoming, target, compression="zstd", compression_level=1)
        spooled.files.append(target)
    if not spooled.files:
        target = Path(spooled.folder.name) / "part-00000.parquet"
        pq.write_table(records.SCHEMA.empty_table(), target)
        spooled.files.append(target)
    return spooled, source
