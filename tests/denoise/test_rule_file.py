"""Rule files of users: extended, replaced, and answered clearly where they are wrong."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest
from pydantic import ValidationError

from curate.denoise.rule_file import load_rules
from curate.denoise.rules import OptionName
from curate.denoise.stage import DenoiseOptions
from curate.errors import UsageError

OWN = """
name: mine
title: my shop
language: zh
extends: zh-ecommerce
off: [short]
without: [modal]
more_words: {honorific: [小可爱]}
segmenter_words: [小可爱]
rules:
  - id: shop-name
    level: sentence
    kind: sentence
    before: advert
    what: The shop says its name.
    why: It is in every reply.
    find: ["^云朵家居$"]
    hits: [{text: "云朵家居", gives: ""}]
    spares: ["云朵家居的床垫"]
"""


def write(folder: Path, text: str, name: str = "mine.yaml") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def test_a_file_extends_a_shipped_one(tmp_path: Path) -> None:
    """A shop adds its own phrases without copying three hundred lines."""
    file = load_rules(write(tmp_path, OWN))
    ids = [rule.id for rule in file.rules]

    assert ids.index("shop-name") + 1 == ids.index("advert")
    assert "modal" not in ids
    assert not file.rule("short").on  # type: ignore[union-attr]
    assert "小可爱" in file.rule("honorific").words  # type: ignore[union-attr]
    assert {"小可爱", "亲肤"} <= set(file.segmenter_words)


def test_a_rule_of_the_same_id_takes_the_place_of_the_shipped_one(tmp_path: Path) -> None:
    """Otherwise a rule that is wrong for a shop could only be switched off."""
    changed = OWN.replace("id: shop-name", "id: advert").replace("    before: advert\n", "")
    file = load_rules(write(tmp_path, changed))

    assert [rule.what for rule in file.rules if rule.id == "advert"] == ["The shop says its name."]


def test_a_file_without_extends_stands_alone(tmp_path: Path) -> None:
    """`--rules` replaces all shipped rules where the file does not say otherwise."""
    alone = OWN.replace("extends: zh-ecommerce\noff: [short]\nwithout: [modal]\n", "")
    alone = alone.replace("more_words: {honorific: [小可爱]}\n", "").replace("    before: advert\n", "")

    assert [rule.id for rule in load_rules(write(tmp_path, alone)).rules] == ["shop-name"]


def test_a_file_extends_one_beside_it(tmp_path: Path) -> None:
    """Teams share a file and add to it."""
    write(tmp_path, OWN, "team.yaml")
    own = "name: me\ntitle: me\nlanguage: zh\nextends: team.yaml\non: [short]\n"

    assert load_rules(write(tmp_path, own, "me.yaml")).rule("short").on  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("off: [short]", "off: [shorts]", "there is no rule 'shorts'"),
        ("before: advert", "before: adverts", "there is no rule 'adverts' to put it before"),
        ('find: ["^云朵家居$"]', 'find: ["("]', "not a valid pattern: ("),
        ("level: sentence", "level: word", "no rule of kind sentence on level word"),
        ("what: The", "wat: The", "what: the key is missing"),
        ("more_words: {honorific", "more_words: {url", "rule 'url' has no words"),
        ("extends: zh-ecommerce", "extends: zh-ecomerce", "there are no rules"),
        ("name: mine", "name: [", "not valid YAML"),
        ("title: my shop", "title: 2024-13-45", "a value cannot be read: month must be in 1..12"),
        ("title: my shop", "title: " + "[" * 9999, "nested too deeply"),
        ("why: It", "options: [min_digit]\n    why: It", "options.0: Input should be 'min_words'"),
    ],
)
def test_what_is_wrong_in_a_file_is_told(tmp_path: Path, before: str, after: str, told: str) -> None:
    """A rule that is silently ignored is believed to work."""
    path = write(tmp_path, OWN.replace(before, after))

    with pytest.raises(UsageError) as caught:
        load_rules(path)
    assert told in str(caught.value)


def test_what_stands_in_a_pattern_is_an_option_that_has_a_number(tmp_path: Path) -> None:
    """A misspelt option counted as 1: every digit was taken out of the data."""
    rule = """
  - id: numbers
    level: characters
    kind: replace
    what: a
    why: b
    options: [separator]
    find: ["[0-9]{<<separator>>,}"]
    hits: [{text: a1, gives: a}]
    spares: [a]
"""
    with pytest.raises(UsageError, match="what stands in << >> must be min_words or min_digits"):
        load_rules(write(tmp_path, OWN + rule.lstrip("\n")))


@pytest.mark.parametrize(
    ("text", "told"), [(None, "the rules .* cannot be read: Is a directory"), ("", "must be a mapping")]
)
def test_what_is_no_rule_file_is_told_as_what_it_is(tmp_path: Path, text: str | None, told: str) -> None:
    """`there are no rules` sends a person looking for a file that is there."""
    path = tmp_path if text is None else write(tmp_path, text)
    with pytest.raises(UsageError, match=told):
        load_rules(path)


def test_the_options_that_rules_may_name_are_options_of_the_stage() -> None:
    """`curate rules show` explains each of them."""
    assert set(get_args(OptionName)) <= set(DenoiseOptions.model_fields)


@pytest.mark.parametrize("options", [{"separator": "a<image>"}, {"min_words": 10**6}, {"min_digits": 10**11}])
def test_options_that_would_break_every_record_are_refused(options: dict[str, object]) -> None:
    """They ended in a bug report or in a run whose rows all fail."""
    with pytest.raises(ValidationError):
        DenoiseOptions(**options)  # type: ignore[arg-type]


def test_files_that_extend_each_other_are_refused(tmp_path: Path) -> None:
    """A circle must end in a sentence, not in a stack overflow."""
    one = write(tmp_path, OWN.replace("extends: zh-ecommerce", "extends: other.yaml"))
    write(tmp_path, OWN.replace("extends: zh-ecommerce", "extends: mine.yaml"), "other.yaml")

    with pytest.raises(UsageError, match="extend each other"):
        load_rules(one)


def test_the_digest_follows_what_rules_do_and_not_what_they_say(tmp_path: Path) -> None:
    """A better explanation must not make a million rows run again; another word must."""
    digest = load_rules(write(tmp_path, OWN)).digest()

    assert load_rules(write(tmp_path, OWN.replace("The shop says", "Here it says"))).digest() == digest
    assert load_rules(write(tmp_path, OWN.replace("小可爱]}", "小可爱, 小仙女]}"))).digest() != digest
