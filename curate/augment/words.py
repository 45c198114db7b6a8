"""Cutting a text into words for augmentation: where each word stands, and where the plain dictionary would cut."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.metadata import version

_HELD = re.compile(r"<[^<>\n]*>|https?://\S+|[【《“「\[][^】》”」\]\n]*[】》”」\]]|&lt;[^&\n]*&gt;")
"""Markup, addresses and what stands in brackets or quotes (names of goods, most of the time)."""

REMEMBERED = 4096
"""Texts whose cuts are kept: the variants of a record try the same ones many times over."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word at its place in a text; `pos` is the part of speech in the dictionary's own codes."""

    text: str
    start: int
    end: int
    pos: str


@dataclass(frozen=True)
class Cuts:
    """A text and its words.

    `words` are cut with the thesaurus' words kept whole, `plain` as the dictionary alone cuts, `edges` are the places
    where the latter begins or ends a word, and `held` the stretches that nothing may touch.
    """

    text: str
    words: tuple[Word, ...]
    plain: tuple[Word, ...]
    edges: frozenset[int]
    held: tuple[tuple[int, int], ...]

    def free(self, start: int, end: int) -> bool:
        """Whether a stretch begins and ends where a word does and touches nothing that is held."""
        if start not in self.edges or end not in self.edges:
            return False
        return not any(start < stop and first < end for first, stop in self.held)

    def word_at(self, start: int, end: int) -> bool:
        """Whether exactly this stretch is one word."""
        return any(word.start == start and word.end == end for word in self.words)


class Segmenter:
    """Cuts texts; `words` are kept whole. It has a dictionary of its own, so that nobody else's cuts change."""

    def __init__(self, words: Iterable[str]) -> None:
        import rjieba  # commands that cut nothing should not wait for it

        self._plain = rjieba.Jieba()
        self._whole = rjieba.Jieba()
        for word in sorted(words):
            self._whole.add_word(word, None, None)
        self.cut = lru_cache(maxsize=REMEMBERED)(self._cut)

    def _cut(self, text: str) -> Cuts:
        plain = _placed(self._plain.tag(text, False))
        edges = frozenset({0, len(text), *(word.end for word in plain)})
        held = tuple(match.span() for match in _HELD.finditer(text))
        return Cuts(text, _placed((word, "") for word in self._whole.cut(text, False)), plain, edges, held)


@cache
def segmenter(words: frozenset[str]) -> Segmenter:
    """The segmenter that keeps these words whole; loading its dictionary takes a moment, so it is made once."""
    return Segmenter(words)


def signature() -> str:
    """Name and version of what cuts."""
    return f"rjieba {version('rjieba')}"


def _placed(tagged: Iterable[tuple[str, str]]) -> tuple[Word, ...]:
    words, start = [], 0
    for text, pos in tagged:
        words.append(Word(text, start, start + len(text), pos))
        start += len(text)
    return tuple(words)
