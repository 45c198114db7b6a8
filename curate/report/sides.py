"""A picture as a page shows it: small, with the lines of text that were read in it drawn over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from curate.report.thumbnails import Thumbnail

_SURE, _UNSURE = 0.9, 0.7
"""Scores from which a line is drawn solid, and dashed; below, dotted."""


@dataclass(frozen=True)
class Line:
    """A line of text read in a picture."""

    id: str
    text: str
    points: str
    """For an SVG polygon, in pixels of the upright original, so that nothing has to be scaled."""
    kind: str
    """Classes of the style sheet: how sure, and what became of it."""
    score: float | None


@dataclass(frozen=True)
class Side:
    """A picture on one side."""

    side: str
    """before, after or picture: a word of `words.yaml`."""
    name: str
    size: tuple[int, int] | None
    """Pixels of the upright original."""
    thumbnail: Thumbnail | None = None
    lines: tuple[Line, ...] = ()
    detail: Thumbnail | None = None
    """The same, large enough to be read; None where the small one has all there is, or to save space."""
    left_out: bool = False
    """Whether none is shown to save space or to hide it."""


def line(number: int, text: str, score: float | None, polygon: Sequence[float], state: str = "same") -> Line:
    """Make a line; `polygon` holds x and y of its corners in turn."""
    sure = "sure" if score is None or score >= _SURE else "unsure" if score >= _UNSURE else "poor"
    points = " ".join(f"{x:g},{y:g}" for x, y in zip(polygon[0::2], polygon[1::2], strict=False))
    return Line(str(number), text, points, f"{sure} {state}", score)
