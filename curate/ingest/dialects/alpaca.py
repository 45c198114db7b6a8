"""Alpaca: `instruction, input, output, history, system`, and ms-swift's `query, response`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from curate.errors import RowError
from curate.ingest import parts
from curate.ingest.conversation import lift_system, settle
from curate.ingest.dialects import Dialect
from curate.ingest.parts import Parts, Turns
from curate.records import PLACEHOLDER

_INLINE = re.compile(r"<img>([^<>\n]{1,1024})</img>")


def _history(row: Mapping[str, Any]) -> Turns:
    history = row.get("history")
    if history is None:
        return []
    if not isinstance(history, list):
        raise parts.wrong("history", "a list", history)
    turns: Turns = []
    for number, pair in enumerate(history):
        if not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(side, str) for side in pair):
            raise RowError("bad_field", f"history[{number}]: a pair of two strings is needed")
        turns += [("user", pair[0]), ("agent", pair[1])]
    return turns


def _inline(turns: Turns) -> tuple[Turns, list[str]]:
    """Read ms-swift's older form, where the picture's path stands in the text as `<img>path</img>`."""
    names = [name for who, text in turns if who == "user" for name in _INLINE.findall(text)]
    if not names:
        return turns, []
    return [(who, _INLINE.sub(PLACEHOLDER, text) if who == "user" else text) for who, text in turns], names


def _parse(row: Mapping[str, Any]) -> Parts:
    parts.no_other_media(row)
    asked, answered = (
        ("query", "response") if "instruction" not in row and "query" in row else ("instruction", "output")
    )
    question, extra = parts.text(row, asked), parts.optional_text(row, "input")
    turns = [*_history(row), ("user", f"{question}\n{extra}" if extra else question)]
    if answered in row:
        turns.append(("agent", parts.text(row, answered)))
    turns, system = lift_system(turns, parts.optional_text(row, "system"))
    names = parts.images(row)
    if not names:
        turns, names = _inline(turns)
    task = parts.optional_text(row, "task") or "chat"
    return Parts(settle(turns, len(names)), task, names, parts.source_id(row), system, split=parts.split(row))


def _matches(row: Mapping[str, Any]) -> bool:
    return "instruction" in row or ("query" in row and "response" in row)


DIALECT = Dialect("alpaca", _matches, _parse, "instruction, output (or query, response)")
