"""Pictures: the same bytes, the same pixels, or nearly the same; and rows that are paired by what they show."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from curate.dataset.decode import Picture, decode
from curate.diff.cells import picture_paths
from curate.diff.columns import Column
from curate.diff.fuzzy import one_to_one
from curate.diff.report import Note
from curate.diff.table import ROW, Table
from curate.errors import RowError

MOST_HASHED = 2_000
"""Left-over pictures of one side that are decoded to find nearly the same ones."""
RADIUS = 6
"""Differing bits of 64 up to which two pictures are versions of one."""
_SSIM_SIDE = 512
"""Pixels of the longer side that structural similarity is computed on."""


@dataclass(frozen=True)
class Seen:
    """What was measured of one decoded picture."""

    pixels: str
    """SHA-256 of the upright RGB pixels and their size."""
    width: int
    height: int
    dhash: int


@dataclass(frozen=True)
class PictureRef:
    """A picture of a row."""

    path: str
    sha256: str | None
    file: Path | None
    data: bytes | None = None
    """Its bytes, where they lie in the table itself."""
    width: int | None = None
    height: int | None = None
    ocr: Any = None

    @property
    def identity(self) -> str:
        """What tells it from others: its content, else its path."""
        return self.sha256 or self.path

    def read(self) -> bytes | None:
        """Its bytes; None where they cannot be had."""
        if self.data is not None:
            return self.data
        try:
            return self.file.read_bytes() if self.file is not None else None
        except OSError:
            return None


def pictures_of(value: Any, table: Table, column: str) -> list[PictureRef]:
    """The pictures in a cell: of a record, a path or list of paths, or bytes in the table."""
    found: list[PictureRef] = []
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, dict) and isinstance(item.get("bytes"), bytes):
            digest = hashlib.sha256(item["bytes"]).hexdigest()
            found.append(PictureRef(str(item.get("path") or ""), digest, None, item["bytes"]))
        elif isinstance(item, dict) and isinstance(item.get("path"), str):
            sha = item.get("sha256") or table.digests.get(column, {}).get(item["path"])
            file = table.picture_file(item["path"])
            found.append(
                PictureRef(item["path"], sha, file, None, item.get("width"), item.get("height"), item.get("ocr"))
            )
        else:
            digests = table.digests.get(column, {})
            found += [PictureRef(path, digests.get(path), table.picture_file(path)) for path in picture_paths(item)]
    return found


def look(ref: PictureRef) -> Seen | None:
    """Decode a picture; None where that cannot be done."""
    data = ref.read()
    if data is None:
        return None
    return _look(data) if len(data) < 1 << 20 else _decoded(data)


@lru_cache(maxsize=64)
def _look(data: bytes) -> Seen | None:
    return _decoded(data)


def _decoded(data: bytes) -> Seen | None:
    try:
        picture = decode(data)
    except RowError:
        return None
    digest = hashlib.sha256(np.array(picture.shape[:2], np.int64).tobytes() + picture.tobytes()).hexdigest()
    return Seen(digest, picture.shape[1], picture.shape[0], dhash(picture))


def dhash(picture: Picture) -> int:
    """64 bits: whether each of 8 x 8 fields of the grey picture is lighter than the one at its right."""
    import cv2

    grey = cv2.resize(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), (9, 8), interpolation=cv2.INTER_AREA)
    return int.from_bytes(np.packbits(np.asarray(grey)[:, :-1] > np.asarray(grey)[:, 1:]).tobytes(), "big")


def distance(one: int, other: int) -> int:
    """Differing bits."""
    return bin(one ^ other).count("1")


def measure(before: bytes, after: bytes) -> tuple[float | None, float | None]:
    """SSIM of the grey pictures (Wang and others 2004, 7 x 7 windows) and PSNR in decibels of all channels.

    None each where a picture cannot be decoded or their sizes differ; PSNR is None of equal pixels: it is infinite.
    """
    import cv2

    try:
        one, other = decode(before), decode(after)
    except RowError:
        return None, None
    if one.shape != other.shape:
        return None, None
    error = float(np.mean((one.astype(np.float32) - other.astype(np.float32)) ** 2))
    psnr = None if error == 0 else round(10 * float(np.log10(255**2 / error)), 2)
    scale = min(1.0, _SSIM_SIDE / max(one.shape[:2]))
    grey = [cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in (one, other)]
    if scale < 1:
        size = (max(7, round(one.shape[1] * scale)), max(7, round(one.shape[0] * scale)))
        grey = [cv2.resize(picture, size, interpolation=cv2.INTER_AREA) for picture in grey]
    return round(_ssim(*(np.asarray(picture, np.float32) for picture in grey)), 4), psnr


def _ssim(one: Any, other: Any) -> float:
    import cv2

    low, high = (0.01 * 255) ** 2, (0.03 * 255) ** 2

    def mean(values: Any) -> Any:
        return cv2.blur(values, (7, 7))

    mean_one, mean_other = mean(one), mean(other)
    variance_one = mean(one * one) - mean_one**2
    variance_other = mean(other * other) - mean_other**2
    together = mean(one * other) - mean_one * mean_other
    top = (2 * mean_one * mean_other + low) * (2 * together + high)
    return float(np.mean(top / ((mean_one**2 + mean_other**2 + low) * (variance_one + variance_other + high))))


def pair_pictures(
    a: Table, b: Table, left_a: pl.DataFrame, left_b: pl.DataFrame, column: Column
) -> tuple[list[tuple[int, int]], list[float], Note | None]:
    """Pair rows that show the same: equal files, then equal pixels, then dHashes within 6 bits, best first.

    Returns:
        Pairs of row numbers, the similarity of each (1 - bits / 64), and a note where too many pictures were left.
    """
    shows_a, shows_b = _shown(a, left_a, column), _shown(b, left_b, column)
    pairs = _equal({row: tuple(one.identity for one in refs) for row, refs in shows_a.items()},
                   {row: tuple(one.identity for one in refs) for row, refs in shows_b.items()})  # fmt: skip
    scores = [1.0] * len(pairs)
    rest_a = [row for row in shows_a if row not in {one for one, _ in pairs}]
    rest_b = [row for row in shows_b if row not in {other for _, other in pairs}]
    if not rest_a or not rest_b:
        return pairs, scores, None
    if max(len(rest_a), len(rest_b)) > MOST_HASHED:
        text = f"more than {MOST_HASHED:,} rows with pictures are left over: nearly the same pictures not paired"
        return pairs, scores, Note(code="too_many_pictures", text=text)
    seen_a, seen_b = _first_seen(shows_a, rest_a), _first_seen(shows_b, rest_b)
    scored = [
        (distance(one.dhash, other.dhash) / 64 - 1, left, right)
        for left, one in seen_a.items()
        for right, other in seen_b.items()
        if one.pixels == other.pixels or distance(one.dhash, other.dhash) <= RADIUS
    ]
    for left, right, score in one_to_one(scored):
        pairs.append((left, right))
        scores.append(score)
    return pairs, scores, None


def _shown(table: Table, rows: pl.DataFrame, column: Column) -> dict[int, list[PictureRef]]:
    numbers = np.sort(rows[ROW].to_numpy().astype(np.int64))
    found: dict[int, list[PictureRef]] = {}
    for start in range(0, len(numbers), 4096):
        for row, values in table.read(numbers[start : start + 4096], [column.source]).items():
            if refs := pictures_of(values[column.source], table, column.source):
                found[row] = refs
    return found


def _equal(one: dict[int, tuple[str, ...]], other: dict[int, tuple[str, ...]]) -> list[tuple[int, int]]:
    waiting: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for row in sorted(other, reverse=True):
        waiting[other[row]].append(row)
    return [(row, waiting[key].pop()) for row, key in sorted(one.items()) if waiting.get(key)]


def _first_seen(shown: dict[int, list[PictureRef]], rows: Iterable[int] | Sequence[int]) -> dict[int, Seen]:
    found = ((row, look(shown[row][0])) for row in rows)
    return {row: seen for row, seen in found if seen is not None}
