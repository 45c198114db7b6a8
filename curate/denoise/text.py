"""Cleaning one text: characters, then sentences, then words, until nothing changes any more."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from curate.denoise.rules import BuiltInRule, ReplaceRule, Rule, SentenceRule, WordRule
from curate.denoise.segment import Cut
from curate.records import PLACEHOLDER

_SENTENCE = re.compile(r"[^。！？!?~～\n]*(?:[。！？!?~～]+\n*|\n+|$)")
"""A sentence: text up to an end mark or newline, the marks included."""

_CLAUSE = re.compile(r"[^，,；;]*(?:[，,；;]+|$)")
"""A clause: part of a sentence, the mark behind it included."""

_END_MARKS = "。！？!?~～\n"
_EDGES = " \t\n。！？!?~～，,、；;：:…"
_MEANING = re.compile(r"[^\W_]", re.UNICODE)
"""A letter, digit or Han character."""

_DIGIT_OR_LATIN = re.compile(r"[0-9A-Za-z０-９]")
_LEADING = re.compile(r"^[，,、；;：:。.！!~～\s]+(?=\S)")
_TRAILING = re.compile(r"(?<=\S)[，,、；;：:\s]+$")
_DOUBLE = re.compile(r"[，,、；;：:]+(?=[，,、；;：:。！？!?~～])")
_MAX_PASSES = 8


class Cleaned(NamedTuple):
    """A cleaned text, and how often each rule hit."""

    text: str
    hits: tuple[tuple[str, int], ...]


class TextCleaner:
    """Applies the rules of the levels characters, sentence and word to single texts.

    Args:
        rules: The rules that are on, in order.
        cut: Cuts a text into words.
        min_words: A turn with fewer words is emptied by `short`.
    """

    def __init__(self, rules: Sequence[Rule], cut: Cut, min_words: int) -> None:
        self._characters = [rule for rule in rules if isinstance(rule, ReplaceRule)]
        self._sentences = [rule for rule in rules if isinstance(rule, SentenceRule)]
        self._words = [rule for rule in rules if isinstance(rule, WordRule)]
        self._built_in = {rule.id: rule for rule in rules if isinstance(rule, BuiltInRule)}
        self._vocabulary = frozenset(word for rule in self._words for word in rule.words)
        self._any_word = re.compile("|".join(sorted(map(re.escape, self._vocabulary), key=len, reverse=True)) or "(?!)")
        self._cut = cut
        self._min_words = min_words

    def clean(self, text: str, role: str, query: bool) -> Cleaned:
        """Clean a text.

        Args:
            text: The text of a turn.
            role: Whose turn it is.
            query: Whether it is the current query, from which no sentence goes and which never becomes empty.
        """
        hits: Counter[str] = Counter()
        before, now = None, text
        for _ in range(_MAX_PASSES):
            if now == before:
                break
            before, now = now, self._once(now, role, query, hits)
        if query and not now.strip():
            return Cleaned(text, ())
        return Cleaned(now, tuple(sorted(hits.items()))) if now != text else Cleaned(text, ())

    def _once(self, text: str, role: str, query: bool, hits: Counter[str]) -> str:
        text = self._replaced(text, role, hits, last=False)
        if not query:
            text = self._drop_sentences(text, role, hits)
        text = self._drop_words(text, role, hits)
        text = self._replaced(text, role, hits, last=True)
        if not query:
            text = self._short(text, role, hits)
        return text

    def _replaced(self, text: str, role: str, hits: Counter[str], last: bool) -> str:
        for rule in self._characters:
            if rule.last == last and rule.role in (role, "both"):
                text = _replace(rule, text, hits)
        return text

    def _drop_sentences(self, text: str, role: str, hits: Counter[str]) -> str:
        sentences = _SENTENCE.findall(text)
        kept: list[str] = []
        for sentence in sentences:
            rule = self._sentence_rule(sentence, role) if sentence else None
            if rule is None:
                kept.append(sentence)
            else:
                hits[rule] += 1
                kept.extend(self._meant(sentence, role))
        return text if kept == sentences else "".join(kept).strip()

    def _meant(self, sentence: str, role: str) -> list[str]:
        """What stays of a sentence that goes: a clause beside the noise that has a digit or Latin letter.

        `T20-Pro到手2199.00元，限时立减300！` is an advert, but its first clause is a price that somebody asked for.
        """
        body = sentence.rstrip(_END_MARKS)
        clauses = [clause for clause in _CLAUSE.findall(body) if clause]
        kept = [clause for clause in clauses if self._sentence_rule(clause, role) is None]
        if len(kept) == len(clauses) or not any(map(_DIGIT_OR_LATIN.search, kept)):
            return []
        return ["".join(kept).rstrip("，,；;") + sentence[len(body) :]]

    def _sentence_rule(self, sentence: str, role: str) -> str | None:
        """Name the rule that takes a sentence out; None where it stays."""
        if PLACEHOLDER in sentence:
            return None
        core = sentence.strip(_EDGES)
        symbols = self._built_in.get("symbol-only")
        if symbols is not None and symbols.role in (role, "both") and not _MEANING.search(sentence):
            return "symbol-only"
        for rule in self._sentences:
            if rule.role not in (role, "both") or not rule.pattern.search(core):
                continue
            if rule.guard_pattern is None or not rule.guard_pattern.search(core):
                return rule.id
        return None

    def _drop_words(self, text: str, role: str, hits: Counter[str]) -> str:
        if not self._any_word.search(text):
            return text
        kept: list[str] = []
        place = 0
        gone = 0
        for word in self._cut(text):
            end = place + len(word)
            rule = self._word_rule(word, role, text[:place], text[end:]) if word in self._vocabulary else None
            if rule is None:
                kept.append(word)
            else:
                hits[rule] += 1
                gone += 1
            place = end
        if not gone:
            return text
        return _TRAILING.sub("", _LEADING.sub("", _DOUBLE.sub("", "".join(kept)))).strip()

    def _word_rule(self, word: str, role: str, before: str, after: str) -> str | None:
        for rule in self._words:
            if word in rule.words and rule.role in (role, "both"):
                left, right = rule.around
                if left.search(before) and right.match(after):
                    return rule.id
        return None

    def _short(self, text: str, role: str, hits: Counter[str]) -> str:
        rule = self._built_in.get("short")
        if rule is None or rule.role not in (role, "both") or not text.strip():
            return text
        if PLACEHOLDER in text or "<" in text or _DIGIT_OR_LATIN.search(text) or len(text) >= 8 * self._min_words:
            return text  # a size, a price or a model number is short and says a lot
        words = sum(1 for word in self._cut(text) if _MEANING.search(word))
        if words >= self._min_words:
            return text
        hits["short"] += 1
        return ""


def _replace(rule: ReplaceRule, text: str, hits: Counter[str]) -> str:
    for pattern, by in rule.patterns:
        new, count = pattern.subn(by, text)
        if new != text:
            hits[rule.id] += count
            text = new
    return text
