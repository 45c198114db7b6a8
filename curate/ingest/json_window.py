"""The part of a JSON file that is being looked at, and how one record is cut out of it."""

from __future__ import annotations

import codecs
import json
from typing import Any, BinaryIO

from curate.errors import RowError
from curate.ingest.json_scan import Scanner, Unfinished, is_early, next_record, skip_space
from curate.ingest.slices import MAX_DEPTH, SHOWN, Decoder, Slice

CHUNK = 1 << 20


class Truncated(Exception):
    """The file ends before the list does."""


class Window:
    """Text of the file from the present record on; bytes that are not UTF-8 stand as surrogates in it.

    Args:
        stream: The file, at the beginning of a record.
        offset: Where in the file that is, in bytes.
        limit: Bytes of the largest record that is read.
        keys: Keys of a good record, empty where none is known yet.
    """

    def __init__(self, stream: BinaryIO, offset: int, limit: int, keys: frozenset[str]) -> None:
        self.offset = offset
        self._stream = stream
        self._limit = limit
        self._keys = keys
        self._decoder = Decoder()
        self._utf8 = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._text = ""
        self._start = 0
        self._ended = False

    def _more(self) -> bool:
        """Double the text from the record's start on; False where the file has no more."""
        kept = self._text[self._start :]
        chunk = self._stream.read(max(CHUNK, len(kept)))
        self._ended = not chunk
        self._text, self._start = kept + self._utf8.decode(chunk, final=self._ended), 0
        return not self._ended

    def _is_full(self) -> bool:
        return len(self._text) - self._start > self._limit

    def at_bracket(self) -> bool:
        """Whether nothing but white space stands before the next closing bracket: an empty list."""
        while (at := skip_space(self._text, self._start)) == len(self._text) and self._more():
            pass
        return self._text[at : at + 1] == "]"

    def take(self) -> tuple[Slice, bool]:
        """Take the next record; says whether another one follows it.

        Raises:
            Truncated: the file ends inside of the record, or before it.
        """
        while True:
            try:
                value, end, failure = self._decode()
            except Unfinished:
                if self._is_full():
                    return self._too_large()
                self._more()
            except RecursionError:
                return self._broken(RowError("too_deep", f"more than {MAX_DEPTH} levels"))
            except json.JSONDecodeError as error:
                return self._broken(
                    RowError("bad_json", f"{error.msg}, {error.pos - self._start} characters into the record")
                )
            except ValueError:
                return self._broken(RowError("bad_json", "a number has too many digits"))
            else:
                return self._cut(end, value, failure)

    def _decode(self) -> tuple[Any, int, RowError | None]:
        """Decode the record with the white space behind it, so that its separator is in sight."""
        text = self._text
        try:
            value, end, failure = self._decoder.decode(text, skip_space(text, self._start))
        except json.JSONDecodeError as error:
            if not self._ended and is_early(error, text):
                raise Unfinished from error
            raise
        end = skip_space(text, end)
        if end == len(text):
            if not self._ended:
                raise Unfinished
        elif text[end] not in ",]":
            raise json.JSONDecodeError("Expecting ',' delimiter", text, end)
        return value, end, failure

    def _cut(self, end: int, value: Any, failure: RowError | None) -> tuple[Slice, bool]:
        """Cut the record off the window, which then begins behind its separator."""
        raw = self._text[self._start : end]
        separator = self._text[end : end + 1]
        size = len(raw)
        if not raw.isascii():
            try:
                size = len(raw.encode("utf-8"))
            except UnicodeEncodeError:
                data = raw.encode("utf-8", "surrogateescape")
                size, raw, failure = len(data), data.decode("utf-8", "backslashreplace"), RowError("not_utf8")
        if size > self._limit:
            raw, value, failure = raw[:SHOWN], None, self._large()
        self._start = end + 1
        self.offset += size + len(separator)
        return Slice(raw, value, failure, self.offset), separator != "]"

    def _broken(self, failure: RowError) -> tuple[Slice, bool]:
        """Cut off a record that does not decode: up to the next good record, or to where its brackets end."""
        while True:
            try:
                return self._cut(self._end_of_broken(failure.code), None, failure)
            except Unfinished:
                if self._is_full():
                    return self._too_large()
                if self._ended:
                    raise Truncated from None
                self._more()

    def _end_of_broken(self, code: str) -> int:
        """Find where the broken record ends: at the next good record, or before it where its brackets are closed."""
        other = None if code == "too_deep" else self._next_record()  # what is nested too deeply may be well closed
        end = Scanner().feed(self._text, self._start, other)
        if end is not None and self._text[end] == "]" and not self._ended:
            raise Unfinished
        if end is None:
            end = self._next_record() if self._ended else other
        if end is None:
            raise Unfinished
        return end

    def _next_record(self) -> int | None:
        try:
            return next_record(self._text, self._start, self._keys, self._plain)
        except Unfinished:
            if self._ended:
                return None
            raise

    def _plain(self, text: str, start: int) -> tuple[object, int]:
        value, end, _ = self._decoder.decode(text, start)
        return value, end

    def _too_large(self) -> tuple[Slice, bool]:
        """Run over a record that is larger than the limit, keeping only its beginning."""
        shown = self._text[self._start : self._start + SHOWN].encode("utf-8", "surrogateescape")
        scanner = Scanner()
        while (end := scanner.feed(self._text, self._start)) is None:
            self._pass(len(self._text))
            if not self._more():
                raise Truncated
        more = self._text[end] == ","
        self._pass(end + 1)
        return Slice(shown.decode("utf-8", "backslashreplace"), None, self._large(), self.offset), more

    def _pass(self, end: int) -> None:
        self.offset += len(self._text[self._start : end].encode("utf-8", "surrogateescape"))
        self._start = end

    def _large(self) -> RowError:
        return RowError("record_too_large", f"more than {self._limit} bytes")
