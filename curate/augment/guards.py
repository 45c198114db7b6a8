"""What augmentation must leave alone so that the label stays right."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Any

from ruamel.yaml import YAML

from curate.augment.words import Cuts, Segmenter, Word
from curate.dataset.files import digest

_ASCII = re.compile(r"[0-9A-Za-z０-９]")
_HAN = re.compile(r"[\u3400-\u9fff]")


@cache
def never() -> dict[str, Any]:
    """The shipped list of words that nothing touches, and of pairs that never stand for each other."""
    found: dict[str, Any] = YAML(typ="safe", pure=True).load(
        (files("curate.augment") / "data" / "never.yaml").read_text("utf-8")
    )
    return found


class Guard:
    """Says what may be touched in a text.

    Args:
        segmenter: Cuts labels and protected words as it cuts the texts.
        labels: All labels of the record's task: the words of the right one and of its competitors are left alone.
        protect: Further words to leave alone, names of goods for example.
    """

    def __init__(self, segmenter: Segmenter, labels: Iterable[str], protect: Iterable[str]) -> None:
        lists = never()
        self._never = frozenset(
            word
            for name in ("negations", "questions", "roles", "units", "numerals", "stop_words")
            for word in lists[name]
        )
        self._pairs = frozenset(frozenset(pair) for pair in lists["pairs"])
        self._kept = frozenset(protect) | frozenset(
            word.text for label in labels for word in segmenter.cut(label).plain if _says_something(word)
        )

    def touchable(self, cuts: Cuts, word: Word) -> bool:
        """Whether a word may be replaced, garbled or dropped at its place."""
        if word.text in self._never or not _HAN.search(word.text) or _ASCII.search(word.text):
            return False
        if not cuts.free(word.start, word.end) or self.holds_kept(cuts.text, word.start, word.end):
            return False
        return not _counts(cuts, word)

    def holds_kept(self, text: str, start: int, end: int) -> bool:
        """Whether a stretch overlaps a word of a label, or one that a person protects."""
        for kept in self._kept:
            place = text.find(kept)
            while place != -1:
                if place < end and start < place + len(kept):
                    return True
                place = text.find(kept, place + 1)
        return False

    def speaks_of_labels(self, text: str) -> bool:
        """Whether a text holds a word of a label."""
        return any(kept in text for kept in self._kept)

    def pair_allowed(self, one: str, other: str) -> bool:
        """Whether two words are not on the list of those that never stand for each other."""
        return frozenset((one, other)) not in self._pairs


def digest_of_never() -> str:
    """Hash of the shipped list."""
    return digest(never())


def _says_something(word: Word) -> bool:
    """Whether a word of a label tells it from others: two characters or more, or a noun or verb of one."""
    return bool(_HAN.search(word.text)) and len(word.text) > 1


def _counts(cuts: Cuts, word: Word) -> bool:
    """Whether a number stands right before the word, which then is a unit or what is counted."""
    before = cuts.text[: word.start].rstrip()
    match = re.search(r"(?:[0-9０-９]|[零一二两三四五六七八九十百千万半几])$", before)
    return match is not None
