"""What a person says in a card: the values at its head, and the answers to its questions."""

from __future__ import annotations

import re
from typing import Any

from curate.card import front_matter
from curate.card.layout import OPEN, CardError, Layout, parse

_MARKER = re.compile(r" {0,3}(#{1,6}(\s|$)|<!-- curate:|```|~~~)")


def answers(layout: Layout) -> dict[str, str]:
    """What a person answered, by question."""
    found = ((question.id, layout.answer(question)) for question in layout.questions)
    return {name: words for name, words in found if words is not None}


def metadata(layout: Layout, name: str) -> dict[str, Any]:
    """The values of a card's front matter."""
    start, end = layout.front or (0, 0)
    return front_matter.load(layout.lines[start:end], name)


def answer(text: str, name: str, question: str, words: str) -> str:
    """Put a person's words under a question; nothing else changes.

    Raises:
        CardError: the card has no such question.
    """
    layout = parse(text, name)
    found = next((one for one in layout.questions if one.id == question), None)
    if found is None:
        raise CardError(f"{name} has no question '{question}'")
    lines = [
        (f"\\{line}" if _MARKER.match(line) else line) + layout.newline for line in words.strip().splitlines()
    ] or [OPEN + layout.newline]
    return "".join([*layout.lines[: found.start], *lines, *layout.lines[found.end :]])
