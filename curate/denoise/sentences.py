"""The step that takes sentences and clauses out of texts; see `curate.denoise.steps`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pyarrow as pa

from curate.denoise.cleaned import Changes
from curate.denoise.keep import Keep
from curate.denoise.rules import BuiltInRule, SentenceRule
from curate.denoise.script import MEANING, Script
from curate.denoise.sieve import Edges, Sieve
from curate.denoise.steps import Numbers

_END_MARKS = ".。！？!?~～\n "
_EDGES = " \t\n.。！？!?~～，,、；;：:…"
_PARTS = Edges(r".。！？!?~～\n，,；;", r"\s.。！？!?~～，,、；;：:…")
_COMMA = re.compile("[，,；;]")


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
