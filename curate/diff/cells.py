"""Values of cells: JSON text and back, what is missing, and the pictures that a value names."""

from __future__ import annotations

import json
from typing import Any

import orjson

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
