"""One JSON object on each line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from curate.dataset.files import content_hash
from curate.errors import RowError
from curate.ingest.codes import RECORD_LIMIT
from curate.ingest.slices import MAX_DEPTH, SHOWN, Decoder, Slice, is_too_deep, lone_surrogate
from curate.pipeline.source import Position

BOM = b"\xef\xbb\xbf"
_CHUNK = 1 << 20
_SPACE = b" \t\r\n"


class JsonLines:
    """Lines of a JSONL file. A slice's raw text is the line with its line break and the blank lines before it."""

    kind = "jsonl"

    def __init__(self, path: Path, limit: int = RECORD_LIMIT) -> None:
        self.path = path
        self.limit = limit
        self._decoder = Decoder()
        with open(path, "rb") as stream:
            self._head = BOM if stream.read(3) == BOM else b""

    def fingerprint(self) -> str:
        """Hash of the file's bytes."""
        return content_hash(self.path)

    def learn(self, keys: frozenset[str]) -> None:
        """Lines need no help to find the next record."""

    def count(self, sizes: list[int]) -> int:
        """Guess the number of records."""
        return max(1, round(self.path.stat().st_size * len(sizes) / max(1, sum(sizes))))

    def layout(self) -> dict[str, str]:
        """A byte order mark at the beginning, and blank lines at the end."""
        with open(self.path, "rb") as stream:
            stream.seek(max(len(self._head), self.path.stat().st_size - _CHUNK))
            data = stream.read()
        blank = data[len(data.rstrip(_SPACE)) :]
        _, line_break, tail = blank.partition(b"\n")
        return {
            "head": self._head.decode("utf-8"),
            "separator": "",
            "tail": tail.decode() if line_break else "",
            "name": "source.jsonl",
        }

    def slices(self, start: Position) -> Iterator[Slice]:
        """Give the records from `start` on."""
        offset = start.offset or len(self._head)
        blank = b""
        with open(self.path, "rb") as stream:
            stream.seek(offset)
            while line := stream.readline(self.limit + 1):
                offset += len(line)
                if len(line) > self.limit:
                    offset += 0 if line.endswith(b"\n") else _skip_line(stream)
                    raw = line[:SHOWN].decode("utf-8", "backslashreplace")
                    yield Slice(raw, None, RowError("record_too_large", f"more than {self.limit} bytes"), offset)
                elif line.isspace() and not line.strip(_SPACE):
                    blank += line
                    continue
                else:
                    yield self._slice(line, blank, offset)
                blank = b""

    def _slice(self, line: bytes, blank: bytes, offset: int) -> Slice:
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError:
            value, _ = self._decode(line.decode("utf-8", "surrogateescape"))
            raw = (blank + line).decode("utf-8", "backslashreplace")
            return Slice(raw, value, RowError("not_utf8"), offset)
        raw = blank.decode("utf-8") + text if blank else text
        try:
            value = orjson.loads(line)
        except orjson.JSONDecodeError:
            value, failure = self._decode(text)
            return Slice(raw, value, failure, offset)
        return Slice(raw, value, _objection(value, text), offset)

    def _decode(self, text: str) -> tuple[Any, RowError | None]:
        """Decode what the fast decoder refuses, and find out why it does."""
        body = text.strip(" \t\r\n")
        try:
            value, end, failure = self._decoder.decode(body, 0)
        except json.JSONDecodeError as error:
            return None, RowError("bad_json", f"{error.msg}, {error.pos} characters into the record")
        except ValueError:
            return None, RowError("bad_json", "a number has too many digits")
        except RecursionError:
            return None, RowError("too_deep", f"more than {MAX_DEPTH} levels")
        if end < len(body):
            return None, RowError("bad_json", f"Extra data, {end} characters into the record")
        return value, failure


def _objection(value: Any, text: str) -> RowError | None:
    if text.count("{") + text.count("[") > MAX_DEPTH and is_too_deep(value):
        return RowError("too_deep", f"more than {MAX_DEPTH} levels")
    if not isinstance(value, dict):
        return RowError("not_an_object")
    return lone_surrogate(value) if "\\ud" in text or "\\uD" in text else None


def _skip_line(stream: BinaryIO) -> int:
    """Read to the end of the line; give the number of bytes."""
    passed = 0
    while line := stream.readline(_CHUNK):
        passed += len(line)
        if line.endswith(b"\n"):
            break
    return passed
