"""The steps of cleaning single texts: characters, words, short texts. Each works on a column of texts.

A step asks its sieve which texts may be concerned, and looks at these one by one; see `curate.denoise.sieve`. The step
for sentences is in `curate.denoise.sentences`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curate.denoise.cleaned import Changes
from curate.denoise.rules import ReplaceRule, WordRule
from curate.denoise.script import MEANING
from curate.denoise.segment import Cut
from curate.denoise.sieve import Sieve, says

Rows: TypeAlias = npt.NDArray[np.int64]
Numbers = Mapping[str, int]
"""Numbers of rules, by id."""


_LEADING = re.compile(r"^[，,、；;：:。.！!~～\s]+(?=\S)")
_TRAILING = re.compile(r"(?<=[^，,、；;：:\s])[，,、；;：:\s]+$")
_DOUBLE = re.compile(r"[，,、；;：:]+(?=[，,、；;：:。！？!?~～])")
_CONTEXT = 24
"""Characters before a word that the pattern for its left side may look at."""


class ReplaceStep:
    """Replaces what the patterns of one rule find."""

    def __init__(self, rule: ReplaceRule, number: int, values: dict[str, object]) -> None:
        steps = rule.steps(values)
        self._steps = [(re.compile(pattern), by, Sieve([pattern])) for pattern, by in steps]
        self._number = number
        self.sieve = Sieve([pattern for pattern, _ in steps])

    def apply(self, texts: pa.Array) -> Changes:
        """Replace in the texts that pass the sieve."""
        passing = self.sieve.passing(texts)
        chosen = texts.take(pa.array(passing))
        hits: dict[int, int] = {}
        new = chosen
        for pattern, by, sieve in self._steps:
            places = sieve.passing(new) if len(self._steps) > 1 else np.arange(len(new))
            changes = Changes()
            for place, text in zip(places.tolist(), new.take(pa.array(places)).to_pylist(), strict=True):
                changed, count = pattern.subn(by, text)
                if changed != text:
                    changes.numbers.append(place)
                    changes.texts.append(changed)
                    hits[place] = hits.get(place, 0) + count
            new = changes.applied(new)
        return self._changed(passing, chosen, new, hits)

    def _changed(self, passing: Rows, before: pa.Array, after: pa.Array, hits: dict[int, int]) -> Changes:
        if not hits:
            return Changes()
        differs = pc.indices_nonzero(pc.not_equal(before, after))
        places = differs.to_pylist()
        numbers = passing[places].tolist()
        counts = [(number, self._number, hits[place]) for number, place in zip(numbers, places, strict=True)]
        return Changes(numbers, after.take(differs).to_pylist(), counts)


class WordStep:
    """Drops words where the segmenter cuts them as such and their surroundings fit."""

    def __init__(self, rules: Sequence[WordRule], cut: Cut, numbers: Numbers) -> None:
        self._by_word: dict[str, list[WordRule]] = {}
        for rule in rules:
            for word in rule.words:
                self._by_word.setdefault(word.lower(), []).append(rule)
        self._cut = cut
        self._numbers = numbers
        self.sieve = Sieve(
            f"(?i:(?:{rule.left})(?:{'|'.join(map(re.escape, rule.words))})(?:{rule.right}))" for rule in rules
        )

    def apply(self, texts: pa.Array) -> Changes:
        """Drop words from the texts that pass the sieve."""
        changes = Changes()
        passing = self.sieve.passing(texts)
        for number, text in zip(passing.tolist(), texts.take(pa.array(passing)).to_pylist(), strict=True):
            hits: Counter[str] = Counter()
            new = self._without(text, hits)
            if hits:
                changes.add(number, new, [(self._numbers[rule], count) for rule, count in hits.items()])
        return changes

    def _without(self, text: str, hits: Counter[str]) -> str:
        """Drop words, the last one first, so that one that only words to be dropped follow stands at the end."""
        words = self._cut(text)
        end = behind = len(text)
        last = len(words)
        for number in [n for n, word in enumerate(words) if word.lower() in self._by_word][::-1]:
            between = sum(map(len, words[number + 1 : last]))  # of words that stay, before the one looked at last
            end -= between
            if between:
                behind = end
            start = end - len(words[number])
            rule = self._fitting(self._by_word[words[number].lower()], text, start, behind)
            if rule is None:
                behind = start
            else:
                hits[rule] += 1
                words[number] = ""
            end, last = start, number
        if not hits:
            return text
        return _TRAILING.sub("", _LEADING.sub("", _DOUBLE.sub("", "".join(words)))).strip()

    def _fitting(self, rules: Sequence[WordRule], text: str, start: int, behind: int) -> str | None:
        for rule in rules:
            left, right = rule.around
            if left.search(text, max(0, start - _CONTEXT), start) and right.match(text, behind):
                return rule.id
        return None


class ShortStep:
    """Empties a text of too few words; a size, a price or a model number is short and says a lot.

    Args:
        number: Number of the rule.
        cut: Cuts a text into words; None counts letters, digits and Han characters instead.
        least: Texts with fewer words are emptied.
    """

    def __init__(self, number: int, cut: Cut | None, least: int) -> None:
        self._number = number
        self._cut = cut
        self._least = least

    def apply(self, texts: pa.Array) -> Changes:
        """Empty texts that are short."""
        changes = Changes()
        passing = self.passing(texts)
        for number, text in zip(passing.tolist(), texts.take(pa.array(passing)).to_pylist(), strict=True):
            if self._words(text) < self._least:
                changes.add(number, "", [(self._number, 1)])
        return changes

    def passing(self, texts: pa.Array) -> Rows:
        """Give the numbers of the texts that may be short, in order."""
        few = pc.indices_nonzero(pc.less(pc.utf8_length(texts), 8 * self._least))
        left = texts.take(few)
        talking = pc.match_substring_regex(left, pattern="[0-9A-Za-z０-９<]")
        chosen = few.filter(pc.and_(says(left), pc.invert(talking)))
        return np.asarray(chosen, dtype=np.int64)

    def _words(self, text: str) -> int:
        if self._cut is None:
            return len(MEANING.findall(text))
        return sum(1 for word in self._cut(text) if MEANING.search(word))
