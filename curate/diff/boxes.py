"""Lines of text read in a picture, before and after: which is which, what moved, what is read otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from rapidfuzz.distance import Levenshtein

from curate.diff.sample import Box

LEAST_IOU = 0.5
"""Intersection over union from which on two boxes are one."""
_STILL = 0.9
"""Intersection over union below which a box has moved."""

Rectangle = tuple[float, float, float, float]


@dataclass(frozen=True)
class BoxDiff:
    """What became of the lines of one picture."""

    before: tuple[Box, ...]
    after: tuple[Box, ...]
    added: int
    removed: int
    moved: int
    text_changed: int
    iou: float | None
    """Mean of the pairs; None where there are none."""
    cer: float | None
    """Edits per character over the text in reading order; None where there was none before."""
    pairs: tuple[tuple[int, int], ...]
    """Places of the lines that are one, before and after."""


def compare_boxes(before: Any, after: Any) -> BoxDiff:
    """Compare two values of `images[].ocr`, each None where the picture was not read."""
    old, new = _lines(before), _lines(after)
    pairs = _pairs([_rectangle(line) for line in old], [_rectangle(line) for line in new], old, new)
    partner = {left: (right, iou) for left, right, iou in pairs}
    back = {right: left for left, right, _ in pairs}
    boxes_a = tuple(
        _box(line, _state(line, new[partner[place][0]], partner[place][1]) if place in partner else "removed")
        for place, line in enumerate(old)
    )
    boxes_b = tuple(
        _box(line, boxes_a[back[place]].state if place in back else "added") for place, line in enumerate(new)
    )
    states = [boxes_a[left].state for left, _, _ in pairs]
    text_a, text_b = _text(before), _text(after)
    return BoxDiff(
        boxes_a,
        boxes_b,
        added=len(new) - len(pairs),
        removed=len(old) - len(pairs),
        moved=states.count("moved"),
        text_changed=states.count("text_changed"),
        iou=sum(iou for _, _, iou in pairs) / len(pairs) if pairs else None,
        cer=Levenshtein.distance(text_a, text_b) / len(text_a) if text_a else None,
        pairs=tuple((left, right) for left, right, _ in pairs),
    )


def _lines(ocr: Any) -> list[dict[str, Any]]:
    lines = ocr.get("lines") if isinstance(ocr, dict) else None
    return [line for line in lines or () if isinstance(line, dict)]


def _text(ocr: Any) -> str:
    return str(ocr.get("text") or "") if isinstance(ocr, dict) else ""


def _rectangle(line: dict[str, Any]) -> Rectangle:
    """The upright rectangle around a polygon."""
    points = [float(value) for value in line.get("polygon") or ()]
    if len(points) < 4:
        return (0.0, 0.0, 0.0, 0.0)
    return (min(points[::2]), min(points[1::2]), max(points[::2]), max(points[1::2]))


def overlap(one: Rectangle, other: Rectangle) -> float:
    """Intersection over union of two rectangles."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    return both / (_area(one) + _area(other) - both)


def _area(box: Rectangle) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _pairs(
    old: Sequence[Rectangle], new: Sequence[Rectangle], lines_a: Sequence[Any], lines_b: Sequence[Any]
) -> list[tuple[int, int, float]]:
    """Pair boxes greedily by overlap; what is left over by equal text, in order: a line that moved far."""
    scored = sorted(
        (-iou, left, right)
        for left, one in enumerate(old)
        for right, other in enumerate(new)
        if (iou := overlap(one, other)) >= LEAST_IOU
    )
    used_a: set[int] = set()
    used_b: set[int] = set()
    found: list[tuple[int, int, float]] = []
    for score, left, right in scored:
        if left not in used_a and right not in used_b:
            used_a.add(left)
            used_b.add(right)
            found.append((left, right, -score))
    for left, line in enumerate(lines_a):
        if left in used_a or not line.get("text"):
            continue
        for right, other in enumerate(lines_b):
            if right not in used_b and other.get("text") == line["text"]:
                used_b.add(right)
                found.append((left, right, overlap(old[left], new[right])))
                break
    return sorted(found)


def _state(line: dict[str, Any], other: dict[str, Any], iou: float) -> Literal["same", "moved", "text_changed"]:
    if line.get("text") != other.get("text"):
        return "text_changed"
    return "moved" if iou < _STILL else "same"


def _box(line: dict[str, Any], state: Any) -> Box:
    return Box.model_construct(
        text=str(line.get("text") or ""),
        score=line.get("score"),
        polygon=tuple(float(value) for value in line.get("polygon") or ()),
        state=state,
        hidden=False,
    )
