"""A JSON array of records, read one after another in bounded memory."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from curate.dataset.files import content_hash
from curate.errors import InputError
from curate.ingest.codes import RECORD_LIMIT
from curate.ingest.json_window import CHUNK, Truncated, Window
from curate.ingest.slices import Slice, place
from curate.pipeline.source import Position

_SPACE = b" \t\r\n"
_HEAD = re.compile(rb"(?:\xef\xbb\xbf)?[ \t\r\n]*\[")


class JsonArray:
    """Records between `[` and `]`. A slice's raw text is everything between two separators, white space included."""

    kind = "json"

    def __init__(self, path: Path, limit: int = RECORD_LIMIT) -> None:
        self.path = path
        self.limit = limit
        self._keys: frozenset[str] = frozenset()
        with open(path, "rb") as stream:
            found = _HEAD.match(stream.read(CHUNK))
        if found is None:
            raise InputError(f"{path}: no '[' at the beginning; this is not a JSON list of records")
        self._head = found[0]

    def fingerprint(self) -> str:
        """Hash of the file's bytes."""
        return content_hash(self.path)

    def learn(self, keys: frozenset[str]) -> None:
        """Take in the keys of a good record."""
        self._keys = keys

    def count(self, sizes: list[int]) -> int:
        """Guess the number of records."""
        return max(1, round(self.path.stat().st_size * len(sizes) / max(1, sum(sizes) + len(sizes))))

    def layout(self) -> dict[str, str]:
        """Everything but the records: up to and with `[`, and from the last `]` on."""
        with open(self.path, "rb") as stream:
            stream.seek(max(len(self._head), self.path.stat().st_size - CHUNK))
            _, bracket, after = stream.read().rpartition(b"]")
        tail = (bracket + after).decode("utf-8", "replace") if bracket else ""
        return {"head": self._head.decode("utf-8"), "separator": ",", "tail": tail, "name": "source.json"}

    def slices(self, start: Position) -> Iterator[Slice]:
        """Give the records from `start` on.

        Raises:
            InputError: the file ends inside the list, or text follows it.
        """
        window, index = None, start.index
        with open(self.path, "rb") as stream:
            offset = start.offset or len(self._head)
            stream.seek(offset - 1)
            before = stream.read(1)
            window = Window(stream, offset, self.limit, self._keys)
            more = before != b"]" and not (before == b"[" and window.at_bracket())
            try:
                if before not in (b",", b"[", b"]"):
                    raise Truncated
                while more:
                    item, more = window.take()
                    yield item
                    index += 1
            except Truncated:
                raise self._truncated(window.offset, index) from None
        if index:
            self._check_tail(window.offset)

    def _truncated(self, offset: int, index: int) -> InputError:
        return InputError(
            f"{self.path}: the list is not closed with ']': the file ends in or before record {index + 1}, "
            f"which begins at {place(self.path, offset)}. It was probably cut off while it was copied: "
            "copy it again and run the same command"
        )

    def _check_tail(self, offset: int) -> None:
        """Make sure that nothing but white space follows the list."""
        with open(self.path, "rb") as stream:
            stream.seek(offset)
            while chunk := stream.read(CHUNK):
                if chunk.strip(_SPACE):
                    at = offset + len(chunk) - len(chunk.lstrip(_SPACE))
                    raise InputError(
                        f"{self.path}: text follows the closing ']' of the list, at {place(self.path, at)}. "
                        "A file holds one list: put each list into a file of its own"
                    )
                offset += len(chunk)
