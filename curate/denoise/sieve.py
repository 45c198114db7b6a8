"""Which texts of a column a pattern may match: a quick question to Arrow before Python's `re` is asked for the answer.

Most texts match no rule at all. A pattern of Python is turned into a looser one that RE2 understands: it matches
wherever the original does, and perhaps elsewhere. Arrow runs it over a whole column at a time; only the texts that
pass are looked at one by one, with the original. So the sieve decides how fast the work is, never what comes out.

What is looser: look-around within a pattern and word boundaries are left out; a back-reference becomes what its group
may match; long bounded repeats have no upper bound (RE2 would need a state for each); letters whose case is ignored,
and classes that depend on the version of Unicode, become wider.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

_LONGEST = 3
"""Upper bounds of repeats above this are dropped."""
_MOST = 64
"""Lower bounds of repeats above this become this."""
_ANY = r"(?s:.)"
_NEVER = r"[^\x{0}-\x{10FFFF}]"
_BEYOND = r"\x{10000}-\x{10FFFF}"
"""Characters that newer versions of Unicode fill; whether they are digits or letters, two programs may not agree."""
_SPACE_CODES = [code for code in range(0x3001) if chr(code).isspace()]
_SPACES = "".join(rf"\x{{{code:X}}}" for code in _SPACE_CODES)
_NO_SPACE = "CATEGORY_NOT_SPACE"
_CATEGORIES = {"CATEGORY_DIGIT": rf"\p{{Nd}}{_BEYOND}", "CATEGORY_SPACE": _SPACES}


class _Unknown(Exception):
    """A part of the pattern that has no looser form."""


def _parser() -> Any:
    """Python's own parser of patterns, under the name that it has in this version; None where there is none."""
    for name in ("re._parser", "sre_parse"):
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    return None


class Edges(NamedTuple):
    """How parts of a text end, where patterns are for parts and not for whole texts; classes of RE2, inside only."""

    marks: str
    """Characters at which parts are cut."""
    blanks: str
    """Characters that are stripped from both ends of a part; the marks are among them."""


def loosen(patterns: Iterable[str], edges: Edges | None = None) -> str | None:
    """Turn patterns of Python into one pattern of RE2 that matches wherever any of them does.

    Args:
        patterns: Regular expressions of Python.
        edges: How parts end, where the patterns are for parts of the texts.

    None where that cannot be done; then every text must be looked at.
    """
    parser = _parser()
    if parser is None:
        return None
    anchors = {"AT_BEGINNING": r"\A", "AT_END": r"\n?\z"}
    if edges:
        anchors["AT_BEGINNING"] = rf"(?:\A|[{edges.marks}])[{edges.blanks}]*"
        anchors["AT_END"] = rf"[{edges.blanks}]*(?:\z|[{edges.marks}])"
    try:
        loose = "|".join(_Loose(parser.parse(pattern), anchors).text() for pattern in patterns)
        pc.match_substring_regex(pa.array([""]), pattern=loose)
    except (_Unknown, pa.ArrowInvalid):
        return None
    return loose


class _Loose:
    """Writes one parsed pattern down again."""

    def __init__(self, parsed: Any, anchors: dict[str, str]) -> None:
        self._parsed = parsed
        self._anchors = {} if parsed.state.flags & re.MULTILINE else anchors
        self._groups: dict[int, str] = {}
        self._ignores_case = bool(parsed.state.flags & re.IGNORECASE)

    def text(self) -> str:
        items = list(self._parsed)
        if len(items) == 1 and str(items[0][0]) == "BRANCH":
            return f"(?:{'|'.join(self._whole(list(branch)) for branch in items[0][1][1])})"
        return f"(?:{self._whole(items)})"

    def _whole(self, items: list[Any]) -> str:
        """A whole alternative: what must stand before its beginning or behind its end can be asked for as well."""
        before = after = ""
        if items and str(items[0][0]) == "ASSERT" and items[0][1][0] == -1:
            before = f"(?:{self._sequence(items.pop(0)[1][1])})"
        if items and str(items[-1][0]) == "ASSERT" and items[-1][1][0] == 1:
            after = f"(?:{self._sequence(items.pop()[1][1])})"
        return f"{before}{self._sequence(items)}{after}"

    def _sequence(self, items: Any) -> str:
        return "".join(self._item(str(name), value) for name, value in items)

    def _item(self, name: str, value: Any) -> str:
        if name in ("ASSERT", "ASSERT_NOT"):
            return ""
        if name == "AT":
            return self._anchors.get(str(value), "")
        if name == "LITERAL":
            return f"[{self._letter(value)}]" if self._ignores_case else _escaped(value)
        if name in ("ANY", "NOT_LITERAL"):
            return _ANY
        if name == "IN":
            return self._class(value)
        if name == "BRANCH":
            return f"(?:{'|'.join(map(self._sequence, value[1]))})"
        if name == "SUBPATTERN":
            return self._group(value)
        if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            return self._repeat(*value)
        if name == "ATOMIC_GROUP":
            return f"(?:{self._sequence(value)})"
        if name == "GROUPREF" and value in self._groups:
            return self._groups[value]
        raise _Unknown(name)

    def _group(self, value: Any) -> str:
        number, added, _, items = value
        before = self._ignores_case
        self._ignores_case = before or bool(added & re.IGNORECASE)
        inner = f"(?:{self._sequence(items)})"
        self._ignores_case = before
        if number is not None:
            self._groups[number] = inner
        return inner

    def _repeat(self, least: int, most: Any, items: Any) -> str:
        least = min(least, _MOST)
        bounds = f"{{{least},{most}}}" if isinstance(most, int) and most <= _LONGEST else f"{{{least},}}"
        return f"(?:{self._sequence(items)}){bounds}"

    def _class(self, members: Any) -> str:
        parts: list[str] = []
        for kind, value in members:
            name = str(kind)
            if name == "NEGATE":
                return self._outside(members[1:])
            if name == "LITERAL":
                parts.append(self._letter(value) if self._ignores_case else _escaped(value))
            elif name == "RANGE" and not self._ignores_case:
                parts.append(f"{_escaped(value[0])}-{_escaped(value[1])}")
            elif name == "CATEGORY" and str(value) in _CATEGORIES:
                parts.append(_CATEGORIES[str(value)])
            else:
                return _ANY
        return f"[{''.join(parts)}]"

    def _outside(self, members: Any) -> str:
        """A negated class: exact where it names characters, any character where it names more."""
        names = {str(kind) for kind, _ in members}
        if names == {"CATEGORY", "LITERAL"} and [str(v) for k, v in members if str(k) == "CATEGORY"] == [_NO_SPACE]:
            others = {value for kind, value in members if str(kind) == "LITERAL"}
            return f"[{''.join(_escaped(code) for code in _SPACE_CODES if code not in others)}]"
        if self._ignores_case or not names <= {"LITERAL", "RANGE"}:
            return _ANY
        return f"[^{self._class(members)[1:-1]}]"

    def _letter(self, code: int) -> str:
        """A letter in all its cases; ſ, ı, İ and the Kelvin sign count as s, i and k when case is ignored."""
        letter = chr(code)
        if code > 0x7F and letter.lower() != letter.upper():
            return r"\x{0}-\x{10FFFF}"
        forms = {letter, letter.lower(), letter.upper()} if letter.isascii() else {letter}
        forms |= {"s": {"ſ"}, "i": {"ı", "İ"}, "k": {"\u212a"}}.get(letter.lower(), set())
        return "".join(_escaped(ord(form)) for form in sorted(forms))


def _escaped(code: int) -> str:
    return chr(code) if chr(code).isalnum() and code < 0x80 else rf"\x{{{code:X}}}"


def says(texts: pa.Array) -> pa.Array:
    """Whether each text has more than blanks, by the same blanks as Python's `str.strip`."""
    return pc.match_substring_regex(texts, pattern=f"[^{_SPACES}]")


class Sieve:
    """Finds the texts that any of some patterns may match.

    Args:
        patterns: Regular expressions of Python.
        edges: As for `loosen`.
    """

    def __init__(self, patterns: Iterable[str], edges: Edges | None = None) -> None:
        self.loose = loosen(list(patterns), edges)

    @classmethod
    def of_any(cls, sieves: Sequence[Sieve]) -> Sieve:
        """What lets through the texts that any of some sieves lets through."""
        joined = cls(())
        loose = [sieve.loose for sieve in sieves]
        joined.loose = None if None in loose else "|".join(one for one in loose if one is not None) or _NEVER
        return joined

    def passing(self, texts: pa.Array) -> npt.NDArray[np.int64]:
        """Give the numbers of the texts that must be looked at, in order."""
        if self.loose is None:
            return np.arange(len(texts))
        mask = pc.match_substring_regex(texts, pattern=self.loose)
        return np.flatnonzero(mask.to_numpy(zero_copy_only=False))
