"""Long pictures in pieces: where to cut, and how the boxes found in the pieces become one set again.

A network that looks at a whole 1080 x 7647 page has to shrink it until small text is gone. Tiles of the shape
of a usual page keep its size; they overlap, so that a line that one tile cuts is whole in the next.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from curate.dataset.decode import Picture

Quad: TypeAlias = npt.NDArray[np.float32]
"""Corners of a line: 4 x 2, clockwise from the top left, in pixels."""

OVERLAP = 0.15
"""Share of the short side that neighbouring tiles have in common; a line of text is lower than that."""

SAME = 0.5
"""Two boxes of neighbouring tiles are one line when they share this much of the smaller one."""

ALONG = 0.6
"""Two pieces of a cut line share at least this much of the smaller one's extent along the seam."""

SHORTEST = 640
"""Tiles are at least this long, in pixels: a strip a few pixels high would else fall into hundreds."""

LONGEST_LINE = 50.0
"""Pieces are not joined to a line longer than this many times its height: no network reads it in one go."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A piece of a picture, in its pixels; left and top belong to it, right and bottom do not."""

    left: int
    top: int
    right: int
    bottom: int


@dataclass(frozen=True)
class Box:
    """A line of text that was found: its quadrilateral (4 x 2, clockwise from the top left), and the cuts it touches.

    `cut` names the sides (left, top, right, bottom) at which the box ends because its tile ends there.
    """

    quad: npt.NDArray[np.float32]
    cut: frozenset[str] = frozenset()

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom of the upright rectangle around the box."""
        left, top = self.quad.min(axis=0).tolist()
        right, bottom = self.quad.max(axis=0).tolist()
        return left, top, right, bottom


def tiles(width: int, height: int, ratio: float) -> list[Tile]:
    """Cut a picture that is longer than `ratio` times its short side; one tile, the whole, where it is not.

    Tiles have equal lengths and overlap by `OVERLAP` of the short side or a little more.
    """
    long, short = max(width, height), min(width, height)
    piece = max(round(short * ratio), SHORTEST)
    if long <= piece:
        return [Tile(0, 0, width, height)]
    overlap = min(max(round(short * OVERLAP), 1), piece // 2)
    count = -(-(long - overlap) // (piece - overlap))
    length = -(-(long + (count - 1) * overlap) // count)
    starts = [round(index * (long - length) / (count - 1)) for index in range(count)]
    if height >= width:
        return [Tile(0, start, width, start + length) for start in starts]
    return [Tile(start, 0, start + length, height) for start in starts]


def find(picture: Picture, ratio: float, look: Callable[[Picture], tuple[Sequence[Quad], float]]) -> list[Quad]:
    """Find the lines of a picture tile by tile.

    Args:
        picture: The picture.
        ratio: Pictures longer than this many times their short side are cut into tiles.
        look: Gives the quadrilaterals found in a tile, in its pixels, and how near to a cut (in pixels) a box must
            come to count as cut by it.

    Returns:
        The quadrilateral (4 x 2, clockwise from the top left, pixels of the picture) of each line.
    """
    height, width = picture.shape[:2]
    pieces = []
    for tile in tiles(width, height, ratio):
        quads, margin = look(picture[tile.top : tile.bottom, tile.left : tile.right])
        pieces.append([place(quad, tile, width, height, margin) for quad in quads])
    return [box.quad for box in merge(pieces)]


def polygon(quad: Quad) -> tuple[float, ...]:
    """Give a quadrilateral as 8 numbers, to a tenth of a pixel."""
    return tuple(round(float(number), 1) for number in quad.reshape(-1))


def place(quad: npt.NDArray[np.float32], tile: Tile, width: int, height: int, margin: float) -> Box:
    """Put a box found in a tile onto the picture.

    Args:
        quad: Corners in pixels of the tile.
        tile: Where the box was found.
        width: Of the whole picture, in pixels.
        height: Of the whole picture, in pixels.
        margin: How near, in pixels, a box must come to a cut to count as cut by it.
    """
    corners = (quad + np.array([tile.left, tile.top], dtype=np.float32)).astype(np.float32)
    left, top, right, bottom = Box(corners).bounds
    touched = {
        "left": tile.left > 0 and left <= tile.left + margin,
        "top": tile.top > 0 and top <= tile.top + margin,
        "right": tile.right < width and right >= tile.right - margin,
        "bottom": tile.bottom < height and bottom >= tile.bottom - margin,
    }
    return Box(corners, frozenset(side for side, touches in touched.items() if touches))


def merge(pieces: Sequence[Sequence[Box]]) -> list[Box]:
    """Make one list of the boxes of consecutive tiles: no line twice, no line in two pieces."""
    done: list[Box] = []
    before: list[Box] = []
    for piece in pieces:
        current = list(piece)
        for old in before:
            twins = [new for new in current if _same_line(old, new)]
            if not twins:
                done.append(old)
                continue
            current = [new for new in current if not any(new is twin for twin in twins)]
            for twin in twins:
                old = _union(old, twin)
            current.append(old)
        before = current
    return done + before


def _overlap(low: float, high: float, other_low: float, other_high: float) -> float:
    return max(0.0, min(high, other_high) - max(low, other_low))


def _same_line(old: Box, new: Box) -> bool:
    a, b = old.bounds, new.bounds
    across, down = _overlap(a[0], a[2], b[0], b[2]), _overlap(a[1], a[3], b[1], b[3])
    if not across or not down:
        return False
    smaller = min((a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1]))
    if across * down >= SAME * smaller:
        return True
    if "bottom" in old.cut and "top" in new.cut:
        return across >= ALONG * min(a[2] - a[0], b[2] - b[0])
    if "right" in old.cut and "left" in new.cut:
        long, high = max(a[2], b[2]) - min(a[0], b[0]), max(a[3] - a[1], b[3] - b[1])
        return down >= ALONG * min(a[3] - a[1], b[3] - b[1]) and long <= LONGEST_LINE * high
    return False


def _union(old: Box, new: Box) -> Box:
    """The larger box where it holds the other, give or take a pixel or two; else the rectangle around both."""
    a, b = old.bounds, new.bounds
    around = min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])
    slack = 0.15 * min(a[2] - a[0], a[3] - a[1], b[2] - b[0], b[3] - b[1])
    # The later box keeps its own cuts: it may go on in the next tile.
    for box in (new, old):
        if all(abs(one - other) <= slack for one, other in zip(box.bounds, around, strict=True)):
            return replace(box, cut=new.cut if box is new else old.cut & new.cut)
    left, top, right, bottom = around
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], dtype=np.float32)
    return Box(corners, new.cut - {"left", "top"})
