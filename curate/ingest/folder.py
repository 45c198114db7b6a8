"""A folder of pictures, as an image folder of `datasets` or torchvision: subfolders may name splits and labels."""

from __future__ import annotations

import csv
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

import orjson

from curate.errors import InputError, RowError
from curate.ingest.codes import RECORD_LIMIT
from curate.ingest.dialects import Dialect, plain
from curate.ingest.parts import SPLITS, Parts
from curate.ingest.slices import Slice
from curate.pipeline.source import Position

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif", ".jfif")
METADATA = ("metadata.jsonl", "metadata.csv")


class PictureFolder:
    """Pictures below a folder, by name. Offsets count pictures; a slice's raw text is a line of metadata.jsonl."""

    kind = "folder"
    limit = RECORD_LIMIT

    def __init__(self, path: Path) -> None:
        self.path = path
        self._metadata = _metadata(path)
        found = {*_pictures(path), *self._metadata}
        self.names = sorted(found, key=lambda name: name.encode("utf-8", "surrogateescape"))

    def fingerprint(self) -> str:
        """Hash of the names and of what the metadata say; the pictures have hashes of their own."""
        total = hashlib.blake2b(digest_size=16)
        for name in self.names:
            total.update(self._row(name))
        return total.hexdigest()

    def learn(self, keys: frozenset[str]) -> None:
        """Pictures need no help."""

    def count(self, sizes: list[int]) -> int:
        """Give the number of pictures."""
        return len(self.names)

    def layout(self) -> dict[str, str]:
        """The records are written back as metadata."""
        return {"head": "", "separator": "\n", "tail": "\n", "name": "metadata.jsonl"}

    def slices(self, start: Position) -> Iterator[Slice]:
        """Give the pictures from `start` on."""
        for number in range(start.offset, len(self.names)):
            raw = self._row(self.names[number])
            value = orjson.loads(raw)
            failure = (
                None if _is_utf8(self.names[number]) else RowError("not_utf8", "the name of the file is not UTF-8")
            )
            yield Slice(raw.decode("utf-8"), value, failure, number + 1)

    def _row(self, name: str) -> bytes:
        shown = name if _is_utf8(name) else name.encode("utf-8", "backslashreplace").decode("utf-8")
        row = {"file_name": shown, **self._folders.get(name, {}), **self._metadata.get(name, {})}
        return orjson.dumps({**row, "file_name": shown}, default=str)

    @cached_property
    def _folders(self) -> dict[str, dict[str, str]]:
        """Split and label that the subfolders name, where all pictures lie in such folders."""
        folders = {name: PurePosixPath(name).parts[:-1] for name in self.names}
        rows: dict[str, dict[str, str]] = {name: {} for name in self.names}
        if all(parts and parts[0].lower() in SPLITS for parts in folders.values()):
            rows = {name: {"split": SPLITS[parts[0].lower()]} for name, parts in folders.items()}
            folders = {name: parts[1:] for name, parts in folders.items()}
        labels = {name: parts[0] for name, parts in folders.items() if parts}
        if len(labels) == len(rows) and len(set(labels.values())) > 1 and all(map(_is_utf8, labels.values())):
            for name, label in labels.items():
                rows[name]["label"] = label
        return rows


def _pictures(root: Path) -> Iterator[str]:
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in files:
            if name.lower().endswith(SUFFIXES) and not name.startswith("."):
                yield Path(folder, name).relative_to(root).as_posix()


def _metadata(root: Path) -> dict[str, dict[str, Any]]:
    """Rows of metadata.jsonl or metadata.csv by the name of their picture.

    Raises:
        InputError: the file is there but cannot be used.
    """
    file = next((root / name for name in METADATA if (root / name).is_file()), None)
    if file is None:
        return {}
    try:
        with open(file, encoding="utf-8-sig", newline="") as stream:
            lines = (
                (json.loads(line) for line in stream if line.strip())
                if file.suffix == ".jsonl"
                else csv.DictReader(stream)
            )
            rows = list(lines)
    except (ValueError, csv.Error) as error:
        raise InputError(f"{file}: cannot be read: {error}. Repair it or take it away") from error
    known: dict[str, dict[str, Any]] = {}
    for number, row in enumerate(rows, 1):
        name = row.get("file_name") if isinstance(row, Mapping) else None
        if not isinstance(name, str) or not name or not _is_utf8(json.dumps(row, ensure_ascii=False)):
            raise InputError(f"{file}: row {number} has no usable file_name")
        if name in known:
            raise InputError(f"{file}: row {number} names a picture that an earlier row names")
        known[name] = {key: value for key, value in row.items() if key is not None and value != ""}
    return known


def _is_utf8(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _parse(row: Mapping[str, Any]) -> Parts:
    parts = plain.DIALECT.parse(
        {key: value for key, value in row.items() if key not in ("image", "images", "image_path")}
    )
    parts.task = str(row.get("task") or "image")
    parts.source_id = parts.source_id if parts.source_id is not None else row["file_name"]
    return parts


DIALECT = Dialect("imagefolder", lambda row: "file_name" in row, _parse, "a folder of pictures")
