"""Runs rules on their own examples: for the tests, for `curate rules test`, and for showing what a rule does."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from curate.denoise.dialogue import ROLES, DialogueCleaner, Turns
from curate.denoise.keep import Keep
from curate.denoise.ocr_lines import LineCleaner
from curate.denoise.rule_file import RuleFile
from curate.denoise.rules import LineRule, ReplaceRule, Rule, SentenceRule, WordRule
from curate.denoise.segment import Cut
from curate.denoise.text import Settings, TextCleaner
from curate.records import IMAGE

HEIGHT = 2000
"""Height in pixels of the pictures that examples of lines are about."""

LEARNT = frozenset(("猜你喜欢", "为你推荐"))
"""What `boilerplate` has learnt in examples."""


@dataclass(frozen=True)
class Failure:
    """An example that does not come out as the file says."""

    rule: str
    text: str
    wanted: str
    got: str


def apply(rule: Rule, text: str, cut: Cut, settings: Settings | None = None, keep: Sequence[Keep] = ()) -> str:
    """What one rule alone makes of an example."""
    if rule.level == "ocr":
        cleaner = LineCleaner([rule], keep, boilerplate=LEARNT)
        return _show(cleaner.clean(_picture(text))[0])
    if rule.level == "dialogue":
        return _dialogue(rule, text, cut)
    role = "user" if rule.role == "both" else rule.role
    cleaned = TextCleaner([rule], cut, settings, keep).clean(pa.array([text]), role, query=False)
    return cleaned.texts[0] if cleaned.changed else text


def failures(file: RuleFile, cut: Cut) -> list[Failure]:
    """The examples of a file that do not come out as it says; a rule must also come to rest on its own result."""
    settings = Settings(script=file.script())
    found = []
    for rule in file.rules:
        wanted = [(hit.text, hit.gives) for hit in rule.hits]
        wanted += [(hit.gives, hit.gives) for hit in rule.hits if rule.level != "ocr"]
        wanted += [(text, _same(rule, text)) for text in rule.spares]
        for text, gives in wanted:
            got = apply(rule, text, cut, settings, file.keep)
            if got != gives:
                found.append(Failure(rule.id, text, gives, got))
    for keep in file.keep:
        for text, finds in [*((text, True) for text in keep.finds), *((text, False) for text in keep.spares)]:
            if (keep.pattern.search(text) is not None) != finds:
                words = ("not found", "found")
                found.append(Failure(keep.id, text, words[finds], words[not finds]))
    return found


def untried(file: RuleFile) -> Iterator[tuple[str, str]]:
    """Patterns and words that no example of their rule ever meets: rule and pattern. A typo hides there for years."""
    for rule in file.rules:
        texts = [hit.text for hit in rule.hits]
        if isinstance(rule, WordRule):
            yield from ((rule.id, word) for word in rule.words if not any(word in text.lower() for text in texts))
            continue
        if isinstance(rule, LineRule):
            texts = [_words(line)[1] for text in texts for line in text.splitlines()]
        patterns = (
            [pattern for pattern, _ in rule.steps({"min_digits": 11})]
            if isinstance(rule, ReplaceRule)
            else list(rule.find)
            if isinstance(rule, (SentenceRule, LineRule))
            else []
        )
        for pattern in patterns:
            parts = [part for text in texts for part in (text, *re.split("[。！？!?~～\n]", text))]
            if not any(re.search(pattern, part.strip()) for part in parts):
                yield rule.id, pattern


def _same(rule: Rule, text: str) -> str:
    return _show(_picture(text)) if rule.level == "ocr" else text


def _dialogue(rule: Rule, text: str, cut: Cut) -> str:
    rows = [row.split(": ", 1) for row in text.split("\n")]
    roles = np.array([ROLES.index(role) for role, _ in rows], dtype=np.int64)
    said = pa.array([text for _, text in rows]).dictionary_encode()
    turns = Turns(np.zeros(len(rows), dtype=np.int64), roles, np.asarray(said.indices, dtype=np.int64))
    cleaner = DialogueCleaner(TextCleaner([], cut), {rule.id: 0}, "，")
    cleaned, turns, _ = cleaner.clean(said.dictionary, turns, 1)
    texts = cleaned.to_pylist()
    pairs = zip(turns.roles.tolist(), turns.codes.tolist(), strict=True)
    return "\n".join(f"{ROLES[role]}: {texts[code]}" for role, code in pairs)


def _words(line: str) -> tuple[float, str, float]:
    """`HEIGHT TEXT [SCORE]`."""
    place, _, rest = line.partition(" ")
    scored = re.fullmatch(r"(.+) (0\.[0-9]+|1)", rest)
    return (float(place), scored[1], float(scored[2])) if scored else (float(place), rest, 0.9)


def _picture(text: str) -> pa.Array:
    lines: list[dict[str, Any]] = []
    for row in text.splitlines():
        place, words, score = _words(row)
        top = place * HEIGHT
        polygon = [0.0, top, 100.0, top, 100.0, top + 40, 0.0, top + 40]
        lines.append({"text": words, "score": score, "polygon": polygon})
    ocr = {"engine": "example", "text": "\n".join(line["text"] for line in lines), "lines": lines}
    return pa.array([{"path": "example.png", "height": HEIGHT, "ocr": ocr}], IMAGE)


def _show(pictures: pa.Array) -> str:
    lines = pictures.to_pylist()[0]["ocr"]["lines"]
    return "\n".join(f"{line['polygon'][1] / HEIGHT:g} {line['text']}" for line in lines)
