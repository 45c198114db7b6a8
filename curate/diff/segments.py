"""Two texts written as one, with signs for what cannot be seen and gaps for what stayed."""

from __future__ import annotations

import re
from typing import Any

from curate.diff.sample import Segment
from curate.diff.text import edits

CONTEXT = 40
"""Characters that stayed and are shown on each side of an edit."""

_SIGNS = {"\n": "⏎", "\r": "␍", "\t": "⇥", "\u3000": "▯", "\x00": "␀"}
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3000\ufeff\ud800-\udfff]"
)


def segments(
    before: str, after: str, longest: int | None = 600, words: bool = False
) -> tuple[tuple[Segment, ...], bool]:
    """Write both texts as one.

    Args:
        before: The text as it was.
        after: What it became.
        longest: Characters that are shown at most; None for all of both texts.
        words: Whether whole words are exchanged.

    Returns:
        The segments, and whether any edit was left out or shortened.
    """
    found: list[Segment] = []
    room, cut = longest if longest is not None else 1 << 60, False
    for place, one in enumerate(whole := edits(before, after, words)):
        if one.same:
            text = before[one.start : one.end]
            if longest is not None:
                found += _context(text, place > 0, place < len(whole) - 1)
            else:
                found.append(_segment("same", text))
            continue
        for kind, text in (("out", before[one.start : one.end]), ("in", after[one.new_start : one.new_end])):
            if not text:
                continue
            if room <= 0:
                cut = True
                continue
            found.append(_segment(kind, text[:room]))
            if len(text) > room:
                found.append(Segment(kind="gap", characters=len(text) - room))
                cut = True
            room -= len(text)
    return _without_tail(found, cut), cut


def _without_tail(found: list[Segment], cut: bool) -> tuple[Segment, ...]:
    """Where edits were left out, everything behind the last that is shown is one gap."""
    if not cut:
        return tuple(found)
    last = max((place for place, one in enumerate(found) if one.kind in ("out", "in")), default=-1)
    rest = sum(one.characters for one in found[last + 1 :])
    return (*found[: last + 1], Segment(kind="gap", characters=rest))


def _context(text: str, has_before: bool, has_after: bool) -> list[Segment]:
    """The ends of a stretch that stayed, next to the edits around it, and a gap for what lies between."""
    head = CONTEXT if has_before else 0
    tail = CONTEXT if has_after else 0
    if len(text) <= head + tail + 10:
        return [_segment("same", text)]
    parts = [_segment("same", text[:head])] if head else []
    parts.append(Segment(kind="gap", characters=len(text) - head - tail))
    return [*parts, _segment("same", text[len(text) - tail :])] if tail else parts


def _segment(kind: str, text: str) -> Segment:
    return Segment.model_construct(kind=kind, text=visible(text), characters=len(text))


def visible(text: str) -> str:
    """Write out what cannot be seen: `⏎`, `⇥`, `▯` for U+3000, `␀`, `⟨U+200B⟩`."""
    return _UNSEEN.sub(lambda match: _SIGNS.get(match.group()) or f"⟨U+{ord(match.group()):04X}⟩", text)


def everything_visible(value: Any) -> Any:
    """Write out what cannot be seen in all texts of plain data, names of columns and files included."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, dict):
        return {visible(key): item if key == "file" else everything_visible(item) for key, item in value.items()}
    return [everything_visible(item) for item in value] if isinstance(value, list) else value
