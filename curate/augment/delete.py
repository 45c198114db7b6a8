"""Drop words that a sentence can do without."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Literal

from pydantic import BaseModel, ConfigDict
from ruamel.yaml import YAML

from curate.augment.draw import Draw
from curate.augment.edits import Edit
from curate.augment.guards import Guard
from curate.augment.words import Segmenter
from curate.dataset.files import digest

_CLAUSE = re.compile(r"[^，,。！？!?；;、~～…\s]+")
_STOP = "，,。！？!?；;、~～… \n\t"


class Droppable(BaseModel):
    """A word that can go, where it can, and an example with it in brackets."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    word: str
    place: Literal["start", "end", "any"] = "any"
    before: tuple[str, ...] = ()
    not_before: tuple[str, ...] = ()
    not_after: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    example: str

    def fits(self, text: str, start: int) -> bool:
        """Whether the word that begins at `start` can go."""
        before, after = text[:start], text[start + len(self.word) :]
        if self.place == "start" and before and before[-1] not in _STOP:
            return False
        if self.place == "end" and after and after[0] not in _STOP:
            return False
        if (self.before and not after.startswith(self.before)) or after.startswith(self.not_before):
            return False
        if before.endswith(self.not_after):
            return False
        rest = _clause_around(text, start).replace(self.word, "", 1)
        return len(rest) > 1 and (not self.needs or any(need in rest for need in self.needs))


def _clause_around(text: str, place: int) -> str:
    """The clause that holds a place, with the one that follows where the place is the comma before it."""
    for match in _CLAUSE.finditer(text):
        if match.start() <= place < match.end():
            tail = text[match.end() :]
            return match.group() + (tail if match.end() - match.start() < 3 else "")
    return text[:place]


@cache
def droppable() -> tuple[Droppable, ...]:
    """The shipped words, the longest first, so that 我想问下 goes as a whole."""
    found = YAML(typ="safe", pure=True).load((files("curate.augment") / "data" / "droppable.yaml").read_text("utf-8"))
    return tuple(sorted((Droppable.model_validate(one) for one in found), key=lambda one: (-len(one.word), one.word)))


def digest_of_droppable() -> str:
    """Hash of the shipped words and their places."""
    return digest([one.model_dump(mode="json") for one in droppable()])


class Deletion:
    """Drops at most `rate` of the words that can go, one at the least."""

    name = "delete"

    def __init__(self, segmenter: Segmenter, rate: float) -> None:
        self._segmenter = segmenter
        self._rate = rate

    def apply(self, texts: Sequence[str], guard: Guard, draw: Draw) -> tuple[list[str], list[Edit]]:
        """Give the texts without some words, and which; the same texts where nothing can go."""
        texts = list(texts)
        spare = [(turn, *one) for turn, text in enumerate(texts) for one in self._spare(text, guard)]
        if not spare:
            return texts, []
        most = max(1, int(self._rate * len(spare)))
        chosen = draw.order(spare)[: 1 + draw.below(most)]
        edits = []
        for turn, start, word in sorted(chosen, key=lambda one: (one[0], -one[1])):
            rest = texts[turn][:start] + texts[turn][start + len(word) :]
            if rest.strip(_STOP):
                texts[turn] = rest
                edits.append(Edit(self.name, turn, start, word))
        return texts, sorted(edits, key=lambda edit: (edit.turn, edit.at))

    def _spare(self, text: str, guard: Guard) -> list[tuple[int, str]]:
        """Words of a text that can go, with their places; no two that overlap or touch."""
        cuts = self._segmenter.cut(text)
        found: list[tuple[int, str]] = []
        taken: set[int] = set()
        for one in droppable():
            start = text.find(one.word)
            while start != -1:
                end = start + len(one.word)
                places = set(range(start - 1, end + 1))
                if (
                    not places & taken
                    and cuts.free(start, end)
                    and not guard.holds_kept(text, start, end)
                    and one.fits(text, start)
                ):
                    found.append((start, one.word))
                    taken |= set(range(start, end))
                start = text.find(one.word, start + 1)
        return sorted(found)
