"""What kind of change it is between two texts, from harmless to meaningful.

Classes are tried in order, and the first that explains the whole change names it. Digits come before look-alikes: 0
that became O is a number that changed, whatever it looks like.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from importlib.resources import files

from curate.diff.sample import ChangeClass

TEXT_CLASSES: dict[str, str] = {
    "invisible": "characters that cannot be seen: zero-width, control, byte-order marks, direction marks",
    "nfc": "the same characters, composed or not",
    "width": "full-width and half-width forms: ￥ and ¥, １ and 1",
    "whitespace": "blanks and line ends",
    "punctuation": "marks: Chinese and Western ones, doubled ones, marks that went",
    "case": "capitals",
    "script": "simplified and traditional characters (only where OpenCC is installed)",
    "digits": "numbers read otherwise",
    "confusable": "look-alikes only: 0/O, 1/l, 人/入, 己/已, 末/未",
    "content": "other words",
}
"""In the order in which they are tried, each with what it covers."""

_NOT_SEEN = frozenset(("Cf", "Cc"))
_ALLOWED_CONTROLS = frozenset("\n\r\t\v\f\x85")
_VARIATION = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_MAY_BE_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u0600-\u070f\u0890-\u08e2\u180e\u200b-\u206f\ufe00-\ufe0f\ufeff\ufff0-\uffff"
    "\U00010000-\U0010ffff]"
)
"""Holds every character that is not seen, and some that are."""
_LETTERS = re.compile("[A-Za-z\u4e00-\u9fff]*")
"""Characters that no step before that of capitals takes out or rewrites; a text of nothing else need not take them."""
_BLANKS = re.compile(r"\s+")
_DIGITS = re.compile(r"\d")


@lru_cache(maxsize=65536)
def change_class(before: str, after: str) -> ChangeClass:
    """Name the class of the change between two texts that differ."""
    if _LETTERS.fullmatch(before) and _LETTERS.fullmatch(after):
        return _of_letters(before, after)
    one, two = _visible(before), _visible(after)
    if one == two:
        return "invisible"
    one, two = unicodedata.normalize("NFC", one), unicodedata.normalize("NFC", two)
    if one == two:
        return "nfc"
    one, two = unicodedata.normalize("NFKC", one), unicodedata.normalize("NFKC", two)
    if one == two:
        return "width"
    one, two = _BLANKS.sub("", one), _BLANKS.sub("", two)
    if one == two:
        return "whitespace"
    if _DIGITS.findall(one) != _DIGITS.findall(two):
        return "digits"
    one, two = without_marks(one), without_marks(two)
    return "punctuation" if one == two else _of_letters(one, two)


def _of_letters(one: str, two: str) -> ChangeClass:
    if one.casefold() == two.casefold():
        return "case"
    if _simplified(one) == _simplified(two):
        return "script"
    return "confusable" if _look_alike(one, two) else "content"


def _visible(text: str) -> str:
    """Take out what nobody sees."""
    if not _MAY_BE_UNSEEN.search(text):
        return text
    return "".join(
        sign
        for sign in _VARIATION.sub("", text)
        if sign in _ALLOWED_CONTROLS or unicodedata.category(sign) not in _NOT_SEEN
    )


class _Marks(dict[int, int | None]):
    """A translation table that is filled as characters occur: punctuation goes, and signs that are used as such."""

    def __missing__(self, code: int) -> int | None:
        sign = chr(code)
        self[code] = None if unicodedata.category(sign)[0] == "P" or sign in "~|`^+=<>" else code
        return self[code]


_MARKS = _Marks()


def without_marks(text: str) -> str:
    """Take out punctuation and symbols that are no currency."""
    return text.translate(_MARKS)


def _look_alike(before: str, after: str) -> bool:
    """Whether each character that differs is a look-alike of the one in its place."""
    if len(before) != len(after):
        return False
    groups, none = confusables(), frozenset[int]()
    return all(
        one == two or not groups.get(one, none).isdisjoint(groups.get(two, none))
        for one, two in zip(before, after, strict=True)
    )


@cache
def confusables() -> dict[str, frozenset[int]]:
    """For each character the numbers of the groups of look-alikes that it is in."""
    found: dict[str, set[int]] = {}
    text = (files("curate.diff") / "data" / "confusables.tsv").read_text("utf-8")
    for number, line in enumerate(text.splitlines()):
        if line and not line.startswith("#"):
            for sign in line.split("\t")[0]:
                found.setdefault(sign, set()).add(number)
    return {sign: frozenset(numbers) for sign, numbers in found.items()}


@cache
def _converter() -> object | None:
    try:
        import opencc
    except ImportError:
        return None
    converter: object = opencc.OpenCC("t2s")
    return converter


def _simplified(text: str) -> str:
    converter = _converter()
    return text if converter is None else str(converter.convert(text))  # type: ignore[attr-defined]


def classes_file_examples() -> list[tuple[str, str, str]]:
    """The examples of `data/confusables.tsv`: characters, a text, and how it may be misread."""
    text = (files("curate.diff") / "data" / "confusables.tsv").read_text("utf-8")
    rows = [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
    return [(signs, before, after) for signs, before, after in rows]
