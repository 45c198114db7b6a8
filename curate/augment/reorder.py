"""Swap clauses around a comma, or an adverbial of time or place with the subject beside it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from pydantic import BaseModel, ConfigDict
from ruamel.yaml import YAML

from curate.augment.draw import Draw
from curate.augment.edits import Edit
from curate.augment.guards import Guard
from curate.augment.words import Cuts, Segmenter
from curate.dataset.files import digest

_SENTENCE = re.compile(r"[^。！？!?；;~～…\n]+")
_COMMA = re.compile(r"[，,]")
SHORTEST = 4
"""Characters of a clause that can stand on either side."""
_ON_ITS_OWN = ("r", "t", "n")
"""Parts of speech that a clause which leans on nothing begins with: pronoun, time, noun."""


class Rules(BaseModel):
    """What moves and what stays; the lists are explained in the shipped file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    question_particles: tuple[str, ...]
    leaning: frozenset[str]
    binding: tuple[str, ...]
    comparing: tuple[str, ...]
    subjects: frozenset[str]
    times: frozenset[str]
    places: tuple[str, ...]
    verbs: frozenset[str]
    verb_words: frozenset[str]


@cache
def rules() -> Rules:
    """The shipped lists."""
    found = YAML(typ="safe", pure=True).load((files("curate.augment") / "data" / "reorder.yaml").read_text("utf-8"))
    return Rules.model_validate(found)


def digest_of_rules() -> str:
    """Hash of the shipped lists."""
    dumped = rules().model_dump(mode="json")
    return digest({name: sorted(values) for name, values in dumped.items()})


class Reordering:
    """Makes one move in a record; every character stays, and a question's particle stays at its end."""

    name = "reorder"

    def __init__(self, segmenter: Segmenter) -> None:
        self._segmenter = segmenter

    def apply(self, texts: Sequence[str], guard: Guard, draw: Draw) -> tuple[list[str], list[Edit]]:
        """Give the texts with one stretch moved, and where; the same texts where nothing can move."""
        texts = list(texts)
        moves = [(turn, *move) for turn, text in enumerate(texts) for move in self.moves(text)]
        if not moves:
            return texts, []
        turn, start, text = draw.pick(moves)
        texts[turn] = text
        return texts, [Edit(self.name, turn, start, "")]

    def moves(self, text: str) -> list[tuple[int, str]]:
        """Every move that a text allows: where it begins, and the text after it."""
        cuts = self._segmenter.cut(text)
        found: list[tuple[int, str]] = []
        for match in _SENTENCE.finditer(text):
            clauses = _clauses(text, match.start(), match.end())
            found += _clause_swaps(cuts, clauses)
            for start, end in clauses:
                found += _adverbial_moves(cuts, start, end)
        return found


def _clauses(text: str, start: int, end: int) -> list[tuple[int, int]]:
    found = []
    for comma in (*_COMMA.finditer(text, start, end), None):
        stop = comma.start() if comma else end
        found.append(_without_blanks(text, start, stop))
        start = comma.end() if comma else end
    return found


def _without_blanks(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end


def _clause_swaps(cuts: Cuts, clauses: Sequence[tuple[int, int]]) -> list[tuple[int, str]]:
    text, found = cuts.text, []
    for number, (one, two) in enumerate(itertools.pairwise(clauses)):
        if not (_on_its_own(cuts, *one) and _on_its_own(cuts, *two)):
            continue
        last = number + 2 == len(clauses)
        if last and text[: two[1]].endswith(rules().question_particles):
            continue
        if not last and text[: one[1]].endswith(rules().question_particles):
            continue  # its particle would stand in the middle of what goes on
        if not last and not _on_its_own(cuts, *clauses[number + 2]):
            continue  # what comes next says more of the second one
        between = text[one[1] : two[0]]
        swapped = text[two[0] : two[1]] + between + text[one[0] : one[1]]
        if swapped != text[one[0] : two[1]]:
            found.append((one[0], text[: one[0]] + swapped + text[two[1] :]))
    return found


def _on_its_own(cuts: Cuts, start: int, end: int) -> bool:
    """Whether a clause leans on no other and binds none."""
    clause = cuts.text[start:end]
    words = [word for word in cuts.plain if start <= word.start and word.end <= end]
    if len(clause) < SHORTEST or not words or not cuts.free(start, end):
        return False
    first = words[0]
    return (
        first.text not in rules().leaning
        and clause[0] not in rules().leaning
        and first.pos.startswith(_ON_ITS_OWN)
        and not clause.endswith(rules().binding)
        and not any(word in clause for word in rules().comparing)
    )


def _adverbial_moves(cuts: Cuts, start: int, end: int) -> list[tuple[int, str]]:
    """A time and a subject, or a place and a subject, at the head of a clause change places before a verb."""
    text = cuts.text
    words = [word for word in cuts.plain if start <= word.start and word.end <= end]
    heads = _heads(text, start, end)
    if heads is None:
        return []
    middle, stop = heads
    rest = [word for word in words if word.start >= stop]
    edges = {word.end for word in words}
    if not rest or rest[0].start != stop or middle not in edges or not cuts.free(start, stop):
        return []
    if rest[0].text in rules().subjects:
        return []  # 明天这个快递到吗: the subject goes on
    if rest[0].pos not in rules().verbs and rest[0].text not in rules().verb_words:
        return []
    return [(start, text[:start] + text[middle:stop] + text[start:middle] + text[stop:])]


def _heads(text: str, start: int, end: int) -> tuple[int, int] | None:
    """Where the first and the second stretch end, where one is a subject and the other a time or place."""
    whens = (*rules().times, *rules().places)
    for firsts, seconds in ((whens, rules().subjects), (rules().subjects, whens)):
        for first in sorted(firsts, key=len, reverse=True):
            if not text.startswith(first, start, end):
                continue
            middle = start + len(first)
            for second in sorted(seconds, key=len, reverse=True):
                if text.startswith(second, middle, end):
                    return middle, middle + len(second)
    return None
