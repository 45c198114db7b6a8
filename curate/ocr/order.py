"""The order in which a person reads the lines of a picture, and which of them make one paragraph.

An XY-cut: the lines are parted at the widest gap that runs through them from left to right, and so on in each
part; where no such gap is left, at the widest one from top to bottom. Columns of running text and of cards are
told from the rows of a table by how close their lines stand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import median
from typing import NamedTuple

from curate.records import Line

CORE = 0.7
"""Share of a box's height that is taken for the line itself: detection leaves room above and below."""

TIGHT = 0.62
"""Lines of one column stand closer than this many line heights; rows of a table stand wider apart."""

LOOSE = 1.4
BROAD = 0.3
"""Lines of cards side by side may stand as far apart as `LOOSE`, if each side has a line `BROAD` times as wide as both
sides together, beside one of the other side: the labels of a table are shorter."""

TALL = 1.5
"""A box this many times higher than wide holds vertical text."""

TERMINAL = "。！？!?…；;：:"
"""A line that ends in one of these ends its paragraph."""


class Rect(NamedTuple):
    """An upright rectangle; y grows downwards."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """Extent from left to right."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Extent from top to bottom."""
        return self.bottom - self.top


def rect(line: Line) -> Rect:
    """Give the rectangle around a line's polygon."""
    xs, ys = line.polygon[0::2], line.polygon[1::2]
    return Rect(min(xs), min(ys), max(xs), max(ys))


def reading_order(rects: Sequence[Rect]) -> list[int]:
    """Give the numbers of the rectangles in the order in which they are read.

    Where most of the text is vertical, columns are read from right to left, each from top to bottom.
    """
    if is_vertical(rects):
        # Turned by a quarter, columns from right to left are rows from top to bottom.
        rects = [Rect(box.top, -box.right, box.bottom, -box.left) for box in rects]
    order: list[int] = []
    waiting = [sorted(range(len(rects)), key=lambda index: (rects[index].top, rects[index].left, index))]
    while waiting:
        part = waiting.pop()
        pieces = _cut(rects, part) if len(part) > 1 else [part]
        if len(pieces) == 1:
            order += pieces[0]
        else:
            waiting += reversed(pieces)
    return order


def is_vertical(rects: Sequence[Rect]) -> bool:
    """Whether more than half of the area that text covers is vertical text."""
    vertical = sum(box.width * box.height for box in rects if box.height >= TALL * box.width)
    return vertical > 0.5 * sum(box.width * box.height for box in rects)


def _cut(rects: Sequence[Rect], part: list[int]) -> list[list[int]]:
    height = median(rects[index].height for index in part)
    rows = _gap([_core(rects[index]) for index in part])
    columns = _gap([(rects[index].left, rects[index].right) for index in part])
    if columns and _are_columns(rects, part, columns, height):
        return _split(part, columns.at, [rects[index].left for index in part])
    if rows:
        return _split(part, rows.at, [_core(rects[index])[0] for index in part])
    if columns:
        return _split(part, columns.at, [rects[index].left for index in part])
    return [_by_rows(rects, part)]


def _core(box: Rect) -> tuple[float, float]:
    trim = box.height * (1 - CORE) / 2
    return box.top + trim, box.bottom - trim


class _Gap(NamedTuple):
    at: float
    """Where what follows the gap begins."""
    size: float


def _gap(spans: Sequence[tuple[float, float]]) -> _Gap | None:
    """The widest stretch that no span covers, between the first and the last; the first of equal ones."""
    widest: _Gap | None = None
    end: float | None = None
    for low, high in sorted(spans):
        if end is not None and low > end and (widest is None or low - end > widest.size):
            widest = _Gap(low, low - end)
        end = high if end is None else max(end, high)
    return widest


def _split(part: list[int], at: float, starts: Sequence[float]) -> list[list[int]]:
    before = [index for index, start in zip(part, starts, strict=True) if start < at]
    after = [index for index, start in zip(part, starts, strict=True) if start >= at]
    return [before, after]


def _are_columns(rects: Sequence[Rect], part: list[int], gap: _Gap, height: float) -> bool:
    """Whether both sides of a gap from top to bottom are columns: at least two lines each, close together."""
    sides = _split(part, gap.at, [rects[index].left for index in part])
    whole = max(rects[index].right for index in part) - min(rects[index].left for index in part)
    broad = all(
        max((rects[index].width for index in _beside(rects, side, other)), default=0.0) >= BROAD * whole
        for side, other in (sides, sides[::-1])
    )
    limit = LOOSE if broad else TIGHT
    return gap.size > 0.3 * height and all(_is_column(rects, side, limit) for side in sides)


def _beside(rects: Sequence[Rect], side: list[int], other: list[int]) -> list[int]:
    """The lines of one side that have a line of the other beside them: not the heading over a table."""
    return [index for index in side if any(_share_row(rects[index], rects[its]) for its in other)]


def _is_column(rects: Sequence[Rect], side: list[int], limit: float) -> bool:
    height = median(rects[index].height for index in side) * CORE
    widest = _gap([_core(rects[index]) for index in side])
    rows = max(rects[index].bottom for index in side) - min(rects[index].top for index in side)
    return rows >= 1.8 * height / CORE and (widest is None or widest.size < limit * height)


def _by_rows(rects: Sequence[Rect], part: list[int]) -> list[int]:
    """Order lines that no gap parts: those that overlap by half their height are one row, read from the left."""
    rows: list[list[int]] = []
    for index in sorted(part, key=lambda index: (rects[index].top + rects[index].bottom, rects[index].left, index)):
        if rows and _share_row(rects[rows[-1][0]], rects[index]):
            rows[-1].append(index)
        else:
            rows.append([index])
    return [index for row in rows for index in sorted(row, key=lambda index: (rects[index].left, index))]


def _share_row(first: Rect, second: Rect) -> bool:
    shared = min(first.bottom, second.bottom) - max(first.top, second.top)
    return shared > 0.5 * min(first.height, second.height)


def arrange(lines: Sequence[Line], join: str = "lines") -> list[Line]:
    """Put lines into reading order; with `join="paragraphs"` put broken paragraphs together."""
    ordered = [lines[index] for index in reading_order([rect(line) for line in lines])]
    return _paragraphs(ordered) if join == "paragraphs" else ordered


def _paragraphs(lines: Sequence[Line]) -> list[Line]:
    joined: list[Line] = []
    last: Line | None = None
    for line in lines:
        if last is not None and _goes_on(last, line):
            joined[-1] = _append(joined[-1], line)
        else:
            joined.append(line)
        last = line
    return joined


def _goes_on(line: Line, following: Line) -> bool:
    """Whether `following` is the next line of the same paragraph: right below, as high, and not the wider one."""
    first, second = rect(line), rect(following)
    height = min(first.height, second.height)
    return (
        max(first.height, second.height) <= 1.2 * height
        and -0.5 * height < second.top - first.bottom < 0.7 * height
        and -2.5 * height < second.left - first.left < 0.6 * height
        and first.right >= second.right - 1.2 * height
        and not line.text.endswith(tuple(TERMINAL))
    )


def _append(paragraph: Line, line: Line) -> Line:
    box, other = rect(paragraph), rect(line)
    left, top = min(box.left, other.left), min(box.top, other.top)
    right, bottom = max(box.right, other.right), max(box.bottom, other.bottom)
    blank = " " if _latin(paragraph.text[-1:]) and _latin(line.text[:1]) else ""
    letters, more = len(paragraph.text), len(line.text)
    score = round((paragraph.score * letters + line.score * more) / max(1, letters + more), 4)
    corners = (left, top, right, top, right, bottom, left, bottom)
    return replace(paragraph, text=paragraph.text + blank + line.text, score=score, polygon=corners)


def _latin(letter: str) -> bool:
    return letter.isascii() and letter.isalnum()
