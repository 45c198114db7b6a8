"""Types of columns as Arrow infers them: a column that is text here and a number there stops a trainer's loader."""

from __future__ import annotations

from typing import Any

Kind = str | tuple[str, Any]
"""`null`, `bool`, `number`, `string`, or ("list", kind of items), ("struct", kinds by key)."""

_PLAIN: dict[type, Kind] = {bool: "bool", int: "number", float: "number", str: "string", bytes: "string"}


class Columns:
    """The columns of the rows seen so far."""

    def __init__(self) -> None:
        self.kinds: dict[str, Kind] = {}
        self._told: set[str] = set()

    def add(self, row: dict[str, Any]) -> list[str]:
        """Take a row into account; give the columns in which two kinds meet for the first time, in words."""
        found = []
        for key, value in row.items():
            known = self.kinds.setdefault(key, "null")
            try:
                self.kinds[key] = _join(known, _kind(value, key), key)
            except _Mixed as error:
                if key not in self._told:
                    self._told.add(key)
                    found.append(str(error))
        return found


class _Mixed(Exception):
    """Two kinds meet in one column; the text names it and both."""


def _kind(value: Any, path: str) -> Kind:
    if value is None:
        return "null"
    if isinstance(value, list):
        kind: Kind = "null"
        for item in value:
            kind = _join(kind, _kind(item, f"{path}[]"), f"{path}[]")
        return ("list", kind)
    if isinstance(value, dict):
        return ("struct", {key: _kind(item, f"{path}.{key}") for key, item in value.items()})
    return _PLAIN.get(type(value), type(value).__name__)


def _join(one: Kind, other: Kind, path: str) -> Kind:
    if one == "null" or one == other:
        return other
    if other == "null":
        return one
    if isinstance(one, tuple) and isinstance(other, tuple) and one[0] == other[0]:
        if one[0] == "list":
            return ("list", _join(one[1], other[1], f"{path}[]"))
        keys = {**one[1], **other[1]}
        return (
            "struct",
            {key: _join(one[1].get(key, "null"), other[1].get(key, "null"), f"{path}.{key}") for key in keys},
        )
    raise _Mixed(f"column {path} is {_word(one)} and {_word(other)}")


def _word(kind: Kind) -> str:
    return kind if isinstance(kind, str) else kind[0]
