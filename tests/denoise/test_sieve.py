"""The sieve lets everything through that a pattern matches; it may only be wrong to the other side."""

from __future__ import annotations

import re

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from curate.denoise.rule_file import load_rules, shipped
from curate.denoise.rules import ReplaceRule, SentenceRule
from curate.denoise.sieve import Sieve, loosen

PATTERNS = sorted(
    {
        pattern
        for name in shipped()
        for rule in load_rules(name).rules
        for pattern in (
            [one for one, _ in rule.steps({"min_digits": 11})]
            if isinstance(rule, ReplaceRule)
            else rule.find
            if isinstance(rule, SentenceRule)
            else ()
        )
    }
)
HARD = [
    r"(?i)straße|kilo",
    r"(?<=a)b(?=c)|^d$",
    r"(a|b)\1",
    r"\bx\d{2,70}\s",
    r"a(?!b)[^c]",
    r"(?>ab)+" if hasattr(re, "NOFLAG") else "ab",
    r"[^\w]z",
    r"(?i)[a-c]ı",
    r"x{0,9}y{100}",
]
TEXTS = [
    text
    for name in shipped()
    for rule in load_rules(name).rules
    for text in (*rule.spares, *(hit.text for hit in rule.hits))
]
LETTERS = st.sampled_from(
    sorted({letter for text in TEXTS for letter in text} | set("aAbBcdxyzKkſıİ \u3000\n\x1c　ßẞ"))
)


@pytest.mark.parametrize("pattern", [*PATTERNS, *HARD])
@settings(max_examples=12, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(TEXTS), st.text(LETTERS, max_size=12), st.text(max_size=8)), max_size=4))
@example(["xy"])
def test_what_a_pattern_matches_passes(pattern: str, parts: list[str]) -> None:
    """A text that the sieve holds back keeps its noise, and nobody ever sees it."""
    text = "".join(parts)
    if re.search(pattern, text):
        assert Sieve([pattern]).passing(pa.array([text])).tolist() == [0]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_shipped_patterns_have_a_sieve(pattern: str) -> None:
    """A pattern without one is tried on every text by Python, and all is slow."""
    assert loosen([pattern]) is not None


def test_a_sieve_holds_most_texts_back() -> None:
    """A sieve that lets everything through saves nothing."""
    texts = pa.array(["这款灯可以调光吗", "什么时候发货", "看https://example.com/a吧"])

    assert Sieve(load_rules("zh-ecommerce").rule("url").find).passing(texts).tolist() == [2]  # type: ignore[union-attr]


def test_a_pattern_that_cannot_be_loosened_lets_everything_pass() -> None:
    """Slow is allowed, wrong is not."""
    assert loosen([r"(a)?(?(1)b|c)"]) is None
    assert Sieve([r"(a)?(?(1)b|c)"]).passing(pa.array(["x", "y"])).tolist() == [0, 1]
