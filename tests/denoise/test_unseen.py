"""Dialogues that the rules were not written from, of both dialects: what must stay stays, what must go goes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from denoise_support import lines, record, run, stage
from ruamel.yaml import YAML

CASES: list[dict[str, Any]] = YAML(typ="safe").load((Path(__file__).parent / "unseen.yaml").read_text("utf-8"))
OFFICIAL = Path(__file__).parents[3] / "shared" / "data" / "mire" / "demo_test.json"


@pytest.fixture(scope="module")
def cleaned() -> dict[str, list[str]]:
    """All cases, denoised in one batch."""
    records = [record(case["name"], case["said"]) for case in CASES]
    return {row["uid"]: lines(row) for row in run(records).rows.to_pylist()}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_what_must_stay_stays_and_what_must_go_goes(case: dict[str, Any], cleaned: dict[str, list[str]]) -> None:
    """A lost word is a lost intent; noise that stays is learnt by the model."""
    text = "\n".join(cleaned[case["name"]])

    assert [part for part in case["stays"] if part not in text] == [], text
    assert [part for part in case["goes"] if part in text] == [], text
    assert [part for part in case.get("once", []) if text.count(part) != 1] == [], text


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_last_question_is_never_lost(case: dict[str, Any], cleaned: dict[str, list[str]]) -> None:
    """The last question is what the label answers."""
    query = [line for line in case["said"] if line.startswith("u") and line[3:].replace("<image>", "").strip()][-1]
    user = [line for line in cleaned[case["name"]] if line.startswith("u")]
    wanted = re.findall(
        r"[^\W_]", re.sub(r"(?:https?://|www\.)[!-~]+|<http>|\d{11,}|/:\d{3}|#E\S+|[\u200b]", "", query[3:])
    )

    assert user
    assert len(re.findall(r"[^\W_]", user[-1])) >= 0.5 * len(wanted)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_pictures_stay_in_number_and_order(case: dict[str, Any], cleaned: dict[str, list[str]]) -> None:
    """A picture that moves belongs to another question."""
    before = [line[0] for line in case["said"] for _ in range(line.count("<image>"))]
    after = [line[0] for line in cleaned[case["name"]] for _ in range(line.count("<image>"))]

    assert after == before


def test_there_are_enough_cases_of_both_dialects() -> None:
    """Sixty cases; raw links and placeholders of links."""
    said = ["\n".join(case["said"]) for case in CASES]

    assert len(CASES) >= 60
    assert len({case["name"] for case in CASES}) == len(CASES)
    assert sum("://" in text for text in said) >= 3
    assert sum("<http>" in text for text in said) >= 3


RULES_OF_THE_TEN: list[set[str]] = [
    {"image-unreadable"},
    {"empty-agent", "url", "merge-user"},
    {"greeting", "empty-agent", "merge-user"},
    {"empty-agent", "url", "merge-user"},
    {"greeting"},
    {"image-unreadable"},
    {"image-unreadable", "emoji", "spacing"},
    {"url", "repeated-agent", "advert", "markup", "emoji"},
    {"greeting"},
    {"image-unreadable"},
]
"""What must fire on each of the ten published dialogues of MIRE."""


@pytest.mark.skipif(not OFFICIAL.is_file(), reason="the official MIRE demo file is not beside this checkout")
def test_every_rule_fires_on_the_published_dialogues_and_their_matter_stays() -> None:
    """The ten dialogues that everybody has seen are the first that anybody looks at."""
    records = []
    for number, row in enumerate(json.loads(OFFICIAL.read_text("utf-8"))):
        body = row["instruction"].split("START>\n")[1].split("\n<用户与客服的对话 END>")[0]
        said = [{"用户": "u", "客服": "a"}[line[:2]] + line[2:] for line in body.split("\n")]
        records.append(record(f"r{number}", said))
    outcome = run(records, stage())
    fired: dict[str, set[str]] = {}
    for entry in outcome.ledger.to_pylist():
        fired.setdefault(entry["uid"], set()).add(entry["code"])

    for number, (one, wanted) in enumerate(zip(records, RULES_OF_THE_TEN, strict=True)):
        row = outcome.rows.slice(number, 1).to_pylist()[0]
        text = "\n".join(lines(row))
        assert wanted <= fired[one.uid], (one.uid, wanted - fired[one.uid])
        assert text.count("<image>") == len(one.images)
        prices = re.findall(r"\d+\.\d+", "\n".join(turn.text for turn in one.turns if "http" not in turn.text))
        assert [price for price in prices if price not in text] == []
