"""What fingers do: neighbouring characters in the wrong order, and characters of the same sound or shape."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from curate.augment.draw import Draw
from curate.augment.edits import Edit
from curate.augment.guards import Guard
from curate.augment.words import Segmenter
from curate.dataset.files import digest


@cache
def typos() -> dict[str, str]:
    """For each character those that people type for it."""
    text = (files("curate.augment") / "data" / "typos.tsv").read_text("utf-8")
    lines = (line.split("\t") for line in text.splitlines() if line and not line.startswith("#"))
    return {right: wrong.replace("/", "") for right, wrong in lines}


def digest_of_typos() -> str:
    """Hash of the shipped table."""
    return digest(typos())


class _Noise(ABC):
    """Changes at most `rate` of the places where it can, one at the least, in words that may be touched."""

    name = ""

    def __init__(self, segmenter: Segmenter, rate: float) -> None:
        self._segmenter = segmenter
        self._rate = rate

    def apply(self, texts: Sequence[str], guard: Guard, draw: Draw) -> tuple[list[str], list[Edit]]:
        """Give the texts with mistakes, and where; the same texts where none can be made."""
        texts = list(texts)
        places = [(turn, *one) for turn, text in enumerate(texts) for one in self._places(text, guard)]
        if not places:
            return texts, []
        most = max(1, int(self._rate * len(places)))
        edits, touched = [], set()
        for turn, start, end in draw.order(places)[: 1 + draw.below(most)]:
            if any((turn, place) in touched for place in range(start, end)):
                continue
            touched |= {(turn, place) for place in range(start, end)}
            before = texts[turn][start:end]
            after = self._garble(before, draw)
            texts[turn] = texts[turn][:start] + after + texts[turn][end:]
            edits.append(Edit(self.name, turn, start, f"{before}→{after}"))
        return texts, sorted(edits, key=lambda edit: (edit.turn, edit.at))

    @abstractmethod
    def _places(self, text: str, guard: Guard) -> list[tuple[int, int]]:
        """Where the text may be garbled: beginnings and ends."""

    @abstractmethod
    def _garble(self, before: str, draw: Draw) -> str:
        """Give what stands there instead."""


class Swap(_Noise):
    """Two neighbouring, different characters of one word change places."""

    name = "swap"

    def _places(self, text: str, guard: Guard) -> list[tuple[int, int]]:
        cuts = self._segmenter.cut(text)
        return [
            (place, place + 2)
            for word in cuts.plain
            if guard.touchable(cuts, word)
            for place in range(word.start, word.end - 1)
            if text[place] != text[place + 1]
        ]

    def _garble(self, before: str, draw: Draw) -> str:
        return before[::-1]


class Typo(_Noise):
    """A character gives way to one of the same sound or a similar shape."""

    name = "typo"

    def _places(self, text: str, guard: Guard) -> list[tuple[int, int]]:
        cuts = self._segmenter.cut(text)
        return [
            (place, place + 1)
            for word in cuts.plain
            if guard.touchable(cuts, word)
            for place in range(word.start, word.end)
            if text[place] in typos()
        ]

    def _garble(self, before: str, draw: Draw) -> str:
        return draw.pick(typos()[before])
