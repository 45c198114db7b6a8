"""Two texts as one: what stayed, went and came in, character by character, as a person reads it.

Levenshtein's edits are computed by RapidFuzz, never by `difflib`, whose defaults drop every character that makes up
more than one per cent of a long text: most Chinese texts. The raw edits then are cleaned: stretches of one or two
characters that stayed by chance between two edits join them, and an edit inside of a Latin word or a number widens to
the whole of it, so that 1,200 → 7,200 reads as a number that changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from rapidfuzz.distance import Levenshtein

LONGEST = 20_000
"""Code points of a text that is compared character by character at once; a longer one is compared by lines first."""

_JOINING = re.compile("[\u0300-\u036f\u200d\ufe00-\ufe0f\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]")
"""Signs that belong to the character before them; a text without any is compared by code points."""
_CLUSTER = re.compile(
    "(?:.[\u0300-\u036f\ufe00-\ufe0f\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]*)"
    "(?:\u200d.[\u0300-\u036f\ufe00-\ufe0f\U0001f3fb-\U0001f3ff]*)*",
    re.DOTALL,
)
_HAN = re.compile("[\u2e80-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")


class Edit(NamedTuple):
    """A stretch of both texts: equal, or replaced (one of the sides may be empty). Places count code points."""

    same: bool
    start: int
    end: int
    new_start: int
    new_end: int


def edits(before: str, after: str, words: bool = False) -> list[Edit]:
    """Give the cleaned edits that turn one text into the other, in order, covering both texts whole.

    Args:
        before: The text as it was.
        after: What it became.
        words: Whether whole words are exchanged, as jieba cuts them, not characters.
    """
    if before == after:
        return [Edit(True, 0, len(before), 0, len(after))] if before else []
    if len(before) > LONGEST or len(after) > LONGEST:
        return list(_by_lines(before, after))
    if words:
        return _merged(_between(_cut(before), _cut(after)))
    return _cleaned(_raw(before, after), before, after)


@cache
def _segmenter() -> Any:
    import rjieba

    return rjieba.Jieba()


def _cut(text: str) -> list[str]:
    return list(_segmenter().cut(text, False))


def _raw(before: str, after: str) -> list[Edit]:
    if not (_JOINING.search(before) or _JOINING.search(after)):
        codes = Levenshtein.opcodes(before, after)
        return [Edit(op.tag == "equal", op.src_start, op.src_end, op.dest_start, op.dest_end) for op in codes]
    return _between(_CLUSTER.findall(before), _CLUSTER.findall(after))


def _between(old: list[str], new: list[str]) -> list[Edit]:
    """The edits between two texts in parts, by places in the whole texts."""
    starts, new_starts = _starts(old), _starts(new)
    return [
        Edit(op.tag == "equal", starts[op.src_start], starts[op.src_end], new_starts[op.dest_start],
             new_starts[op.dest_end])
        for op in Levenshtein.opcodes(old, new)
    ]  # fmt: skip


def _starts(parts: list[str]) -> list[int]:
    found = [0]
    for part in parts:
        found.append(found[-1] + len(part))
    return found


def _by_lines(before: str, after: str) -> Iterator[Edit]:
    """Compare long texts by lines first, then inside of lines that changed where that can be afforded."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    starts, new_starts = _starts(old), _starts(new)
    for op in Levenshtein.opcodes(old, new):
        start, end = starts[op.src_start], starts[op.src_end]
        new_start, new_end = new_starts[op.dest_start], new_starts[op.dest_end]
        if op.tag == "equal" or max(end - start, new_end - new_start) > LONGEST:
            yield from _without_ends(op.tag == "equal", before, after, Edit(False, start, end, new_start, new_end))
        else:
            for one in edits(before[start:end], after[new_start:new_end]):
                yield Edit(
                    one.same, one.start + start, one.end + start, one.new_start + new_start, one.new_end + new_start
                )


def _without_ends(same: bool, before: str, after: str, edit: Edit) -> Iterator[Edit]:
    """An endless line that changed: what its two versions begin and end with stays, the rest is one edit."""
    if same:
        yield edit._replace(same=True)
        return
    _, start, end, new_start, new_end = edit
    while start < end and new_start < new_end and before[start] == after[new_start]:
        start, new_start = start + 1, new_start + 1
    while start < end and new_start < new_end and before[end - 1] == after[new_end - 1]:
        end, new_end = end - 1, new_end - 1
    pieces = (
        Edit(True, edit.start, start, edit.new_start, new_start),
        Edit(False, start, end, new_start, new_end),
        Edit(True, end, edit.end, new_end, edit.new_end),
    )
    yield from (one for one in pieces if one.end > one.start or one.new_end > one.new_start)


def _cleaned(found: list[Edit], before: str, after: str) -> list[Edit]:
    return _widened(_joined(_merged(found), before), before, after)


def _merged(found: list[Edit]) -> list[Edit]:
    """Join neighbours of one kind."""
    merged: list[Edit] = []
    for one in found:
        if merged and merged[-1].same == one.same:
            last = merged.pop()
            one = Edit(one.same, last.start, one.end, last.new_start, one.new_end)
        merged.append(one)
    return merged


def _joined(found: list[Edit], before: str) -> list[Edit]:
    """Fold a stretch that stayed between two edits into them where it is shorter than 2 Han or 3 other characters."""
    kept: list[Edit] = []
    for place, one in enumerate(found):
        inside = 0 < place < len(found) - 1
        text = before[one.start : one.end]
        if one.same and inside and len(text) < (2 if _HAN.search(text) else 3):
            one = one._replace(same=False)
        kept.append(one)
    return _merged(kept)


def _widened(found: list[Edit], before: str, after: str) -> list[Edit]:
    """Let an edit that begins or ends inside of a Latin word or number take all of it."""
    pieces: list[Edit] = []
    for place, one in enumerate(found):
        if not one.same:
            pieces.append(one)
            continue
        text = before[one.start : one.end]
        head = _run(text) if place > 0 and _touches(found[place - 1], before, after, end=True) else 0
        tail = (
            _run(text[::-1]) if place < len(found) - 1 and _touches(found[place + 1], before, after, end=False) else 0
        )
        if head + tail >= len(text):
            pieces.append(one._replace(same=False))
            continue
        cuts = [
            Edit(False, one.start, one.start + head, one.new_start, one.new_start + head),
            Edit(True, one.start + head, one.end - tail, one.new_start + head, one.new_end - tail),
            Edit(False, one.end - tail, one.end, one.new_end - tail, one.new_end),
        ]
        pieces += [cut for cut in cuts if cut.end > cut.start]
    return _merged(pieces)


def _run(text: str) -> int:
    """Length of the Latin word or number that a text begins with."""
    length = 0
    for sign in text:
        if not (sign.isascii() and (sign.isalnum() or sign in ".,")):
            break
        length += 1
    return len(text[:length].rstrip(".,"))


def _touches(edit: Edit, before: str, after: str, *, end: bool) -> bool:
    """Whether the end, or beginning, of an edit is a Latin letter or digit on either side."""
    sides = (before[edit.start : edit.end], after[edit.new_start : edit.new_end])
    return any(bool(text) and text[-1 if end else 0].isascii() and text[-1 if end else 0].isalnum() for text in sides)
