"""Noise in text that was read in pictures: what place and text together make certain. Works on columns of lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curate.denoise.keep import Keep
from curate.denoise.rules import LineRule, Rule
from curate.records import IMAGE, OCR, flatten

Flags: TypeAlias = npt.NDArray[np.bool_]
Numbers: TypeAlias = npt.NDArray[np.int64]
Boxes: TypeAlias = npt.NDArray[np.float64]
"""Upright boxes: left, top, right, bottom, in pixels of the picture."""

_SAME_PLACE = 0.5
"""Intersection over union from which on two boxes lie at the same place."""


@dataclass(frozen=True)
class Lines:
    """All lines of a column of pictures, side by side."""

    texts: Sequence[str]
    """The distinct texts, without blanks around them."""
    codes: Numbers
    """Number of each line's text."""
    images: Numbers
    """The picture that each line was read in."""
    scores: npt.NDArray[np.float64]
    boxes: Boxes
    heights: npt.NDArray[np.float64]
    """Height of each line's picture in pixels; 0 where nobody knows."""

    def fitting(self, fits: Sequence[bool] | Flags) -> Flags:
        """Whether each line's text is one for which `fits` is true."""
        return np.asarray(fits, dtype=bool)[self.codes] if len(self.codes) else np.zeros(0, dtype=bool)


@dataclass
class LineCleaner:
    """Drops noise lines of pictures; a picture's text follows its lines.

    Args:
        rules: The rules on lines that are on, in order.
        keep: What rules must not take away.
        min_score: Lines read with a lower score go, where `low-score` is on.
        boilerplate: Texts that `boilerplate` has learnt.
    """

    rules: Sequence[Rule]
    keep: Sequence[Keep] = ()
    min_score: float = 0.5
    boilerplate: frozenset[str] = frozenset()
    _line_rules: dict[str, LineRule] = field(init=False)

    def __post_init__(self) -> None:
        self._line_rules = {rule.id: rule for rule in self.rules if isinstance(rule, LineRule)}

    def clean(self, images: pa.Array) -> tuple[pa.Array, Numbers, Numbers]:
        """Clean pictures of type `records.IMAGE`; give them, and for each line that went its picture and rule."""
        values, owners = flatten(pc.struct_field(images, ["ocr", "lines"]))
        if len(values) == 0:
            return images, np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
        lines = lines_of(images, values, owners)
        fate = np.full(len(owners), -1, dtype=np.int64)
        for number, rule in enumerate(self.rules):
            left = fate < 0
            hit = left & self._hit(rule, lines, left)
            fate[hit & ~lines.fitting(self._saved(rule, lines.texts))] = number
        gone = fate >= 0
        if not gone.any():
            return images, np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
        return _without(images, values, owners, gone), owners[gone], fate[gone]

    def _saved(self, rule: Rule, texts: Sequence[str]) -> list[bool]:
        return [rule.keeps and any(keep.saves(text, "ocr", rule.id) for keep in self.keep) for text in texts]

    def _hit(self, rule: Rule, lines: Lines, left: Flags) -> Flags:
        if isinstance(rule, LineRule):
            place = np.ones(len(left), dtype=bool)
            if rule.top or rule.bottom:
                high = lines.boxes[:, 3] <= rule.top * lines.heights
                low = (lines.boxes[:, 1] >= (1 - rule.bottom) * lines.heights) & (rule.bottom > 0)
                place = (lines.heights > 0) & (high | low)
            there = np.unique(lines.codes[place & left])
            fits = np.zeros(len(lines.texts), dtype=bool)
            fits[there] = [rule.pattern.fullmatch(lines.texts[code]) is not None for code in there.tolist()]
            return place & lines.fitting(fits)
        if rule.id == "low-score":
            return lines.scores < self.min_score
        if rule.id == "boilerplate":
            return lines.fitting([text in self.boilerplate for text in lines.texts])
        return _repeated(lines, left) if rule.id == "repeated-line" else np.zeros(len(left), dtype=bool)


def lines_of(images: pa.Array, values: pa.Array, owners: Numbers) -> Lines:
    """The lines of pictures as columns."""
    encoded = pc.utf8_trim_whitespace(pc.struct_field(values, "text")).dictionary_encode()
    heights = np.asarray(pc.fill_null(pc.struct_field(images, "height"), 0), dtype=np.float64)
    scores = np.asarray(pc.fill_null(pc.struct_field(values, "score"), 0.0), dtype=np.float64)
    codes = np.asarray(encoded.indices, dtype=np.int64)
    boxes = _boxes(pc.struct_field(values, "polygon"))
    return Lines(encoded.dictionary.to_pylist(), codes, owners, scores, boxes, heights[owners])


def _boxes(polygons: pa.Array) -> Boxes:
    """Upright boxes around polygons; a polygon without points lies nowhere, so that no rule on places hits it."""
    points, owners = flatten(polygons)
    numbers = np.asarray(pc.fill_null(points, np.nan), dtype=np.float64)
    boxes = np.full((len(polygons), 4), np.nan)
    first = np.searchsorted(owners, np.arange(len(polygons)))
    is_y = ((np.arange(len(owners)) - first[owners]) % 2).astype(bool) if len(owners) else np.zeros(0, dtype=bool)
    for column, (least, mask) in enumerate(((True, ~is_y), (True, is_y), (False, ~is_y), (False, is_y))):
        ends = np.full(len(polygons), np.inf if least else -np.inf)
        (np.minimum if least else np.maximum).at(ends, owners[mask], numbers[mask])
        boxes[:, column] = np.where(np.isfinite(ends), ends, np.nan)
    return boxes


def _repeated(lines: Lines, left: Flags) -> Flags:
    """Lines whose text stands in the same picture already, at the same place."""
    again = np.zeros(len(left), dtype=bool)
    places = np.flatnonzero(left)
    keys = lines.images[places] * (len(lines.texts) + 1) + lines.codes[places]
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    follows = np.flatnonzero(ordered[1:] == ordered[:-1]) + 1
    for number in follows.tolist():
        line = places[order[number]]
        start = int(np.searchsorted(ordered, ordered[number]))
        earlier = (places[order[one]] for one in range(start, number))
        again[line] = any(not again[one] and overlap(lines.boxes[one], lines.boxes[line]) for one in earlier)
    return again


def overlap(one: Boxes, other: Boxes) -> bool:
    """Whether two upright boxes lie at the same place."""
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    if not (wide > 0 and high > 0):
        return False
    both = wide * high
    areas = (one[2] - one[0]) * (one[3] - one[1]) + (other[2] - other[0]) * (other[3] - other[1])
    return bool(both > _SAME_PLACE * (areas - both))


def _without(images: pa.Array, values: pa.Array, owners: Numbers, gone: Flags) -> pa.Array:
    """The pictures without lines."""
    stay = values.filter(pa.array(~gone))
    lengths = np.bincount(owners[~gone], minlength=len(images))
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    ocr = pc.struct_field(images, "ocr")
    absent = pc.is_null(pc.struct_field(ocr, "lines"))
    lines = pa.ListArray.from_arrays(pa.array(offsets), stay, type=OCR.field("lines").type, mask=absent)
    touched = np.unique(owners[gone])
    texts = pc.struct_field(ocr, "text").to_pylist()
    words = pc.struct_field(values, "text").to_pylist()
    starts = np.searchsorted(owners, touched, side="left").tolist()
    ends = np.searchsorted(owners, touched, side="right").tolist()
    for image, start, end in zip(touched.tolist(), starts, ends, strict=True):
        went = [words[line] for line in range(start, end) if gone[line]]
        kept = [words[line] for line in range(start, end) if not gone[line]]
        texts[image] = _text(texts[image], went, kept)
    new_ocr = pa.StructArray.from_arrays(
        [pc.struct_field(ocr, "engine"), pa.array(texts, pa.string()), lines], fields=list(OCR), mask=pc.is_null(ocr)
    )
    columns = [new_ocr if item.name == "ocr" else pc.struct_field(images, item.name) for item in IMAGE]
    return pa.StructArray.from_arrays(columns, fields=list(IMAGE))


def _text(text: str | None, gone: Sequence[str], kept: Sequence[str]) -> str:
    """Take lines out of a picture's text; a text that was joined otherwise is joined anew from its lines."""
    rows = (text or "").split("\n")
    for line in gone:
        if line not in rows:
            return "\n".join(kept)
        rows.remove(line)
    return "\n".join(rows)
