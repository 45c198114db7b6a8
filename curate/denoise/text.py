"""Cleaning the texts of turns: characters, then sentences, then words, until nothing changes any more."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curate.denoise.cleaned import CleanTexts, Step
from curate.denoise.keep import Keep
from curate.denoise.rules import BuiltInRule, ReplaceRule, Rule, SentenceRule, WordRule
from curate.denoise.script import CHINESE, MEANING, Script
from curate.denoise.segment import Cut
from curate.denoise.sentences import SentenceStep
from curate.denoise.sieve import Sieve
from curate.denoise.steps import Numbers, ReplaceStep, ShortStep, WordStep
from curate.records import PLACEHOLDER, escape_placeholders

MAX_PASSES = 64
"""Passes after which a text is left as it is; only rules that undo each other ever get there."""

_Result: TypeAlias = tuple[dict[int, str], list[tuple[int, int, int]]]
"""New texts by number, and hits: text, rule, count."""

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
        self._steps: dict[tuple[str, bool, bool], _Steps] = {}
        for role in ("user", "agent"):
            before, sentences, after, short = self._made([rule for rule in rules if rule.looks_at(role)])
            self._steps[role, False, False] = _Steps(before + sentences + after)
            self._steps[role, False, True] = _Steps(before + sentences + after, short)
            self._steps[role, True, False] = self._steps[role, True, True] = _Steps(before + after)

    def _made(self, rules: Sequence[Rule]) -> tuple[list[Step], list[Step], list[Step], list[ShortStep]]:
        """The steps for texts of a role: before the sentences, sentences, behind them, and for whole turns."""
        replace = [rule for rule in rules if isinstance(rule, ReplaceRule)]
        built_in = {rule.id: rule for rule in rules if isinstance(rule, BuiltInRule)}
        sentence_rules = [rule for rule in rules if isinstance(rule, SentenceRule)]
        words = [rule for rule in rules if isinstance(rule, WordRule)]
        before: list[Step] = [self._replace[rule.id] for rule in replace if not rule.last]
        sentences: list[Step] = []
        if sentence_rules or "symbol-only" in built_in:
            symbol_only, script = built_in.get("symbol-only"), self._settings.script
            sentences.append(SentenceStep(sentence_rules, symbol_only, self._keep, self.numbers, script))
        after: list[Step] = [WordStep(words, self._cut, self.numbers)] if words else []
        after += [self._replace[rule.id] for rule in replace if rule.last]
        short: list[ShortStep] = []
        if "short" in built_in:
            cut = self._cut if self._settings.unit == "word" else None
            short.append(ShortStep(self.numbers["short"], cut, self._settings.min_words))
        return before, sentences, after, short

    def clean(self, texts: pa.Array, role: str, query: bool) -> CleanTexts:
        """Clean texts, each on its own.

        Args:
            texts: Texts of turns.
            role: Whose turns they are.
            query: Whether they are current queries, which keep their sentences and their meaning.
        """
        if role not in ("user", "agent"):
            return CleanTexts.of({}, [])
        shows = pc.match_substring(texts, PLACEHOLDER)
        if pc.any(shows).as_py():
            new, hits = self._beside_pictures(texts, shows, role, query)
        else:
            new, hits = self._run(texts, self._steps[role, query, True])
        if query:
            new = {number: text for number, text in new.items() if says_something(text)}  # the others stay as they were
        return CleanTexts.of(new, hits)

    def _beside_pictures(self, texts: pa.Array, shows: pa.Array, role: str, query: bool) -> _Result:
        """Clean what stands around pictures piece by piece, so that no rule can touch or count a picture."""
        plain = pc.indices_nonzero(pc.invert(shows))
        done, hits = _renumbered(self._run(texts.take(plain), self._steps[role, query, True]), plain.to_pylist())
        numbers = pc.indices_nonzero(shows).to_pylist()
        before = [texts[number].as_py() for number in numbers]
        pieces = [_PICTURE.split(text) for text in before]
        owners = [(row, place) for row, split in enumerate(pieces) for place in range(0, len(split), 2)]
        parts = pa.array([pieces[row][place] for row, place in owners], pa.string())
        changed, found = self._run(parts, self._steps[role, query, False])
        for number, part in changed.items():
            row, place = owners[number]
            pieces[row][place] = part
        for number, text, split in zip(numbers, before, pieces, strict=True):
            new = "".join(split)
            if new != text:
                done[number] = new
        return done, hits + [(numbers[owners[part][0]], rule, count) for part, rule, count in found]

    def _run(self, texts: pa.Array, steps: _Steps) -> _Result:
        """Apply steps until nothing changes; give the texts that changed, and the hits."""
        result: dict[int, str] = {}
        hits: list[tuple[int, int, int]] = []
        concerned = steps.concerned(texts)
        column = texts.take(pa.array(concerned))
        active: Sequence[int] = concerned.tolist()  # numbers of the texts that may still change
        for _ in range(MAX_PASSES if active else 0):
            start = column
            touched: set[int] = set()
            for step in steps.all:
                changes = step.apply(column)
                column = changes.applied(column)
                touched.update(changes.numbers)
                hits += [(active[number], rule, count) for number, rule, count in changes.hits]
            places = pa.array(sorted(touched), pa.int64())
            before, after = start.take(places).to_pylist(), column.take(places).to_pylist()
            now: dict[int, str] = {}
            for place, old, new in zip(places.to_pylist(), before, after, strict=True):
                safe = escape_placeholders(new) if "<" in new else new
                if safe != old:
                    now[active[place]] = safe
            result.update(now)
            if not now:
                break
            column, active = pa.array(now.values(), pa.string()), list(now)
        if len(result):
            numbers = list(result)
            original = texts.take(pa.array(numbers, pa.int64())).to_pylist()
            result = {n: result[n] for n, text in zip(numbers, original, strict=True) if result[n] != text}
        return result, hits


class _Steps:
    """Steps in order, and which texts any of them may change.

    Args:
        steps: Steps with a sieve each.
        short: Steps behind them, which ask something else.
    """

    def __init__(self, steps: Sequence[Step], short: Sequence[ShortStep] = ()) -> None:
        self.all: list[Step | ShortStep] = [*steps, *short]
        self._short = short
        self._sieve = Sieve.of_any([step.sieve for step in steps])

    def concerned(self, texts: pa.Array) -> npt.NDArray[np.int64]:
        """Give the numbers of the texts that a step may change, in order; most texts concern no step at all."""
        return np.unique(np.concatenate([self._sieve.passing(texts), *(step.passing(texts) for step in self._short)]))


def _renumbered(result: _Result, numbers: Sequence[int]) -> _Result:
    texts, hits = result
    return {numbers[n]: text for n, text in texts.items()}, [(numbers[n], rule, count) for n, rule, count in hits]


def says_something(text: str) -> bool:
    """Whether a text has a letter, digit or Han character besides pictures and particles."""
    return MEANING.search(_PARTICLES.sub("", text.replace(PLACEHOLDER, ""))) is not None
