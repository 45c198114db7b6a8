"""A picture as a page shows it: small, with the lines of text that were read in it drawn over; and turns beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from curate.dataset.pictures import PictureStore
from curate.errors import RowError
from curate.report import personal
from curate.report.thumbnails import Album, Thumbnail

_SURE, _UNSURE = 0.9, 0.7
"""Scores from which a line is drawn solid, and dashed; below, dotted."""
_TURN = 400
"""Characters of a turn that are shown."""


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


def turns_facts(turns: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Turns of a record as plain data, the long ones cut."""
    return [{"role": turn["role"], "text": _cut(turn["text"] or "")} for turn in turns]


def picture_facts(image: Mapping[str, Any]) -> dict[str, Any]:
    """A picture of a record as plain data, before redaction; lines that hold personal data are to be blurred."""
    lines = (image.get("ocr") or {}).get("lines") or []
    return {
        "path": image["path"],
        "size": [image["width"], image["height"]] if image.get("width") and image.get("height") else None,
        "lines": [
            {
                "text": line["text"],
                "score": line["score"],
                "polygon": list(line["polygon"]),
                "hidden": bool(personal.find(line["text"])),
            }
            for line in lines
        ],
    }


def picture_side(path: str, facts: Mapping[str, Any], store: PictureStore, album: Album | None, hide: bool) -> Side:
    """Make a picture ready to be shown.

    Args:
        path: Where it is; what `facts` call it may be masked.
        facts: What `picture_facts` gave, redacted.
        store: Where pictures are read from.
        album: Makes the small picture; None for none.
        hide: Whether lines with personal data are blurred.
    """
    lines = [line(number, one["text"], one["score"], one["polygon"]) for number, one in enumerate(facts["lines"])]
    hidden = [one["polygon"] for one in facts["lines"] if one["hidden"] and hide]
    size = (facts["size"][0], facts["size"][1]) if facts["size"] else None
    small = album.get(path, partial(_content, store, path), hidden) if album else None
    return Side("picture", facts["path"], size, small, tuple(lines) if album else (), left_out=album is None)


def _content(store: PictureStore, path: str) -> bytes | None:
    try:
        return store.read(path)
    except RowError:
        return None


def _cut(text: str) -> str:
    return text if len(text) <= _TURN else f"{text[:_TURN]} …"
