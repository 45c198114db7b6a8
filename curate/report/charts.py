"""Where the marks of a chart stand. Templates draw them as SVG in the page's colours, with a table beside each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

WIDTH = 600
"""Width of a chart in its own units."""


class Bar(NamedTuple):
    """A bar: where it begins and how long it is, in units of the chart."""

    start: float
    length: float
    kind: str
    value: int


class Column(NamedTuple):
    """A column of a histogram, from its upper edge down."""

    left: float
    top: float
    width: float
    height: float
    kind: str


def stacked(parts: Sequence[tuple[str, int]], width: float = WIDTH, whole: int | None = None) -> list[Bar]:
    """Lay parts of a whole side by side; a part that is there is at least two units wide, so that it is seen."""
    total = whole or sum(value for _, value in parts) or 1
    bars, place = [], 0.0
    for kind, value in parts:
        if value:
            length = max(2.0, width * value / total)
            bars.append(Bar(_rounded(place), _rounded(min(length, width - place)), kind, value))
            place += length
    return bars


def lengths(values: Sequence[float], width: float) -> list[float]:
    """Lengths of bars that share one scale; the longest is `width`."""
    most = max(values, default=0) or 1
    return [_rounded(width * value / most) for value in values]


class Pair(NamedTuple):
    """A value before and after, as shares of both sides."""

    name: str
    share_a: float
    share_b: float


def shortened(text: str, most: int = 48) -> str:
    """Cut a text to the room above a bar: Han characters take two places, Latin letters one."""
    places = 0
    for number, character in enumerate(text):
        places += 2 if ord(character) > 0x2E80 else 1
        if places > most:
            return f"{text[: max(0, number - 1)]}…"
    return text


def value_pairs(table: Sequence[Any], most: int = 12) -> list[Pair]:
    """The first values of a table of counts (`value`, `share_a`, `share_b`)."""
    return [
        Pair("–" if one.value is None else shortened(str(one.value)), one.share_a or 0.0, one.share_b or 0.0)
        for one in table[:most]
    ]


def histogram(a: Sequence[int], b: Sequence[int], width: float = WIDTH, height: float = 120) -> list[Column]:
    """Two histograms on common bins, each as shares of its own side, A behind and B in front; A may be empty."""
    total_a, total_b = sum(a) or 1, sum(b) or 1
    shares = [(value / total_a, "a") for value in a], [(value / total_b, "b") for value in b]
    most = max((share for side in shares for share, _ in side), default=0) or 1
    columns: list[Column] = []
    step = width / max(len(b), 1)
    for side, (offset, wide) in zip(shares, ((0.0, 1.0), (0.25, 0.5) if a else (0.0, 1.0)), strict=True):
        for number, (share, kind) in enumerate(side):
            tall = height * share / most
            left = step * (number + offset)
            columns.append(
                Column(_rounded(left), _rounded(height - tall), _rounded(step * wide * 0.94), _rounded(tall), kind)
            )
    return columns


def place(value: float, low: float, high: float, width: float = WIDTH) -> float:
    """Where a value stands on an axis; at its ends where it is beyond them."""
    share = (value - low) / (high - low) if high > low else 0.0
    return _rounded(width * min(1.0, max(0.0, share)))


def _rounded(value: float) -> float:
    return round(value, 1)


GLOBALS: dict[str, Callable[..., Any]] = {
    "stacked": stacked,
    "lengths": lengths,
    "value_pairs": value_pairs,
    "histogram": histogram,
    "place": place,
    "shortened": shortened,
}
"""What templates may call."""
