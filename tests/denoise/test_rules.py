"""Every rule of every shipped file does to its own examples what it says."""

from __future__ import annotations

import pytest

from curate.denoise.examples import Failure, apply, failures
from curate.denoise.keep import LEVELS
from curate.denoise.rule_file import load_rules, shipped


@pytest.mark.parametrize("name", shipped())
def test_rules_hit_and_spare_their_examples(name: str) -> None:
    """A rule that misses its own example leaves noise; one that hits what it must spare damages what people said."""
    file = load_rules(name)

    assert failures(file, file.cut()) == []


def test_a_wrong_example_is_found() -> None:
    """A test of examples that cannot fail protects nobody."""
    file = load_rules("zh-ecommerce")
    rule = file.rule("url")
    assert rule is not None
    wrong = rule.model_copy(update={"spares": ("看https://example.com/a吧",)})
    broken = file.model_copy(update={"rules": (wrong,), "keep": ()})

    assert failures(broken, file.cut()) == [
        Failure("url", "看https://example.com/a吧", "看https://example.com/a吧", "看吧")
    ]


@pytest.mark.parametrize("segmenter", ["rjieba", "jieba"])
def test_word_examples_do_not_depend_on_who_cuts(segmenter: str) -> None:
    """A data set made with the fast segmenter must be the one that jieba's would be."""
    file = load_rules("zh-ecommerce")
    cut = file.cut(segmenter)  # type: ignore[arg-type]

    got = [apply(rule, hit.text, cut) for rule in file.rules if rule.level == "word" for hit in rule.hits]

    assert got == [hit.gives for rule in file.rules if rule.level == "word" for hit in rule.hits]


@pytest.mark.parametrize("name", shipped())
def test_every_level_has_rules(name: str) -> None:
    """`--level` must find something on each level of each file."""
    assert {rule.level for rule in load_rules(name).rules} == set(LEVELS)


def test_defaults_are_those_of_the_specification() -> None:
    """Whoever reads the table of rules must find it true."""
    off = {rule.id for rule in load_rules("zh-ecommerce").rules if not rule.on}

    assert off == {"trailing-agent", "modal", "ui-chrome", "low-score", "boilerplate"}
