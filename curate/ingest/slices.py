"""What a container yields for each record, and the one place where the text of a record becomes an object."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from curate.errors import RowError
from curate.pipeline.source import Position

MAX_DEPTH = 100
"""Levels of nesting in one record; deeper ones would break other programs, and soon Python's own stack."""

_NO_CHARACTERS = bytes(range(0x80, 0xC0))
"""Bytes that go on with a UTF-8 character and begin none."""

SHOWN = 1024
"""Bytes that are kept of a record that is too large."""


class Slice(NamedTuple):
    """One record as it stands in its container."""

    raw: str
    """The exact text of the record, white space around it included."""
    value: Any
    """The decoded object; None where that failed."""
    failure: RowError | None
    """Why it could not be decoded, or why it cannot be used although it was decoded."""
    next: int
    """Where the record behind it begins."""


class Container(Protocol):
    """A file or folder that holds records one after another."""

    kind: str
    """json, jsonl, parquet or folder."""
    path: Path
    limit: int
    """Bytes of the largest record that is read."""

    def fingerprint(self) -> str:
        """Hash of the content."""

    def slices(self, start: Position) -> Iterator[Slice]:
        """Give the records from `start` on, whose offset is 0 or the `next` of a slice.

        Raises:
            InputError: the rest cannot be read at all.
        """

    def learn(self, keys: frozenset[str]) -> None:
        """Take in the keys of a good record; a damaged file is then read on where such a record begins."""

    def count(self, sizes: list[int]) -> int:
        """Guess the number of records, from the sizes in bytes of the first ones."""

    def layout(self) -> dict[str, str]:
        """Head, separator, tail and file name for writing the records back."""


class Decoder:
    """Decodes JSON; the outcome does not depend on Python's version or the depth of its stack."""

    def __init__(self) -> None:
        self._constants: list[str] = []
        self._json = json.JSONDecoder(parse_constant=self._constants.append)

    def decode(self, text: str, start: int) -> tuple[Any, int, RowError | None]:
        """Decode the value at `start`; gives the value, its end, and why it cannot be used although it is complete.

        Raises:
            json.JSONDecodeError: it is not valid JSON, or `text` ends too early.
            ValueError: a number has too many digits.
            RecursionError: it is nested too deeply even to find its end.
        """
        self._constants.clear()
        value, end = self._json.raw_decode(text, start)
        return value, end, self._objection(value, text, start, end)

    def _objection(self, value: Any, text: str, start: int, end: int) -> RowError | None:
        if self._constants:
            return RowError("not_a_number", f"{self._constants[0]} is not JSON; write null or leave the field out")
        if text.count("{", start, end) + text.count("[", start, end) > MAX_DEPTH and is_too_deep(value):
            return RowError("too_deep", f"more than {MAX_DEPTH} levels")
        if not isinstance(value, dict):
            return RowError("not_an_object")
        escaped = text.find("\\ud", start, end) >= 0 or text.find("\\uD", start, end) >= 0
        return lone_surrogate(value) if escaped else None


def is_too_deep(value: Any) -> bool:
    """Whether lists and objects are nested in more than `MAX_DEPTH` levels."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [child for parent in level for child in _children(parent)]
        if not level:
            return False
    return True


def _children(value: Any) -> list[Any]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [child for child in inner if isinstance(child, (dict, list))]


def lone_surrogate(value: Any) -> RowError | None:
    """Why a decoded object cannot be stored as Unicode; None where it can."""
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return RowError("lone_surrogate")
    return None


def place(path: Path, offset: int) -> str:
    """Name a place in a file for a person: line and column, both from 1, the column in characters."""
    line, column = 1, 1
    with open(path, "rb") as stream:
        left = offset
        while left > 0 and (chunk := stream.read(min(left, 1 << 20))):
            left -= len(chunk)
            line += chunk.count(b"\n")
            _, broken, last = chunk.rpartition(b"\n")
            column = _characters(last) + (1 if broken else column)
    return f"line {line}, column {column}"


def _characters(data: bytes) -> int:
    return len(data.translate(None, _NO_CHARACTERS)) - data.count(b"\xef\xbb\xbf")
