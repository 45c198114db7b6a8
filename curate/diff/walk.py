"""Compares two values of any shape, path by path, and says of each difference what kind it is."""

from __future__ import annotations

import fnmatch
import math
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from curate.diff.align import align
from curate.diff.cells import MISSING, cell, is_conversation, text_of
from curate.diff.classes import change_class, without_marks
from curate.diff.options import EXACT, DiffOptions, Ignored, Tolerance
from curate.diff.sample import ChangeClass, ComparedAs

_BLANKS = re.compile(r"\s+")
_NUMBER = re.compile(r"\d+(?:[.,:．，：]\d+)*")


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where two versions of a row differ."""

    pointer: str
    column: str
    compared_as: ComparedAs
    change: ChangeClass
    before: Any
    after: Any
    """MISSING where there is nothing on that side."""
    ignored: bool = False
    """Whether it does not count as a difference, by request; its class is counted all the same."""


class Walker:
    """Compares values as the options say.

    Args:
        options: What is ignored, and tolerances of numbers.
        nulls_are_missing: Whether null and a key that is not there are one thing, because one side cannot tell.
    """

    def __init__(self, options: DiffOptions, nulls_are_missing: bool) -> None:
        self._ignore = options.ignore
        self._tolerances = options.tolerances
        self._nulls_are_missing = nulls_are_missing

    def differences(self, before: Any, after: Any, name: str, kind: ComparedAs, skipped: int = 0) -> list[Difference]:
        """Compare the values of one column; of lists the first items, so many of them equal, may be left out."""
        return list(self._walk(before, after, f"/{escaped(name)}", name, kind, skipped))

    def _walk(
        self, before: Any, after: Any, pointer: str, column: str, kind: ComparedAs, skipped: int = 0
    ) -> Iterator[Difference]:
        if self._nulls_are_missing:
            before, after = (None if value is MISSING else value for value in (before, after))
        if before is after or (type(before) is type(after) and before == after):
            return
        if isinstance(before, str) and isinstance(after, str):
            as_text: ComparedAs = kind if kind in ("category", "text") else "text"
            yield self._texts(before, after, pointer, column, as_text)
        elif _is_number(before) and _is_number(after):
            if not self._equal_numbers(before, after, column):
                yield Difference(pointer, column, "number", "value", before, after)
        elif isinstance(before, dict) and isinstance(after, dict):
            yield from self._objects(before, after, pointer, column)
        elif isinstance(before, list) and isinstance(after, list):
            yield from self._lists(before, after, pointer, column, skipped)
        else:
            yield Difference(pointer, column, _kind_of(before, after, kind), _presence(before, after), before, after)

    def _texts(self, before: str, after: str, pointer: str, column: str, kind: ComparedAs) -> Difference:
        ignored = bool(self._ignore) and normal(before, self._ignore) == normal(after, self._ignore)
        change = "value" if kind == "category" else change_class(before, after)
        return Difference(pointer, column, kind, change, before, after, ignored)

    def _equal_numbers(self, before: float, after: float, column: str) -> bool:
        if before == after or (math.isnan(before) and math.isnan(after)):
            return True
        return self._tolerance(column).holds(before, after)

    def _tolerance(self, column: str) -> Tolerance:
        for pattern, tolerance in self._tolerances.items():
            if column == pattern or fnmatch.fnmatchcase(column, pattern):
                return tolerance
        return EXACT

    def _objects(
        self, before: dict[str, Any], after: dict[str, Any], pointer: str, column: str
    ) -> Iterator[Difference]:
        for key in [*before, *(key for key in after if key not in before)]:
            one, other = before.get(key, MISSING), after.get(key, MISSING)
            if one is other or (type(one) is type(other) and one == other):
                continue
            yield from self._walk(one, other, f"{pointer}/{escaped(key)}", f"{column}.{key}", "json")

    def _lists(
        self, before: list[Any], after: list[Any], pointer: str, column: str, skipped: int
    ) -> Iterator[Difference]:
        kind: ComparedAs = "conversation" if is_conversation(before) or is_conversation(after) else "json"
        if len(before) == len(after) and kind == "json" and sorted(map(cell, before)) == sorted(map(cell, after)):
            yield Difference(pointer, column, "json", "order", before, after, "order" in self._ignore)
            return
        moved = _moved_numbers(before, after) if kind == "conversation" else None
        for old, new in align(before, after):
            one = MISSING if old is None else before[old]
            other = MISSING if new is None else after[new]
            place = skipped + (new if new is not None else old or 0)
            if old is None or new is None:
                change = _presence(one, other)
                yield Difference(f"{pointer}/{place}", f"{column}[*]", kind, change, one, other)
            else:
                for found in self._walk(one, other, f"{pointer}/{place}", f"{column}[*]", "json"):
                    yield moved(found) if moved is not None and found.change == "digits" else found


def _moved_numbers(before: list[Any], after: list[Any]) -> Callable[[Difference], Difference]:
    """Tell numbers that only went from one turn to another, as where two turns became one, from those that changed."""

    def judged(one: Difference) -> Difference:
        all_before, all_after = _numbers(text_of(before)), _numbers(text_of(after))
        same = _numbers(str(one.after)) <= all_before and _numbers(str(one.before)) <= all_after
        return replace(one, change="content") if same else one

    return judged


def _numbers(text: str) -> set[str]:
    return {unicodedata.normalize("NFKC", number) for number in _NUMBER.findall(text)}


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _kind_of(before: Any, after: Any, kind: ComparedAs) -> ComparedAs:
    there = after if before is None or before is MISSING else before
    if kind != "json":
        return kind
    if isinstance(there, bool):
        return "boolean"
    return "text" if isinstance(there, str) else "number" if _is_number(there) else "json"


def _presence(before: Any, after: Any) -> ChangeClass:
    """The class where at least one side holds no value, or the two are of different types."""
    if before is None or before is MISSING:
        return "value" if after is None or after is MISSING else "added"
    if after is None or after is MISSING:
        return "removed"
    return "value" if type(before) is type(after) else "type"


def escaped(key: str) -> str:
    """A key as a part of a JSON Pointer (RFC 6901)."""
    return str(key).replace("~", "~0").replace("/", "~1")


@lru_cache(maxsize=65536)
def normal(text: str, ignore: frozenset[Ignored]) -> str:
    """A text without what does not count."""
    if "width" in ignore:
        text = unicodedata.normalize("NFKC", text)
    if "case" in ignore:
        text = text.casefold()
    if "punct" in ignore:
        text = without_marks(text)
    if "whitespace" in ignore:
        text = _BLANKS.sub("", text)
    return text
