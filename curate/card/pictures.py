"""Pictures and what was read in them; each distinct file is opened once, and only its head is read."""

from __future__ import annotations

import warnings
from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from PIL import Image

from curate.card.facts import Images, Ocr
from curate.card.numbers import counted, quantiles, sorted_counts
from curate.dataset.decode import FORMATS
from curate.dataset.pictures import PictureStore
from curate.errors import RowError
from curate.records import flatten

_GPS = 0x8825
"""EXIF tag of the block that holds a place."""


class PictureCounts:
    """Counts pictures batch by batch; a path for each distinct picture stays in memory."""

    def __init__(self) -> None:
        self._uses = 0
        self._paths: dict[str, str] = {}
        self._formats: Counter[str] = Counter()
        self._engines: Counter[str] = Counter()
        self._with_text = 0
        self._width: list[np.ndarray[Any, Any]] = []
        self._height: list[np.ndarray[Any, Any]] = []
        self._lines: list[np.ndarray[Any, Any]] = []
        self._score: list[np.ndarray[Any, Any]] = []

    def add(self, table: pa.Table) -> None:
        """Count a batch."""
        images, _ = flatten(table["images"])
        self._uses += len(images)
        for digest, path in zip(images.field("sha256").to_pylist(), images.field("path").to_pylist(), strict=True):
            self._paths.setdefault(digest or path, path)
        counted(images.field("format"), self._formats, "unknown")
        self._width.append(_numbers(images.field("width")))
        self._height.append(_numbers(images.field("height")))
        read = images.field("ocr").drop_null()
        counted(read.field("engine"), self._engines, "unknown")
        self._with_text += int(pc.sum(pc.greater(pc.utf8_length(pc.fill_null(read.field("text"), "")), 0)).as_py() or 0)
        lines, pictures = flatten(read.field("lines"))
        numbers = np.bincount(pictures, minlength=len(read))
        self._lines.append(numbers.astype(np.float32))
        scores = np.bincount(pictures, weights=_numbers(lines.field("score"), 0.0), minlength=len(read))
        self._score.append(scores[numbers > 0] / numbers[numbers > 0])

    def images(self, store: PictureStore | None) -> Images:
        """Sizes and formats, and with a store what its files are."""
        looks = Counter(_look(store, path) for path in sorted(self._paths.values())) if store is not None else Counter()
        modes = Counter({mode: number for (kind, mode), number in looks.items() if kind == "fine"})
        located = sum(number for (kind, _), number in looks.items() if kind == "located")
        return Images(
            uses=self._uses,
            distinct=len(self._paths),
            looked_at=looks.total(),
            missing=looks[("missing", "")],
            unreadable=looks[("unreadable", "")],
            located=located,
            formats=sorted_counts(self._formats.items()),
            modes=sorted_counts((modes + _located_modes(looks)).items()),
            width=quantiles(self._width),
            height=quantiles(self._height),
        )

    def ocr(self) -> Ocr:
        """What was read."""
        return Ocr(
            engines=sorted_counts(self._engines.items()),
            read=self._engines.total(),
            with_text=self._with_text,
            lines=quantiles(self._lines),
            score=quantiles(self._score),
        )


def _located_modes(looks: Counter[tuple[str, str]]) -> Counter[str]:
    return Counter({mode: number for (kind, mode), number in looks.items() if kind == "located"})


def _look(store: PictureStore, path: str) -> tuple[str, str]:
    """Open a picture's head: what it is, and its mode."""
    try:
        file = store.find(path)
    except RowError as error:
        return ("missing" if error.code == "image_missing" else "unreadable"), ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(file, formats=FORMATS) as image:
                return ("located" if image.getexif().get_ifd(_GPS) else "fine"), image.mode
    except (OSError, ValueError, SyntaxError, KeyError, TypeError, IndexError, Image.DecompressionBombError):
        return "unreadable", ""


def _numbers(column: pa.Array, nothing: float = float("nan")) -> np.ndarray[Any, Any]:
    return column.cast(pa.float64()).fill_null(nothing).to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]
