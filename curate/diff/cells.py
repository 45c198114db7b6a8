"""Values of cells: JSON text and back, what is missing, and the pictures that a value names."""

from __future__ import annotations

import json
from typing import Any

import orjson

from curate.records import PLACEHOLDER

_ROLES, _TEXTS = ("role", "from"), ("text", "value", "content")
_SORTED = orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS


class _Missing:
    """Stands for a key that is not there."""

    def __repr__(self) -> str:
        return "missing"

    def __reduce__(self) -> str:
        return "MISSING"


MISSING: Any = _Missing()


def cell(value: Any) -> str:
    """The JSON text of a value, keys sorted; lone surrogates and numbers beyond 64 bits as Python writes them."""
    try:
        return orjson.dumps(value, default=str, option=_SORTED).decode("utf-8")
    except TypeError:
        return json.dumps(value, ensure_ascii=True, sort_keys=True, default=str)


def value_of(text: str) -> Any:
    """Undo `cell`."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return json.loads(text)


def picture_paths(value: Any) -> list[str]:
    """Paths of pictures in a cell: a path, or a list of paths, or of objects with a `path`."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [value["path"]] if isinstance(value.get("path"), str) else []
    return [path for one in value for path in picture_paths(one)] if isinstance(value, list) else []


def is_conversation(value: Any) -> bool:
    """Whether a value is a list of turns: objects with a role and a text; the first and the last one are looked at."""
    if not isinstance(value, list) or not value:
        return False
    return all(isinstance(turn, dict) and turn_keys(turn) is not None for turn in (value[0], value[-1]))


def turn_keys(turn: dict[str, Any]) -> tuple[str, str] | None:
    """The keys of a turn's role and text; None where it is no turn."""
    for role in _ROLES:
        if role in turn:
            for text in _TEXTS:
                if text in turn:
                    return role, text
    return None


def text_of(value: Any) -> str:
    """All texts in a value, one after the other."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        turn = turn_keys(value)
        if turn is not None:
            return text_of(value[turn[1]])
        return "\n".join(filter(None, (text_of(item) for _, item in sorted(value.items()))))
    if isinstance(value, list):
        return "\n".join(filter(None, map(text_of, value)))
    return "" if value is None or value is MISSING or isinstance(value, bool) else str(value)


def says_something(text: str) -> bool:
    """Whether a text holds more than places of pictures: `<image>` alone makes no two rows alike."""
    return bool(text.replace(PLACEHOLDER, "").strip())


def storable(text: str) -> str:
    """A text that may hold lone surrogates, with these written out."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
