"""Proof without reading: what became of the lines of a page when its picture was moved, cut, turned or darkened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from curate.dataset.decode import Picture
from curate.records import Line

Quads: TypeAlias = npt.NDArray[np.float32]
"""Lines of a page: number of lines x 4 corners (clockwise from the top left of the text) x (x, y) in pixels."""

MAX_TILT = 20.0
"""Degrees that a line may be turned. PP-OCR read .985 of a page's characters at 15°, .871 at 30°, .625 at 90°."""
MIN_HEIGHT = 16.0
"""Pixels of height below which a line must not be shrunk."""
MIN_CONTRAST = 0.4
"""Share of the spread of brightness that must be left; where darkening leaves none, nothing can be read."""
_TALL = 1.5
"""A line higher than this many times its width holds its characters one below the other."""
_STEP = 8
"""Every how many pixels, both ways, brightness is looked at."""


@dataclass(frozen=True)
class Verdict:
    """What is left of a page's text: share of the characters, the lines with their new polygons, what is wrong."""

    recall: float
    lines: tuple[Line, ...]
    refused: str | None = None
    """Why the picture must not be used; None where it may."""


def quads_of(lines: Sequence[Line]) -> Quads:
    """The corners of lines."""
    return np.asarray([line.polygon for line in lines], dtype=np.float32).reshape(-1, 4, 2)


def probe(height: int, width: int) -> Quads:
    """A line in the middle of a picture that tells what happens to one where none was read."""
    left, right, top, bottom = width * 0.25, width * 0.75, height * 0.45, height * 0.55
    return np.asarray([[[left, top], [right, top], [right, bottom], [left, bottom]]], dtype=np.float32)


def mirrored(before: Quads, after: Quads) -> bool:
    """Whether any quad was turned over: its corners go round the other way."""
    return bool((_areas(before) * _areas(after) < 0).any())


def judge(lines: Sequence[Line], before: Quads, after: Quads, height: int, width: int, least: float) -> Verdict:
    """Say what became of the lines of a page.

    Args:
        lines: The lines as they were read in the original.
        before: Their corners there.
        after: Their corners in the new picture.
        height: Height of the new picture.
        width: Width of the new picture.
        least: Share of the characters that must still be inside.
    """
    kept = _kept(lines, after, height, width)
    total = sum(len(_written(line.text)) for line in lines)
    recall = sum(len(_written(line.text)) for line in kept) / total if total else 1.0
    if recall < least:
        return Verdict(recall, kept, "characters_lost")
    if len(before):
        turned = np.abs((_angles(after) - _angles(before) + 180) % 360 - 180)
        turned = np.where(_areas(before) * _areas(after) < 0, np.minimum(turned, 180 - turned), turned)
        if float(np.median(turned)) > MAX_TILT:
            return Verdict(recall, kept, "turned")
        heights = _heights(after)
        small = (heights < MIN_HEIGHT) & (heights < 0.95 * _heights(before))
        if small.mean() > 1 - least:
            return Verdict(recall, kept, "too_small")
    return Verdict(recall, kept)


def too_dark(before: Picture, after: Picture) -> bool:
    """Whether so little of the difference between light and dark is left that writing sinks into its ground."""
    return _spread(after) < MIN_CONTRAST * _spread(before)


def _kept(lines: Sequence[Line], after: Quads, height: int, width: int) -> tuple[Line, ...]:
    """The lines that are still in the picture, each with the characters that are whole, but for an outermost tenth."""
    lines, after = _with_text(lines, after)
    if not lines:
        return ()
    counts = np.asarray([len(line.text) for line in lines])
    owner = np.repeat(np.arange(len(lines)), counts)
    within = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    # A line that runs down is one that runs right, seen with its first corner at the top right.
    corners = np.where(_down(after, counts)[:, None, None], np.roll(after, -1, axis=1), after)[owner]
    inside = np.ones(len(owner), dtype=bool)
    for along in (0.1, 0.9):
        part = ((within + along) / np.maximum(counts[owner], 1)).astype(np.float32)[:, None]
        upper = corners[:, 0] + (corners[:, 1] - corners[:, 0]) * part
        lower = corners[:, 3] + (corners[:, 2] - corners[:, 3]) * part
        for place in (upper + (lower - upper) * 0.1, upper + (lower - upper) * 0.9):
            inside &= (place >= 0).all(axis=1) & (place[:, 0] <= width) & (place[:, 1] <= height)
    whole = np.logical_and.reduceat(inside, np.cumsum(counts) - counts) if len(owner) else inside
    polygons = np.round(np.clip(after, 0, [width, height]).astype(np.float64), 1).reshape(-1, 8).tolist()
    found = []
    for number, line in enumerate(lines):
        text = line.text
        if not whole[number]:
            mine = inside[owner == number]
            text = "".join(c for c, seen in zip(text, mine, strict=True) if seen).strip()
        if text:
            found.append(Line(text, line.score, tuple(polygons[number])))
    return tuple(found)


def _with_text(lines: Sequence[Line], after: Quads) -> tuple[Sequence[Line], Quads]:
    """Without lines that hold no character, which `reduceat` would take for the one behind them."""
    if all(line.text for line in lines):
        return lines, after
    held = [number for number, line in enumerate(lines) if line.text]
    return [lines[number] for number in held], after[held]


def _written(text: str) -> str:
    return "".join(text.split())


def _down(quads: Quads, counts: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    tall: npt.NDArray[np.bool_] = _heights(quads) > _TALL * np.linalg.norm(quads[:, 1] - quads[:, 0], axis=1)
    return tall & (counts > 1)


def _areas(quads: Quads) -> npt.NDArray[Any]:
    """Signed areas (shoelace formula)."""
    x, y = quads[..., 0], quads[..., 1]
    signed: npt.NDArray[Any] = (x * np.roll(y, -1, axis=1) - np.roll(x, -1, axis=1) * y).sum(axis=1) / 2
    return signed


def _angles(quads: Quads) -> npt.NDArray[Any]:
    along = quads[:, 1] - quads[:, 0]
    degrees: npt.NDArray[Any] = np.degrees(np.arctan2(along[:, 1], along[:, 0]))
    return degrees


def _heights(quads: Quads) -> npt.NDArray[Any]:
    heights: npt.NDArray[Any] = np.linalg.norm(quads[:, 3] - quads[:, 0], axis=1)
    return heights


def _spread(picture: Picture) -> float:
    """From the darkest to the lightest, the outermost hundredths left out."""
    low, high = np.percentile(picture[::_STEP, ::_STEP, 1], (1, 99))
    return float(high - low)
