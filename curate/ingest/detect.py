"""Opens a source: finds its container, its dialect, its pictures and its labels."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, get_args

from curate.dataset.dataset import Dataset
from curate.dataset.url import url_of
from curate.errors import InputError
from curate.ingest import folder, own, sniff
from curate.ingest.dialects import Dialect, alpaca, mire, openai, plain, sharegpt
from curate.ingest.json_array import JsonArray
from curate.ingest.jsonl import JsonLines
from curate.ingest.parquet_rows import ParquetRows
from curate.ingest.parts import glimpse
from curate.ingest.pictures import PictureFacts
from curate.ingest.reader import RecordSource
from curate.ingest.remote import at_hand
from curate.ingest.slices import Container
from curate.labels.registry import Registry
from curate.pipeline.source import Format, InputOptions, Position, Source

DIALECTS = (mire.DIALECT, sharegpt.DIALECT, openai.DIALECT, alpaca.DIALECT, plain.DIALECT)
"""In the order in which they are tried."""

CONTAINERS: dict[str, Callable[[Path], Container]] = {"json": JsonArray, "jsonl": JsonLines, "parquet": ParquetRows}

SAMPLE = 64
"""Records at the beginning that are looked at."""
SHARDS = 64
"""Shards that `shard_rows: auto` makes of many records."""
FEWEST_ROWS, MOST_ROWS = 16, 4096


class _Sample(NamedTuple):
    objects: list[Mapping[str, Any]]
    sizes: list[int]
    failures: list[str]
    """Why records are no good JSON objects, each with its number."""


def open_source(options: InputOptions) -> Source:
    """Open a source of records.

    Raises:
        InputError: there is nothing that can be read; the message says what is there and how to go on.
        UsageError: the label registry cannot be used.
    """
    options = at_hand(options)
    path = options.path
    if not path.exists() and "@" in path.name:
        path = Dataset.open(path).folder_read
        options = options.model_copy(update={"path": path})
    if not path.exists():
        raise InputError(f"{path}: there is no such file or folder{_similar(path)}")
    if not path.is_file() and not path.is_dir():
        raise InputError(f"{path}: this is neither a file nor a folder but a pipe or device; save it to a file first")
    if options.images is not None and not url_of(options.images) and not options.images.is_dir():
        raise InputError(f"{options.images}: the folder of pictures does not exist (--images or input.images)")
    registry = Registry.load(options.labels) if options.labels else None
    try:
        return _open_folder(options, registry) if path.is_dir() else _open_file(options, registry)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error


def open_file(path: Path) -> Container:
    """Open a file of records without asking what they mean.

    Raises:
        InputError: it is empty, or of a kind that cannot be read.
    """
    try:
        return CONTAINERS[sniff.container_of(path)](path)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error


def _open_folder(options: InputOptions, registry: Registry | None) -> Source:
    path = options.path
    if options.format not in ("auto", "imagefolder", "parquet"):
        raise InputError(f"{path}: this is a folder; format '{options.format}' needs a file{_files_in(path)}")
    files = [] if options.format == "imagefolder" else own.find_files(path)
    if files and all(map(own.is_own, files)):
        return _open_own(options, files)
    if len(files) == 1:
        return _open_file(options.model_copy(update={"path": files[0]}), registry)
    if files:
        raise InputError(f"{path}: {len(files)} Parquet files that curate did not write. Give one of them")
    if options.format == "auto" and _files_in(path):
        raise InputError(
            f"{path}: this is a folder that holds data files{_files_in(path)} "
            "For its pictures alone add --format imagefolder"
        )
    container = folder.PictureFolder(path)
    if not container.names:
        raise InputError(
            f"{path}: no pictures in this folder ({', '.join(folder.SUFFIXES)}). "
            "Give the folder that holds them, or a data file"
        )
    rows = len(container.names)
    pictures = PictureFacts(options.images or path)
    return RecordSource(
        container, folder.DIALECT, pictures, registry=registry, shard_rows=_shard_rows(options, rows), rows=rows
    )


def _open_own(options: InputOptions, files: list[Path]) -> Source:
    rows = sum(map(own.row_count, files))
    made: tuple[Path, ...] = ()
    root = options.path if options.path.is_dir() else options.path.parent
    if any((folder / "run.json").exists() for folder in (options.path, options.path.parent)):
        store = Dataset.open(options.path).pictures
        root, made = store.root or root, (store.made, *store.inherited)
    return own.OwnSource(files, PictureFacts(options.images or root), _shard_rows(options, rows), made)


def _open_file(options: InputOptions, registry: Registry | None) -> Source:
    path = options.path
    if options.format == "imagefolder":
        raise InputError(f"{path}: this is a file; format 'imagefolder' needs a folder of pictures")
    kind = sniff.container_of(path)
    if options.format in ("parquet", "jsonl") and options.format != kind:
        raise InputError(
            f"{path}: format '{options.format}' was asked for, but this is a {kind} file. "
            "Leave the format out to have it found"
        )
    if kind == "parquet" and options.format in ("auto", "parquet") and own.is_own(path):
        return _open_own(options, [path])
    container = CONTAINERS[kind](path)
    sample = _sample(container)
    if options.format == "auto" and not sample.objects:
        raise InputError(
            f"{path}: none of the first records of this {kind} file is a good JSON object ({sample.failures[0]}). "
            "Repair the file, or say what it is with --format"
        )
    dialect = _dialect(options.format, kind, sample.objects, path)
    container.learn(_common_keys(sample.objects))
    rows = container.count(sample.sizes)
    if registry is None and dialect.registry:
        registry = Registry.load(dialect.registry)
    return RecordSource(
        container,
        dialect,
        PictureFacts(options.images or _image_root(path, sample.objects)),
        registry=registry,
        shard_rows=_shard_rows(options, rows),
        rows=rows,
        name=kind if dialect is plain.DIALECT and kind != "json" else None,
    )


def _sample(container: Container) -> _Sample:
    """Read the first records; damage behind them is met again, and told, when the source is read."""
    sample = _Sample([], [], [])
    try:
        for number, item in zip(range(SAMPLE), container.slices(Position()), strict=False):
            sample.sizes.append(len(item.raw.encode("utf-8")))
            if item.failure is None:
                sample.objects.append(item.value)
            else:
                sample.failures.append(f"record {number}: {item.failure}")
    except InputError:
        if not sample.sizes:
            raise
    if not sample.sizes:
        raise InputError(f"{container.path}: there is no record in this file")
    return sample


def _dialect(wanted: Format, kind: str, objects: list[Mapping[str, Any]], path: Path) -> Dialect:
    if wanted in ("parquet", "jsonl"):
        return plain.DIALECT
    for dialect in DIALECTS:
        if dialect.name == wanted:
            return dialect
    if any(mire.DIALECT.matches(row) for row in objects):  # a stray alpaca record must not hide a MIRE file
        return mire.DIALECT
    for row in objects:
        for dialect in DIALECTS:
            if dialect.matches(row):
                return dialect
    raise InputError(f"{path}: {_nothing_fits(kind, objects)}")


def _nothing_fits(kind: str, objects: list[Mapping[str, Any]]) -> str:
    if not objects:
        return (
            f"none of the first records of this {kind} file is a good JSON object. "
            "Repair the file, or say what it is with --format"
        )
    keys = [str(key)[:40] for key in objects[0]][:12]
    wanted = {name: dialect.name for dialect in DIALECTS for name in re.findall(r"[a-z]{4,}", dialect.needs)}
    close = [(key, name) for key in keys for name in difflib.get_close_matches(key.lower(), wanted, n=1, cutoff=0.5)]
    nearest = f" Nearest: '{close[0][0]}' looks like '{close[0][1]}' of {wanted[close[0][1]]}." if close else ""
    formats = "; ".join(f"{dialect.name}: {dialect.needs}" for dialect in DIALECTS)
    allowed = ", ".join(name for name in get_args(Format) if name != "auto")
    return (
        f"no format fits the records of this {kind} file. Keys of the first one: {', '.join(keys) or 'none'}.{nearest} "
        f"Known ({formats}). Rename the keys, or force one with --format {{{allowed}}}"
    )


def _common_keys(objects: list[Mapping[str, Any]]) -> frozenset[str]:
    return frozenset(objects[0]) if objects else frozenset()


def _image_root(path: Path, objects: list[Mapping[str, Any]]) -> Path:
    """Take `images/` beside the file where pictures of the first records are found there, else the file's folder."""
    beside = path.parent / "images"
    if not beside.is_dir():
        return path.parent
    names = [name for row in objects for name in glimpse(row)[1] if name and "\x00" not in name and len(name) < 512]
    if not names or any((beside / name).is_file() for name in names):
        return beside
    if any((path.parent / name).is_file() for name in names):
        return path.parent
    return beside


def _shard_rows(options: InputOptions, rows: int) -> int:
    """Records in a shard: as asked, or a power of two.

    Half the square root of the records gives the shards, up to `SHARDS`: a shard costs tens of milliseconds whatever it
    holds, and few records must still keep several workers busy.
    """
    if options.shard_rows != "auto":
        if options.shard_rows < 1:
            raise InputError(f"input.shard_rows is {options.shard_rows}; it must be 1 or more, or auto")
        return options.shard_rows
    shards = min(SHARDS, max(1, math.isqrt(rows) // 2))
    wanted = 1 << max(0, (-(-rows // shards) - 1).bit_length())
    return min(MOST_ROWS, max(FEWEST_ROWS, wanted))


def _similar(path: Path) -> str:
    if not path.parent.is_dir():
        return ""
    close = difflib.get_close_matches(path.name, [entry.name for entry in path.parent.iterdir()], n=1)
    return f". Did you mean {path.parent / close[0]}?" if close else ""


def _files_in(path: Path) -> str:
    """Name the data files of a folder, for messages; empty where there are none."""
    files = [
        file
        for file in path.iterdir()
        if file.suffix in (".json", ".jsonl", ".parquet") and file.name not in folder.METADATA
    ]
    files.sort(key=lambda file: (-file.stat().st_size, file.name))
    names = ", ".join(file.name for file in files[:5])
    return f": {names}. Give one of them, for example {files[0]}." if files else ""
