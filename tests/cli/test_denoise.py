"""`curate denoise` and `curate rules` as a person uses them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    """Two dialogues, one of them noisy."""
    path = tmp_path / "talk.jsonl"
    rows = [
        [
            ("user", "您好，这款灯可以调光吗？？？"),
            ("assistant", "亲，支持三档调光的，感谢您的咨询！"),
            ("user", "<script>怎么调呀谢谢"),
        ],
        [("user", "遥控器丢了能单独买吗"), ("assistant", "遥控器单卖39.00元")],
    ]
    lines = [
        json.dumps(
            {"id": f"t{n}", "messages": [{"role": role, "content": text} for role, text in row]}, ensure_ascii=False
        )
        for n, row in enumerate(rows)
    ]
    path.write_text("\n".join(lines), "utf-8")
    return path


def test_a_preview_shows_what_goes_and_writes_nothing(curate: Any, talk: Path) -> None:
    """Whoever sees before and after trusts a rule, or switches it off."""
    answer = curate("denoise", str(talk), "--preview", "3")

    assert answer.code == 0
    assert "user: [-您好，-]这款灯可以调光吗？[-？？-]" in answer.out
    assert "<script>怎么调呀[-谢谢-]" in answer.out
    assert "遥控器" not in answer.out
    assert sorted(path.name for path in talk.parent.iterdir()) == ["talk.jsonl"]


def test_a_preview_is_json_when_asked(curate: Any, talk: Path) -> None:
    """A tool reads the same facts as a person."""
    value = json.loads(curate("denoise", str(talk), "--preview", "1", "--json").out)

    assert [record["source_id"] for record in value["shown"]] == ["t0"]
    assert value["shown"][0]["before"][0] == "user: 您好，这款灯可以调光吗？？？"


def test_explain_tells_hits_examples_and_rules_that_never_hit(curate: Any, talk: Path) -> None:
    """A rule that never hits is a typo, or not for this data."""
    answer = curate("denoise", str(talk), "out", "--explain", "--json")
    value = json.loads(answer.out)
    rules = {rule["id"]: rule for rule in value["rules"]}

    assert answer.code == 0
    assert (rules["punctuation"]["rows"], rules["punctuation"]["hits"]) == (1, 1)
    assert rules["gratitude"]["example"] == {
        "record": "t0",
        "before": "<script>怎么调呀谢谢",
        "after": "<script>怎么调呀",
    }
    assert "status-bar" in value["never_hit"]
    assert "modal" not in value["never_hit"]
    assert value["records"] == 2


def test_explain_says_the_same_with_and_without_a_dataset(curate: Any, talk: Path) -> None:
    """A look before must not promise something else than the run does."""
    with_out = json.loads(curate("denoise", str(talk), "out", "--explain", "--json").out)
    without = json.loads(curate("denoise", str(talk), "--explain", "--json").out)

    assert with_out["rules"] == without["rules"]


def test_explain_reads_as_a_table(curate: Any, talk: Path) -> None:
    """Names of rules, hits and an example stand in one line each."""
    answer = curate("denoise", str(talk), "--explain")

    assert "what the rules did to 2 records" in answer.out
    assert any("closing" in line and "[-，感谢您的咨询-]" in line for line in answer.out.splitlines())
    assert "never hit: " in answer.out
    assert "off: " in answer.out


def test_levels_choose(curate: Any, talk: Path) -> None:
    """One level at a time is how somebody finds out which one does what."""
    answer = curate("denoise", str(talk), "--preview", "2", "--level", "word", "--json")

    assert {code for record in json.loads(answer.out)["shown"] for code in record["rules"]} == {
        "honorific",
        "greeting-word",
        "gratitude",
    }


def test_records_that_cannot_be_read_are_told(curate: Any, talk: Path) -> None:
    """An empty preview must not look like clean data."""
    with open(talk, "a", encoding="utf-8") as stream:
        stream.write("\n{bad")

    assert (
        "1 records cannot be read and are not shown: bad_json 1" in curate("denoise", str(talk), "--preview", "1").err
    )


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("talk.jsonl",), "OUT is missing"),
        (("talk.jsonl", "out", "--preview", "1"), "do not go with --preview"),
        (("talk.jsonl", "out", "--rules", "nowhere"), "shipped are en-general, zh-ecommerce, zh-general"),
        (("talk.jsonl", "out", "--level", "words"), "word"),
        (("talk.jsonl", "--preview", "0"), "0"),
        (("nowhere.jsonl", "--preview", "1"), "there is no such file"),
    ],
)
def test_wrong_use_is_answered_with_what_is_right(
    curate: Any, talk: Path, arguments: tuple[str, ...], told: str
) -> None:
    """An error names what is allowed."""
    answer = curate("denoise", *arguments)

    assert answer.code == 2
    assert told in answer.err


def test_rules_are_listed(curate: Any) -> None:
    """Whoever wonders what goes must find all of it in one place."""
    answer = curate("rules")

    assert answer.code == 0
    assert "image-unreadable" in answer.out
    assert "shipped files: en-general, zh-ecommerce, zh-general" in answer.out
    assert {"advert", "modal"} <= {rule["id"] for rule in json.loads(curate("rules", "--json").out)["rules"]}


def test_a_rule_has_a_page(curate: Any) -> None:
    """What, why, hits, spares, options: one page answers why a word went."""
    answer = curate("rules", "show", "long-number")

    assert answer.code == 0
    assert all(
        part in answer.out
        for part in ("more than ten digits", "hits", "spares", "价格499.00", "min_digits", "off=[long-number]")
    )


def test_a_misspelt_rule_is_guessed(curate: Any) -> None:
    """Did you mean is quicker than a list of thirty."""
    answer = curate("rules", "show", "adverts")

    assert (answer.code, "did you mean 'advert'?" in answer.err) == (2, True)


MINE = """
name: mine
title: mine
language: zh
extends: zh-ecommerce
rules:
  - id: shop-name
    level: sentence
    kind: sentence
    what: The shop says its name.
    why: It is in every reply.
    find: ["^云朵家居$", "云多"]
    hits: [{text: "云朵家居", gives: ""}]
    spares: ["云朵家居的床垫"]
"""


def test_a_file_of_ones_own_is_tested(curate: Any, tmp_path: Path, talk: Path) -> None:
    """Patterns that nothing tries, and rules that never hit, are where typos hide."""
    (tmp_path / "mine.yaml").write_text(MINE, "utf-8")
    answer = curate("rules", "test", "mine.yaml", "--data", str(talk))

    assert answer.code == 0
    assert "0 failed" in answer.out
    assert "shop-name: 云多" in answer.out
    assert "never hit in" in answer.out and "shop-name" in answer.out.splitlines()[-1]


def test_a_failing_example_is_an_exit_code(curate: Any, tmp_path: Path) -> None:
    """CI of somebody's rules must turn red."""
    (tmp_path / "mine.yaml").write_text(MINE.replace('spares: ["云朵家居的床垫"]', 'spares: ["云多的床垫"]'), "utf-8")
    answer = curate("rules", "test", "mine.yaml")

    assert answer.code == 1
    assert "failed shop-name" in answer.out
    assert json.loads(curate("rules", "test", "mine.yaml", "--json").out)["failed"][0]["rule"] == "shop-name"


def test_a_users_rules_clean(curate: Any, tmp_path: Path, talk: Path) -> None:
    """`--rules my.yaml` is what the options promise."""
    (tmp_path / "mine.yaml").write_text(MINE.replace("云多", "单独买"), "utf-8")
    value = json.loads(curate("denoise", str(talk), "out", "--rules", "mine.yaml", "--explain", "--json").out)

    assert {rule["id"]: rule["hits"] for rule in value["rules"]}["shop-name"] == 0  # it is the current query
    assert value["steps"][-1]["rows_out"] == 2
