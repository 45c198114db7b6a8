"""ShareGPT: `conversations` of `from` and `value`, with the variants that LLaMA-Factory and ms-swift read too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from curate.errors import RowError
from curate.ingest import parts
from curate.ingest.conversation import lift_system, role, settle
from curate.ingest.dialects import Dialect
from curate.ingest.parts import Parts, Turns

_LISTS = ("conversations", "conversation", "messages")
_NAMES = (
    ("from", "value"),
    ("role", "content"),
    ("role", "value"),
    ("from", "content"),
    ("role", "text"),
    ("speaker", "text"),
)
"""Names for speaker and text, the commonest first; `role` and `content` are the OpenAI tags."""


def _turns(row: Mapping[str, Any]) -> Turns:
    key = next((name for name in _LISTS if name in row), None)
    if key is None:
        raise RowError("missing_field", "conversations")
    if not isinstance(row[key], list):
        raise parts.wrong(key, "a list", row[key])
    if not row[key]:
        raise RowError("bad_field", f"{key}: the list is empty")
    turns: Turns = []
    for number, entry in enumerate(row[key]):
        turns += _turn(entry, f"{key}[{number}]")
    return turns


def _turn(entry: Any, place: str) -> Turns:
    if not isinstance(entry, Mapping):
        raise parts.wrong(place, "an object", entry)
    for who, what in _NAMES:
        if who in entry and what in entry:
            if not isinstance(entry[what], str):
                raise parts.wrong(f"{place}.{what}", "a string", entry[what])
            return [(role(entry[who]), entry[what])]
    if "human" in entry and "assistant" in entry:  # ms-swift: a round in one object
        return [("user", parts.text(entry, "human")), ("agent", parts.text(entry, "assistant"))]
    raise RowError("missing_field", f"{place}: from and value")


def _matches(row: Mapping[str, Any]) -> bool:
    if any(isinstance(row.get(name), list) for name in ("conversations", "conversation")):
        return True
    messages = row.get("messages")
    return isinstance(messages, list) and bool(messages) and isinstance(messages[0], Mapping) and "from" in messages[0]


def _parse(row: Mapping[str, Any]) -> Parts:
    parts.no_other_media(row)
    turns, system = lift_system(_turns(row), parts.optional_text(row, "system"))
    names = parts.images(row)
    task = parts.optional_text(row, "task") or "chat"
    return Parts(settle(turns, len(names)), task, names, parts.source_id(row), system, split=parts.split(row))


DIALECT = Dialect("sharegpt", _matches, _parse, "conversations (from, value)")
