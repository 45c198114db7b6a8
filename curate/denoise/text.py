"""Cleaning the texts of turns: characters, then sentences, then words, until nothing changes any more."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from curate.denoise.cleaned import CleanTexts, Step
from curate.denoise.rules import BuiltInRule, Keep, ReplaceRule, Rule, SentenceRule, WordRule
from curate.denoise.segment import Cut
from curate.denoise.steps import CHINESE, MEANING, Numbers, ReplaceStep, Script, SentenceStep, ShortStep, WordStep
from curate.records import PLACEHOLDER, escape_placeholders

MAX_PASSES = 8
"""Passes after which a text is left as it is; only rules that undo each other ever get there."""

_PICTURE = re.compile(rf"(\s*{PLACEHOLDER}\s*)")
"""A picture with the blanks and line breaks around it."""

_PARTICLES = re.compile("[哦呢哈呀啦喔噢啊嘛吧吗么哎诶嗯呃额唔的了 ]")
"""What may be left of a query without it saying anything."""


@dataclass(frozen=True)
class Settings:
    """Numbers and words that the rules' options give."""

    min_words: int = 3
    """A turn with fewer words is emptied by `short`."""
    unit: str = "word"
    """What `short` counts: `word` or `char`."""
    min_digits: int = 11
    """A run of this many digits is replaced by `long-number`."""
    script: Script = CHINESE
    """How texts are cut into sentences."""

    def values(self) -> dict[str, object]:
        """The options by name, as patterns refer to them."""
        return {"min_words": self.min_words, "min_digits": self.min_digits}


class TextCleaner:
    """Applies the rules of the levels characters, sentence and word to columns of texts.

    Args:
        rules: The rules that are on, in order.
        cut: Cuts a text into words.
        settings: Values of options.
        keep: What rules on sentences must not take away.
        numbers: Number of each rule; by default its place among `rules`.
    """

    def __init__(
        self,
        rules: Sequence[Rule],
        cut: Cut,
        settings: Settings | None = None,
        keep: Sequence[Keep] = (),
        numbers: Numbers | None = None,
    ) -> None:
        self._rules = rules
        self._cut = cut
        self._settings = settings or Settings()
        self._keep = keep
        self.numbers = numbers or {rule.id: number for number, rule in enumerate(rules)}
        self._replace = {
            rule.id: ReplaceStep(rule, self.numbers[rule.id], self._settings.values())
            for rule in rules
            if isinstance(rule, ReplaceRule)
        }
        self._steps: dict[tuple[str, bool, bool], list[Step]] = {}
        for role in ("user", "agent"):
            before, sentences, after, short = self._made([rule for rule in rules if rule.looks_at(role)])
            self._steps[role, False, False] = before + sentences + after
            self._steps[role, False, True] = before + sentences + after + short
            self._steps[role, True, False] = self._steps[role, True, True] = before + after

    def _made(self, rules: Sequence[Rule]) -> tuple[list[Step], list[Step], list[Step], list[Step]]:
        """The steps for texts of a role: before the sentences, sentences, behind them, and for whole turns."""
        replace = [rule for rule in rules if isinstance(rule, ReplaceRule)]
        built_in = {rule.id: rule for rule in rules if isinstance(rule, BuiltInRule)}
        sentence_rules = [rule for rule in rules if isinstance(rule, SentenceRule)]
        words = [rule for rule in rules if isinstance(rule, WordRule)]
        before: list[Step] = [self._replace[rule.id] for rule in replace if not rule.last]
        sentences: list[Step] = []
        if sentence_rules or "symbol-only" in built_in:
            sentences.append(SentenceStep(sentence_rules, built_in.get("symbol-only"), self._keep, self.numbers, self._settings.script))
        after: list[Step] = [WordStep(words, self._cut, self.numbers)] if words else []
        after += [self._replace[rule.id] for rule in replace if rule.last]
        short: list[Step] = []
        if "short" in built_in:
            cut = self._cut if self._settings.unit == "word" else None
            short.append(ShortStep(self.numbers["short"], cut, self._settings.min_words))
        return before, sentences, after, short

    def clean(self, texts: Sequence[str], role: str, query: bool) -> CleanTexts:
        """Clean texts, each on its own.

        Args:
            texts: Texts of turns.
            role: Whose turns they are.
            query: Whether they are current queries, which keep their sentences and their meaning.
        """
        if role not in ("user", "agent"):
            return CleanTexts(texts, *_columns([]))
        with_pictures = [number for number, text in enumerate(texts) if PLACEHOLDER in text]
        if not with_pictures:
            return self._guarded(texts, *self._run(texts, self._steps[role, query, True]), query)
        return self._guarded(texts, *self._in_parts(texts, with_pictures, role, query), query)

    def _in_parts(
        self, texts: Sequence[str], with_pictures: Sequence[int], role: str, query: bool
    ) -> tuple[list[str], list[tuple[int, int, int]]]:
        """Clean what stands around pictures piece by piece, so that no rule can touch or count a picture."""
        plain = sorted(set(range(len(texts))) - set(with_pictures))
        done, hits = self._run([texts[number] for number in plain], self._steps[role, query, True])
        new = list(texts)
        for number, text in zip(plain, done, strict=True):
            new[number] = text
        hits = [(plain[number], rule, count) for number, rule, count in hits]
        pieces = {number: _PICTURE.split(texts[number]) for number in with_pictures}
        owners = [(number, place) for number, split in pieces.items() for place in range(0, len(split), 2)]
        parts, part_hits = self._run([pieces[n][place] for n, place in owners], self._steps[role, query, False])
        for (number, place), part in zip(owners, parts, strict=True):
            pieces[number][place] = part
        for number, split in pieces.items():
            new[number] = "".join(split)
        return new, hits + [(owners[part][0], rule, count) for part, rule, count in part_hits]

    def _run(self, texts: Sequence[str], steps: Sequence[Step]) -> tuple[list[str], list[tuple[int, int, int]]]:
        """Apply steps until nothing changes; give the texts and the hits."""
        result = list(texts)
        hits: list[tuple[int, int, int]] = []
        active = list(range(len(result)))
        column = pa.array(result, pa.string())
        for _ in range(MAX_PASSES):
            if not active:
                break
            touched: set[int] = set()
            for step in steps:
                changes = step.apply(column)
                column = changes.applied(column)
                touched.update(changes.numbers)
                hits += [(active[number], rule, count) for number, rule, count in changes.hits]
            chosen = sorted(touched)
            column = column.take(pa.array(chosen, pa.int64()))
            before, active = active, []
            for place, text in zip(chosen, column.to_pylist(), strict=True):
                number = before[place]
                text = escape_placeholders(text) if "<" in text else text
                if text != result[number]:
                    result[number] = text
                    active.append(number)
            column = pa.array([result[number] for number in active], pa.string())
        return result, hits

    def _guarded(
        self, texts: Sequence[str], new: list[str], hits: list[tuple[int, int, int]], query: bool
    ) -> CleanTexts:
        """Give the result; a query that would say nothing any more, and its hits, are taken back."""
        changed = [number for number, text in enumerate(new) if text != texts[number]]
        if query:
            back = {number for number in changed if not says_something(new[number])}
            for number in back:
                new[number] = texts[number]
            changed = [number for number in changed if number not in back]
        numbers, rules, counts = _columns(hits)
        told = np.isin(numbers, changed)
        return CleanTexts(new, numbers[told], rules[told], counts[told])


def says_something(text: str) -> bool:
    """Whether a text has a letter, digit or Han character besides pictures and particles."""
    return MEANING.search(_PARTICLES.sub("", text.replace(PLACEHOLDER, ""))) is not None


def _columns(hits: Sequence[tuple[int, int, int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    table = np.array(hits, dtype=np.int64).reshape(-1, 3)
    return table[:, 0], table[:, 1], table[:, 2]
