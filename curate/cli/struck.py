"""Two texts as one: what was taken out is struck through, what was put in is marked; in pipes with signs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from curate.cli.output import printable

if TYPE_CHECKING:
    from rich.text import Text

_PIECE = re.compile(r"\n?(?:user|agent|system|picture): |[^\s，。！？!?~～；;、,<>]+|.", re.DOTALL)
"""Clauses, marks and the beginnings of turns: what is compared first, so that equal letters far apart do not pair."""


def struck(before: str, after: str, *, plain: bool, longest: int | None = None) -> Text:
    """Show what became of a text.

    Args:
        before: The text as it was.
        after: What it became.
        plain: Write `[-out-]` and `{+in+}` instead of colours, for pipes.
        longest: Of longer stretches only the ends are shown.
    """
    from rich.text import Text

    text = Text()
    for kind, part in _edits(before, after):
        shown = printable(_shortened(part, longest)).replace("\t", " ")
        if kind == "same":
            text.append(shown)
        elif plain:
            text.append(f"[-{shown}-]" if kind == "out" else f"{{+{shown}+}}")
        else:
            text.append(shown, "strike red" if kind == "out" else "green")
    return text


def _shortened(part: str, longest: int | None) -> str:
    if longest is None or len(part) <= longest:
        return part
    half = longest // 2
    return f"{part[:half]}…{part[-half:]}"


def _edits(before: str, after: str) -> Iterator[tuple[str, str]]:
    """Stretches that stayed, went out or came in; first by clauses, then letter by letter where a clause changed."""
    from rapidfuzz.distance import Indel

    old, new = _PIECE.findall(before), _PIECE.findall(after)
    out = into = ""
    for edit in Indel.opcodes(old, new):
        if edit.tag == "equal":
            yield from _letters(out, into)
            out = into = ""
            yield "same", "".join(old[edit.src_start : edit.src_end])
        elif edit.tag == "delete":
            out += "".join(old[edit.src_start : edit.src_end])
        else:
            into += "".join(new[edit.dest_start : edit.dest_end])
    yield from _letters(out, into)


def _letters(out: str, into: str) -> Iterator[tuple[str, str]]:
    from rapidfuzz.distance import Indel

    if not out or not into:
        yield from ((kind, part) for kind, part in (("out", out), ("in", into)) if part)
        return
    for edit in Indel.opcodes(out, into):
        if edit.tag == "equal":
            yield "same", out[edit.src_start : edit.src_end]
        elif edit.tag == "delete":
            yield "out", out[edit.src_start : edit.src_end]
        else:
            yield "in", into[edit.dest_start : edit.dest_end]
