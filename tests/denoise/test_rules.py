"""Every rule does to its own examples what it says."""

from __future__ import annotations

from typing import Any

import pytest

from curate.denoise.dialogue import DialogueCleaner, Line
from curate.denoise.ocr_lines import clean_lines
from curate.denoise.rules import Rule, load_rules
from curate.denoise.segment import segmenter
from curate.denoise.text import TextCleaner

FILE = load_rules("zh-ecommerce")
CUT = segmenter("rjieba", FILE.segmenter_words)
HEIGHT = 2000


def lines(text: str) -> list[dict[str, Any]]:
    """`SHARE TEXT [SCORE]` a line: a line of text at that share of the picture's height."""
    found = []
    for row in text.splitlines():
        share, words, *score = row.split()
        y = float(share) * HEIGHT
        found.append(
            {
                "text": words,
                "score": float(score[0]) if score else 0.9,
                "polygon": [0, y, 100, y, 100, y + 40, 0, y + 40],
            }
        )
    return found


def show(kept: list[dict[str, Any]]) -> str:
    return "\n".join(f"{line['polygon'][1] / HEIGHT:g} {line['text']}" for line in kept)


def apply(rule: Rule, text: str) -> str:
    """Apply one rule alone."""
    if rule.level == "ocr":
        ocr, _ = clean_lines({"lines": lines(text), "text": ""}, HEIGHT, frozenset([rule.id]), 0.5)
        return show(ocr["lines"])
    if rule.level == "dialogue":
        turns = [Line(*row.split(": ", 1)) for row in text.split("\n")]
        cleaned, _ = DialogueCleaner(TextCleaner([], CUT, 3), frozenset([rule.id]), "，").clean(turns)
        return "\n".join(f"{turn.role}: {turn.text}" for turn in cleaned)
    role = "user" if rule.role == "both" else rule.role
    return TextCleaner([rule], CUT, 3).clean(text, role, query=False).text


EXAMPLES = [(rule, hit.text, hit.gives) for rule in FILE.rules for hit in rule.hits]
SPARED = [(rule, text) for rule in FILE.rules for text in rule.spares]


@pytest.mark.parametrize(("rule", "text", "gives"), EXAMPLES, ids=lambda value: getattr(value, "id", None))
def test_rule_hits_its_examples(rule: Rule, text: str, gives: str) -> None:
    """A rule that misses its own example leaves noise in the training set."""
    assert apply(rule, text) == gives


@pytest.mark.parametrize(("rule", "text"), SPARED, ids=lambda value: getattr(value, "id", None))
def test_rule_spares_its_examples(rule: Rule, text: str) -> None:
    """A rule that hits what it must spare damages what customers said."""
    if rule.level == "ocr":
        assert apply(rule, text) == show(lines(text))
    else:
        assert apply(rule, text) == text
