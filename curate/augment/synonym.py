"""Replace words by words that may stand for them."""

from __future__ import annotations

from collections.abc import Sequence

from curate.augment.draw import Draw
from curate.augment.edits import Edit
from curate.augment.guards import Guard
from curate.augment.thesaurus import Thesaurus
from curate.augment.words import Cuts, Segmenter, Word

NEAREST = 8
"""How many words a thesaurus is asked for."""


class Synonyms:
    """Replaces at most `rate` of the words that may be replaced, one at the least.

    Args:
        segmenter: Knows the words of the thesaurus.
        thesaurus: Says what may stand for what.
        rate: Share of the eligible words of a record.
    """

    name = "synonym"

    def __init__(self, segmenter: Segmenter, thesaurus: Thesaurus, rate: float) -> None:
        self._segmenter = segmenter
        self._thesaurus = thesaurus
        self._rate = rate

    def apply(self, texts: Sequence[str], guard: Guard, draw: Draw) -> tuple[list[str], list[Edit]]:
        """Give the texts with words replaced, and what was replaced; the same texts where nothing can be."""
        texts = list(texts)
        eligible = [
            (turn, word, others)
            for turn, text in enumerate(texts)
            for word, others in self.eligible(self._segmenter.cut(text), guard)
        ]
        if not eligible:
            return texts, []
        most = max(1, int(self._rate * len(eligible)))
        chosen = draw.order(eligible)[: 1 + draw.below(most)]
        edits = []
        for turn, word, others in sorted(chosen, key=lambda one: (one[0], -one[1].start)):
            other = draw.pick(others)
            text = texts[turn][: word.start] + other + texts[turn][word.end :]
            if self._stands(text, word.start, other):  # a word that was put in beside it may have made another cut
                texts[turn] = text
                edits.append(Edit(self.name, turn, word.start, f"{word.text}→{other}"))
        return texts, sorted(edits, key=lambda edit: (edit.turn, edit.at))

    def eligible(self, cuts: Cuts, guard: Guard) -> list[tuple[Word, list[str]]]:
        """The words of a text that may be replaced, each with what may stand there."""
        found = []
        for word in cuts.words:
            if word.text not in self._thesaurus.words or not guard.touchable(cuts, word):
                continue
            before, after = cuts.text[: word.start], cuts.text[word.end :]
            if not self._thesaurus.fits(word.text, before, after):
                continue
            others = [
                other
                for other, _ in self._thesaurus.nearby(word.text, NEAREST)
                if not guard.speaks_of_labels(other)
                and guard.pair_allowed(word.text, other)
                and self._stands(before + other + after, word.start, other)
            ]
            if others:
                found.append((word, others))
        return found

    def _stands(self, text: str, start: int, word: str) -> bool:
        """Whether a word is cut back to one word in its new place, and the plain dictionary cuts at its ends too."""
        cuts = self._segmenter.cut(text)
        end = start + len(word)
        return cuts.word_at(start, end) and cuts.free(start, end)
