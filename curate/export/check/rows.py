"""Reading the rows of an export that anybody may have written: JSON arrays, JSON lines, Parquet; one at a time."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

SUFFIXES = (".json", ".jsonl", ".parquet")

_CHUNK = 1 << 20
_BLANK = " \t\r\n"


class BrokenFile(Exception):
    """A file cannot be read to its end; the text says why and where."""


def read(path: Path) -> Iterator[Any]:
    """Give the rows of a file, in order, as Python values.

    Raises:
        BrokenFile: it cannot be read.
    """
    try:
        if path.suffix == ".parquet":
            with pq.ParquetFile(path) as parquet:
                for batch in parquet.iter_batches(256):
                    yield from batch.to_pylist()
        else:
            yield from _json(path)
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        raise BrokenFile(str(error).strip().partition("\n")[0]) from error


def _json(path: Path) -> Iterator[Any]:
    """Values of a JSON array, or of JSON lines, whatever the suffix says; the file is never whole in memory."""
    decoder = json.JSONDecoder()
    with open(path, "rb") as stream:
        text = _Text(stream.read, codecs.getincrementaldecoder("utf-8")())
        array = text.peek() == "["
        if array:
            text.skip(1)
        number = 0
        while True:
            first = text.peek()
            if array and first == "]":
                return
            if array and number:
                if first != ",":
                    raise BrokenFile(f"row {number}: a comma or the end of the list was expected")
                text.skip(1)
                text.peek()
            if not first and not array:
                return
            yield text.value(decoder, number)
            number += 1


class _Text:
    """Text of a file, a window at a time."""

    def __init__(self, read: Any, decoder: codecs.IncrementalDecoder) -> None:
        self._read = read
        self._decoder = decoder
        self._window = ""
        self._place = 0
        self._ended = False

    def peek(self) -> str:
        """The next character that is not blank; empty at the end."""
        while True:
            while self._place < len(self._window) and self._window[self._place] in _BLANK:
                self._place += 1
            if self._place < len(self._window):
                return self._window[self._place]
            if not self._more():
                return ""

    def skip(self, characters: int) -> None:
        """Go on."""
        self._place += characters

    def value(self, decoder: json.JSONDecoder, number: int) -> Any:
        """Decode the next value."""
        while True:
            try:
                value, end = decoder.raw_decode(self._window, self._place)
            except (json.JSONDecodeError, RecursionError) as error:
                if not isinstance(error, RecursionError) and self._more():
                    continue
                raise BrokenFile(f"row {number}: not valid JSON: {error}") from error
            if end == len(self._window) and not isinstance(value, (dict, list, str)) and self._more():
                continue  # a number may go on
            self._place = end
            return value

    def _more(self) -> bool:
        if self._ended:
            return False
        data = self._read(_CHUNK)
        self._ended = not data
        fresh = self._decoder.decode(data, final=self._ended)
        self._window = self._window[self._place :] + fresh
        self._place = 0
        return bool(fresh) or not self._ended
