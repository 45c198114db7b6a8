"""Noise in text that was read in pictures: what geometry and pattern together make certain."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

STATUS_BAR_SHARE = 0.04
"""A phone's status bar lies within this share of the screen's height (about 100 of 2,340 pixels)."""

_STATUS = re.compile(
    r"(?:(?:上午|下午|AM|PM)?\s?\d{1,2}:\d{2}|\d+(?:\.\d+)?\s?[KM]B?/?[sS]|[345]G\+?|HD|VoLTE|Wi-?Fi|LTE|\d{1,3}%?"
    r"|中国(?:移动|联通|电信)|[\s|•·.:…●▪○]+)+",
    re.IGNORECASE,
)


def is_status_bar(line: dict[str, Any], height: int) -> bool:
    """Whether a line is a clock, signal, network speed or battery at the top of a phone's screen."""
    return bottom(line) <= STATUS_BAR_SHARE * height and _STATUS.fullmatch(line["text"].strip()) is not None


def bottom(line: dict[str, Any]) -> float:
    """Lowest y of a line's polygon, in pixels."""
    return float(max(line["polygon"][1::2]))


def _box(line: dict[str, Any]) -> tuple[float, float, float, float]:
    xs, ys = line["polygon"][0::2], line["polygon"][1::2]
    return min(xs), min(ys), max(xs), max(ys)


def overlap(one: dict[str, Any], other: dict[str, Any]) -> float:
    """Intersection over union of the upright boxes of two lines."""
    a, b = _box(one), _box(other)
    wide = min(a[2], b[2]) - max(a[0], b[0])
    high = min(a[3], b[3]) - max(a[1], b[1])
    if wide <= 0 or high <= 0:
        return 0.0
    both = wide * high
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)


def clean_lines(
    ocr: dict[str, Any], height: int, rules: frozenset[str], min_score: float
) -> tuple[dict[str, Any], Counter[str]]:
    """Drop noise lines of one picture; the text follows the lines."""
    hits: Counter[str] = Counter()
    kept: list[dict[str, Any]] = []
    gone: list[str] = []
    for line in ocr["lines"]:
        rule = _rule(line, height, kept, rules, min_score)
        if rule is None:
            kept.append(line)
        else:
            hits[rule] += 1
            gone.append(line["text"])
    if not gone:
        return ocr, hits
    return {**ocr, "lines": kept, "text": _without(ocr["text"], gone, kept)}, hits


def _rule(
    line: dict[str, Any], height: int, kept: Sequence[dict[str, Any]], rules: frozenset[str], min_score: float
) -> str | None:
    if "status-bar" in rules and is_status_bar(line, height):
        return "status-bar"
    if "low-score" in rules and line["score"] < min_score:
        return "low-score"
    if "repeated-line" in rules and any(line["text"] == other["text"] and overlap(line, other) > 0.5 for other in kept):
        return "repeated-line"
    return None


def _without(text: str, gone: Sequence[str], kept: Sequence[dict[str, Any]]) -> str:
    """Take the lines out of the picture's text; a text that was joined otherwise is joined anew from its lines."""
    rows = text.split("\n")
    for line in gone:
        if line not in rows:
            return "\n".join(line["text"] for line in kept)
        rows.remove(line)
    return "\n".join(rows)
