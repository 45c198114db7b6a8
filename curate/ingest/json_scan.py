"""Finds where a broken JSON element ends, so that it costs one record and not the rest of the file."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

SPACE = re.compile(r"[ \t\r\n]*")
EDGE = 16
"""Characters at the end of a text in which an error may only mean that the rest is not there yet."""

_STRUCTURE = re.compile(r'["{}\[\],]')
_IN_STRING = re.compile(r'["\\\n]')
_TRIES = 1000
"""Places where a record may begin that are tried behind one broken element."""


class Unfinished(Exception):
    """The record goes on behind what was read so far."""


def skip_space(text: str, start: int) -> int:
    """Give the place of the first character from `start` on that is not white space."""
    found = SPACE.match(text, start)
    return found.end() if found else start


def is_early(error: json.JSONDecodeError, text: str) -> bool:
    """Whether an error may vanish when more text is read."""
    return error.msg.startswith("Unterminated string") or error.pos >= len(text) - EDGE


class Scanner:
    """Follows brackets and strings through text, which may come in pieces.

    The element ends at the comma outside of all brackets, or at the bracket that closes the whole list, behind
    which there is nothing. A line break ends a string, because JSON strings cannot hold one: a missing quote then
    spoils one line only.
    """

    def __init__(self) -> None:
        self._depth = 0
        self._in_string = False
        self._skip = 0

    def feed(self, text: str, start: int, stop: int | None = None) -> int | None:
        """Scan from `start` to `stop`; give where the comma or bracket is that ends the element, None if it goes on."""
        stop = len(text) if stop is None else stop
        position = start + self._skip
        while position < stop:
            if self._in_string:
                position = self._string(text, position, stop)
                continue
            found = _STRUCTURE.search(text, position, stop)
            if found is None:
                position = stop
            elif self._ends(found[0], text, found.end()):
                return found.start()
            else:
                position = found.end()
        self._skip = position - stop
        return None

    def _string(self, text: str, position: int, stop: int) -> int:
        found = _IN_STRING.search(text, position, stop)
        if found is None:
            return stop
        if found[0] == "\\":
            return found.end() + 1
        self._in_string = False
        return found.end()

    def _ends(self, sign: str, text: str, after: int) -> bool:
        if sign == '"':
            self._in_string = True
        elif sign in "{[":
            self._depth += 1
        elif self._depth == 0:
            return sign == "," or (sign == "]" and skip_space(text, after) == len(text))
        elif sign in "}]":
            self._depth -= 1
        return False


def next_record(
    text: str, start: int, keys: frozenset[str], decode: Callable[[str, int], tuple[object, int]]
) -> int | None:
    """Find the comma before the first good record behind `start`, where a broken one begins.

    A good record is an object that decodes, is followed by a comma or a bracket, and has at least half of `keys`.

    Raises:
        Unfinished: a candidate goes on behind the text.
    """
    names = "|".join(re.escape(json.dumps(key, ensure_ascii=False)) for key in sorted(keys)) or '"'
    candidates = re.compile(rf",\s*(?=\{{\s*(?:{names}))").finditer(text, start)
    for _, found in zip(range(_TRIES), candidates, strict=False):
        try:
            value, stop = decode(text, found.end())
        except json.JSONDecodeError as error:
            if is_early(error, text):
                raise Unfinished from error
            continue
        except (ValueError, RecursionError):
            continue
        stop = skip_space(text, stop)
        if stop == len(text):
            raise Unfinished
        if isinstance(value, dict) and text[stop] in ",]" and 2 * len(keys & value.keys()) >= len(keys):
            return found.start()
    return None
