"""The steps of cleaning single texts: characters, sentences, words, short texts. Each works on a column of texts.

A step asks its sieve which texts may be concerned, and looks at these one by one; see `curate.denoise.sieve`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curate.denoise.cleaned import Changes
from curate.denoise.rules import BuiltInRule, Keep, ReplaceRule, SentenceRule, WordRule
from curate.denoise.segment import Cut
from curate.denoise.sieve import Edges, Sieve, says

Rows: TypeAlias = npt.NDArray[np.int64]
Numbers = Mapping[str, int]
"""Numbers of rules, by id."""


class Script(NamedTuple):
    """How texts of a script are cut into sentences and clauses, and what tells that a clause says something."""

    sentence: re.Pattern[str]
    """A sentence: text up to an end mark or newline, the marks included."""
    clause: re.Pattern[str]
    """A clause: part of a sentence, the mark behind it included."""
    telling: re.Pattern[str]
    """A clause in which this is found says something, however short it is."""
    letters: int
    """Letters, digits and Han characters from which on a clause beside noise says something."""


CHINESE = Script(
    re.compile(
        r"(?:[^。！？!?~～\n]+|(?<=[0-9])[~～](?=[0-9¥￥]))*"
        r"(?:(?:[。！？!?]|(?<![0-9])[~～]|[~～](?![0-9¥￥]))+\n*|\n+|$)"
    ),
    re.compile(r"[^，,；;]*(?:[，,；;]+|$)"),
    re.compile(r"[0-9A-Za-z０-９]"),
    5,
)
"""Chinese; the wave of `99~199` is no end mark."""

SPACED = Script(
    re.compile(r"(?:[^.!?~。！？\n]+|[.!?~]+(?=[^\s.!?~。！？]))*(?:[.!?~。！？]+\s*|\n+|$)"),
    re.compile(r"[^,;]*(?:[,;]+|$)"),
    re.compile(r"[0-9]"),
    12,
)
"""Scripts with blanks between words; a full stop within a word or number is no end mark."""

_END_MARKS = ".。！？!?~～\n "
_EDGES = " \t\n.。！？!?~～，,、；;：:…"
_PARTS = Edges(r".。！？!?~～\n，,；;", r"\s.。！？!?~～，,、；;：:…")
_COMMA = re.compile("[，,；;]")
MEANING = re.compile(r"[^\W_]", re.UNICODE)
"""A letter, digit or Han character."""

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


class _Part(NamedTuple):
    """A sentence: its text, what stands before its end marks, and the clauses of that."""

    text: str
    body: str
    clauses: list[str]


class SentenceStep:
    """Drops sentences that are noise, and clauses that would go if they were sentences.

    Args:
        rules: Rules with patterns, in order.
        symbol_only: The rule that drops sentences without a letter, where it is on.
        keep: What survives.
        numbers: Numbers of the rules.
        script: How texts are cut into sentences.
    """

    def __init__(
        self,
        rules: Sequence[SentenceRule],
        symbol_only: BuiltInRule | None,
        keep: Sequence[Keep],
        numbers: Numbers,
        script: Script,
    ) -> None:
        self._script = script
        self._rules = [(rule, Sieve(rule.find)) for rule in rules]
        self._by_id = {rule.id: rule for rule in rules}
        self._symbol_only = symbol_only is not None
        self._saves = {rule.id: [k.pattern for k in keep if k.counts("sentence", rule.id)] for rule in rules}
        self._numbers = numbers
        silent = [r"^[^0-9A-Za-z\u4e00-\u9fff]+$"] if symbol_only else []
        self.sieve = Sieve([pattern for rule in rules for pattern in rule.find] + silent, _PARTS)

    def apply(self, texts: pa.Array) -> Changes:
        """Drop sentences from the texts that pass the sieve."""
        passing = self.sieve.passing(texts)
        chosen: list[str] = texts.take(pa.array(passing)).to_pylist()
        split = [self._split(text) for text in chosen]
        parts = {sentence.text for sentences in split for sentence in sentences}
        parts.update(
            clause
            for sentences in split
            for sentence in sentences
            if len(sentence.clauses) > 1
            for clause in sentence.clauses
        )
        noise = self._noise(sorted({part.strip(_EDGES) for part in parts}))
        changes = Changes()
        for number, text, sentences in zip(passing.tolist(), chosen, split, strict=True):
            hits: Counter[str] = Counter()
            new = "".join([self._left(sentence, noise, hits) for sentence in sentences]).strip()
            if hits and new != text:
                changes.add(number, new, [(self._numbers[rule], count) for rule, count in hits.items()])
        return changes

    def _split(self, text: str) -> list[_Part]:
        found = []
        for sentence in self._script.sentence.findall(text):
            body = sentence.rstrip(_END_MARKS)
            clauses = [body] if _COMMA.search(body) is None else [c for c in self._script.clause.findall(body) if c]
            found.append(_Part(sentence, body, clauses))
        return found

    def _noise(self, cores: Sequence[str]) -> dict[str, str]:
        """The rule that would take a sentence out, for each part without its edges that one would."""
        column = pa.array(cores, pa.string())
        found: dict[str, str] = {}
        if self._symbol_only:
            found.update((core, "symbol-only") for core in cores if not MEANING.search(core))
        for rule, sieve in self._rules:
            for core in column.take(pa.array(sieve.passing(column))).to_pylist():
                if core in found or not rule.pattern.search(core):
                    continue
                if rule.guard_pattern is None or not rule.guard_pattern.search(core):
                    found[core] = rule.id
        return found

    def _left(self, sentence: _Part, noise: Mapping[str, str], hits: Counter[str]) -> str:
        """What is left of a sentence."""
        rule = noise.get(sentence.text.strip(_EDGES))
        if rule is None:
            return self._without_clauses(sentence, noise, hits) if len(sentence.clauses) > 1 else sentence.text
        if rule == "symbol-only":
            if not sentence.text.strip():
                return sentence.text  # nothing but blanks is no symbol either
            hits[rule] += 1
            return ""
        meant = self._meant(sentence, rule, noise)
        if meant != sentence.text:
            hits[rule] += 1
        return meant

    def _without_clauses(self, sentence: _Part, noise: Mapping[str, str], hits: Counter[str]) -> str:
        """Drop clauses of a sentence that would go if they were sentences: `可以机洗，祝您生活愉快！`."""
        kept: list[str] = []
        for clause in sentence.clauses:
            rule = noise.get(clause.strip(_EDGES), "symbol-only")
            if rule == "symbol-only" or not self._by_id[rule].clauses or self._saved(clause, rule):
                kept.append(clause)
            else:
                hits[rule] += 1
        return sentence.text if len(kept) == len(sentence.clauses) else _closed(kept, sentence)

    def _meant(self, sentence: _Part, rule: str, noise: Mapping[str, str]) -> str:
        """What stays of a sentence that goes: the clauses beside the noise that say something.

        `T20-Pro到手2199.00元，限时立减300！` is an advert, but its first clause is a price that somebody asked for.
        """
        spans = [match.span() for match in self._by_id[rule].pattern.finditer(sentence.body)]
        kept: list[str] = []
        place = 0
        for clause in sentence.clauses:
            end = place + len(clause)
            hit = clause.strip(_EDGES) in noise or any(start < end and stop > place for start, stop in spans)
            if self._saved(clause, rule) or (not hit and self._says_something(clause, rule)):
                kept.append(clause)
            place = end
        return _closed(kept, sentence)

    def _says_something(self, clause: str, rule: str) -> bool:
        if self._script.telling.search(clause):
            return True
        return not self._by_id[rule].whole and len(MEANING.findall(clause)) >= self._script.letters

    def _saved(self, clause: str, rule: str) -> bool:
        return self._by_id[rule].keeps and any(pattern.search(clause) for pattern in self._saves[rule])


def _closed(clauses: Sequence[str], sentence: _Part) -> str:
    """Clauses with the end marks of the sentence that they are left of."""
    return "".join(clauses).rstrip("，,；;") + sentence.text[len(sentence.body) :] if clauses else ""


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
