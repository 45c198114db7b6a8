"""What a record is: the Arrow schema that every stage reads and writes, and small typed views on one row.

One row is one sample. Columns are described in the table of the README; what the code relies on is checked
by `violations` after every stage.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

VERSION = 1
"""Version of the record schema, stored in the metadata of every file."""

ROLES = ("user", "agent", "system")
SPLITS = ("train", "val", "test")
PLACEHOLDER = "<image>"
"""Stands in a turn's text where a picture was sent; pictures are taken from `images` in order."""

TURN = pa.struct([("role", pa.string()), ("text", pa.string())])
LINE = pa.struct([("text", pa.string()), ("score", pa.float64()), ("polygon", pa.list_(pa.float64()))])
OCR = pa.struct([("engine", pa.string()), ("text", pa.string()), ("lines", pa.list_(LINE))])
IMAGE = pa.struct(
    [
        ("path", pa.string()),
        ("sha256", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("format", pa.string()),
        ("ocr", OCR),
    ]
)
SCORE = pa.struct([("name", pa.string()), ("value", pa.float64())])

SCHEMA = pa.schema(
    [
        ("uid", pa.string()),
        ("source_id", pa.string()),
        ("parent", pa.string()),
        ("task", pa.string()),
        ("system", pa.string()),
        ("turns", pa.list_(TURN)),
        ("images", pa.list_(IMAGE)),
        ("label", pa.string()),
        ("label_from", pa.string()),
        ("confidence", pa.float64()),
        ("split", pa.string()),
        ("scores", pa.list_(SCORE)),
        ("raw", pa.string()),
    ],
    metadata={b"curate.record": str(VERSION).encode()},
)
"""The schema of a record. `scores` is a list of name and value, not an Arrow map, which `datasets` cannot open."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One utterance. `role` is one of `ROLES`."""

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text read in a picture.

    `polygon` holds 8 numbers, x and y of the four corners clockwise from the top left, in pixels of the
    picture after its EXIF rotation is applied. `score` is the engine's confidence, 0 to 1.
    """

    text: str
    score: float
    polygon: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Ocr:
    """All text of one picture in reading order; `engine` is the signature of the engine that read it."""

    engine: str
    text: str
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class Image:
    """One picture of a record.

    `path` is relative to the image root of the dataset; `width` and `height` are pixels after EXIF rotation;
    `ocr` is None until the picture was read.
    """

    path: str
    sha256: str | None = None
    width: int | None = None
    height: int | None = None
    format: str | None = None
    ocr: Ocr | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """One sample: a dialogue or a picture, with its label and where it comes from."""

    uid: str
    source_id: str
    task: str
    turns: tuple[Turn, ...] = ()
    images: tuple[Image, ...] = ()
    label: str | None = None
    label_from: str | None = None
    confidence: float | None = None
    split: str | None = None
    system: str | None = None
    parent: str | None = None
    scores: tuple[tuple[str, float], ...] = ()
    raw: str = ""

    def as_row(self) -> dict[str, Any]:
        """Give the record as a dictionary that fits `SCHEMA`."""
        row = {item.name: getattr(self, item.name) for item in fields(self)}
        row["turns"] = [{"role": turn.role, "text": turn.text} for turn in self.turns]
        row["images"] = [_image_row(image) for image in self.images]
        row["scores"] = [{"name": name, "value": value} for name, value in self.scores]
        return row

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> Record:
        """Make a record from a dictionary as `pyarrow.Table.to_pylist` gives it."""
        values = dict(row)
        values["turns"] = tuple(Turn(**turn) for turn in row["turns"] or ())
        values["images"] = tuple(_image(image) for image in row["images"] or ())
        values["scores"] = tuple((score["name"], score["value"]) for score in row["scores"] or ())
        return cls(**values)


def _image_row(image: Image) -> dict[str, Any]:
    """An image as a dictionary; written out because `asdict` copies deeply, which a page of lines makes dear."""
    row = {item.name: getattr(image, item.name) for item in fields(image)}
    if image.ocr is not None:
        lines = [{"text": line.text, "score": line.score, "polygon": line.polygon} for line in image.ocr.lines]
        row["ocr"] = {"engine": image.ocr.engine, "text": image.ocr.text, "lines": lines}
    return row


def _image(row: dict[str, Any]) -> Image:
    ocr = row["ocr"]
    if ocr is not None:
        lines = tuple(Line(line["text"], line["score"], tuple(line["polygon"])) for line in ocr["lines"] or ())
        ocr = Ocr(ocr["engine"], ocr["text"], lines)
    return Image(**{**row, "ocr": ocr})


def to_table(records: Iterable[Record]) -> pa.Table:
    """Build a table of `SCHEMA` from records."""
    return pa.Table.from_pylist([record.as_row() for record in records], schema=SCHEMA)


def from_table(table: pa.Table) -> Iterator[Record]:
    """Give the rows of a table of `SCHEMA` as records."""
    for row in table.to_pylist():
        yield Record.from_row(row)


def _short_hash(*parts: str) -> str:
    digest = hashlib.blake2b("\x00".join(parts).encode("utf-8", "surrogatepass"), digest_size=16).digest()
    return base64.b32encode(digest).decode("ascii").rstrip("=").lower()


def source_uid(fingerprint: str, index: int) -> str:
    """Name a record at ingest: 26 characters from the source's fingerprint and the record's position in it."""
    return _short_hash(fingerprint, str(index))


def derived_uid(parent: str, stage: str, variant: str) -> str:
    """Name a record that `stage` derived from `parent`; `variant` tells siblings apart."""
    return _short_hash(parent, stage, variant)


def escape_placeholders(text: str) -> str:
    """Make `<image>`, `<video>` and `<audio>` that a person typed harmless for trainers that count them."""
    for name in ("image", "video", "audio"):
        text = text.replace(f"<{name}>", f"&lt;{name}&gt;")
    return text


def flatten(column: pa.ChunkedArray | pa.Array) -> tuple[pa.Array, np.ndarray[Any, np.dtype[np.int64]]]:
    """Flatten a list column to its values and the row number that each value belongs to."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    lengths = np.asarray(pc.fill_null(pc.list_value_length(array), 0), dtype=np.int64)
    return array.flatten(), np.repeat(np.arange(len(array), dtype=np.int64), lengths)


def _joined(column: pa.ChunkedArray, *path: str) -> pa.Array:
    """One string a row: the given field of a list of structs, joined."""
    values, rows = flatten(column)
    strings = pc.fill_null(pc.struct_field(values, list(path)).cast(pa.string()), "\x00")
    offsets = np.zeros(len(column) + 1, dtype=np.int32)
    np.cumsum(np.bincount(rows, minlength=len(column)), out=offsets[1:])
    return pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets), strings), "\x1f")


def row_hashes(table: pa.Table) -> list[str]:
    """Hash what a person sees of each row: turns, pictures, text read in them, label, split, system, scores.

    Gives 32 hexadecimal characters a row (XXH3-128). Two rows that differ in nothing but uid, raw or the
    geometry of OCR lines have the same hash.
    """
    parts = [
        _joined(table["turns"], "role"),
        _joined(table["turns"], "text"),
        _joined(table["images"], "path"),
        _joined(table["images"], "sha256"),
        _joined(table["images"], "ocr", "text"),
        _joined(table["scores"], "name"),
        _joined(table["scores"], "value"),
        *(
            table[name].cast(pa.string()).combine_chunks()
            for name in ("task", "system", "label", "label_from", "confidence", "split")
        ),
    ]
    joined = pc.binary_join_element_wise(*parts, "\x1e", null_handling="replace", null_replacement="\x00")
    return [xxhash.xxh3_128_hexdigest(text) for text in joined.cast(pa.binary()).to_pylist()]


def violations(table: pa.Table) -> list[tuple[int, str]]:
    """Check what every stage relies on; give (row number, what is wrong) for each broken row.

    The number of `<image>` in the turns equals the number of images; roles and splits are known; uid and task
    are there.
    """
    found: list[tuple[int, str]] = []
    turns, rows = flatten(table["turns"])
    texts = pc.struct_field(turns, "text")
    counts = np.asarray(pc.fill_null(pc.count_substring(texts, PLACEHOLDER), 0), dtype=np.int64)
    placeholders = np.bincount(rows, weights=counts, minlength=len(table)).astype(np.int64)
    images = np.asarray(pc.fill_null(pc.list_value_length(table["images"]), 0), dtype=np.int64)
    for row in np.flatnonzero(placeholders != images):
        found.append((int(row), f"{placeholders[row]} <image> in the turns, {images[row]} images"))
    roles = pc.struct_field(turns, "role")
    known = np.asarray(pc.is_in(roles, pa.array(ROLES)), dtype=bool)
    for row in sorted(set(rows[~known].tolist())):
        found.append((row, "a turn has an unknown role"))
    for row in sorted(set(rows[np.asarray(pc.is_null(texts), dtype=bool)].tolist())):
        found.append((row, "a turn has no text"))
    for name in ("uid", "task", "raw"):
        for row in np.flatnonzero(np.asarray(pc.is_null(table[name]), dtype=bool)):
            found.append((int(row), f"{name} is missing"))
    split = table["split"].combine_chunks()
    unknown = np.asarray(pc.and_(pc.is_valid(split), pc.invert(pc.is_in(split, pa.array(SPLITS)))), dtype=bool)
    for row in np.flatnonzero(unknown):
        found.append((int(row), "split is not one of train, val, test"))
    return sorted(found)
