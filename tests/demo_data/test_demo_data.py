"""The demo data set is what its hand-written sources say, and the shipped rules clean it as promised."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from denoise_support import record, run, stage

from . import make

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
TRAIN = ROOT / "pipelines" / "demo" / "train.json"
FIXTURE = ROOT.parent / "shared" / "data" / "fixtures" / "mire_label_registry.json"
ENTRIES = make.entries()
TALKS = [entry for entry in ENTRIES if entry["task"] == make.INTENT]
ROLES = {"用户": "user", "客服": "agent"}
STAGE = stage()
ON = [rule for rule in STAGE.rules if rule.level != "ocr"]


def clean(entry: dict[str, Any]) -> tuple[str, Counter[str]]:
    """The cleaned talk as text, and how often each rule hit."""
    said = [f"{ROLES[who][0]}: {text}" for who, text in entry["turns"]]
    outcome = run([record("talk", said)], STAGE)
    turns = outcome.rows.to_pylist()[0]["turns"]
    hits = Counter({row["code"]: int(row["value"]) for row in outcome.ledger.to_pylist()})
    return "\n".join(f"{turn['role']}: {turn['text']}" for turn in turns), hits


def rows() -> list[dict[str, Any]]:
    return json.loads(TRAIN.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ["train.json", "pictures.yaml", "expected.json"])
def test_making_it_again_gives_the_committed_bytes(name: str, tmp_path: Path) -> None:
    """Else the shipped demo is not what its sources say, and nobody can repair one by hand."""
    make.make(tmp_path)
    committed = TRAIN if name == "train.json" else HERE / name
    assert (tmp_path / name).read_bytes() == committed.read_bytes()


def test_every_record_has_an_id_and_a_key_of_its_own() -> None:
    """Two records with one id would overwrite each other's pictures and ledger entries."""
    assert len({row["id"] for row in rows()}) == len(rows()) == len({entry["key"] for entry in ENTRIES})


def test_rows_have_exactly_the_fields_of_the_challenge() -> None:
    """A reader written for the challenge's files must read the demo unchanged."""
    assert {tuple(row) for row in rows()} == {("id", "instruction", "input", "output", "image")}


def test_prompts_are_those_of_the_challenge() -> None:
    """One differing character in a prompt changes what a model trained on the real data sees."""
    if not FIXTURE.exists():
        pytest.skip("the fixture with the challenge's prompts is not beside this checkout")
    known = json.loads(FIXTURE.read_text(encoding="utf-8"))
    before, after = known[make.INTENT]["prompt_template"].split("{dialogue}")
    for entry, row in zip(ENTRIES, rows(), strict=True):
        if entry["task"] == make.SCENE:
            assert row["instruction"] == known[make.SCENE]["prompt"]
        else:
            assert row["instruction"].startswith(before)
            assert row["instruction"].endswith(after)


def test_placeholders_are_as_many_as_pictures_except_in_the_row_made_wrong() -> None:
    """Else a good row would be refused, or the bad one would be no example."""
    wrong = [
        entry["code"]
        for entry, row in zip(ENTRIES, rows(), strict=True)
        if row["instruction"].count("<image>") != len(row["image"]) or entry.get("code") == "image_count_mismatch"
    ]
    assert wrong == ["image_count_mismatch"]


def test_labels_of_good_rows_are_known_and_nearly_all_intents_occur() -> None:
    """A demo with few labels shows nothing of a data card or a split."""
    expected = json.loads((HERE / "expected.json").read_text(encoding="utf-8")).values()
    kept = [item for item in expected if item["fate"] == "kept"]
    assert all(item["label"] for item in kept)
    assert len({item["label"] for item in kept if item["task"] == make.INTENT}) >= 20
    assert len({item["label"] for item in kept if item["task"] == make.SCENE}) >= 16


def test_each_way_to_fail_occurs_once() -> None:
    """The demo shows where bad rows go; a kind that is missing is a reason that nobody gets to see."""
    codes = Counter(entry["code"] for entry in ENTRIES if entry.get("fate") == "failed")
    assert codes == dict.fromkeys(
        (
            "image_missing",
            "image_truncated",
            "image_unreadable",
            "image_count_mismatch",
            "unknown_label",
            "image_path_escapes",
        ),
        1,
    )


def test_the_talks_end_as_in_the_two_dialects() -> None:
    """Both dialects of the challenge must be met: the customer's last word, or the shop's behind it."""
    for entry in TALKS:
        assert entry["turns"][-1][0] == ("用户" if entry["dialect"] == "demo" else "客服"), entry["key"]


@pytest.mark.parametrize("entry", TALKS, ids=lambda entry: entry["key"])
def test_what_must_go_stands_in_the_raw_talk(entry: dict[str, Any]) -> None:
    """A `gone` that never was there would prove nothing."""
    raw = "\n".join(text for _, text in entry["turns"])
    assert [text for text in entry.get("expect", {}).get("gone", []) if text not in raw] == []


@pytest.mark.parametrize("entry", TALKS, ids=lambda entry: entry["key"])
def test_a_cleaned_talk_has_lost_its_noise_and_kept_its_facts(entry: dict[str, Any]) -> None:
    """Noise that stays, or a price, size, model or question that goes, ends up in somebody's training set."""
    expect = entry.get("expect", {})
    cleaned, hits = clean(entry)
    assert [rule for rule in expect.get("rules", []) if not hits[rule]] == []
    assert [text for text in expect.get("keep", []) if text not in cleaned] == []
    assert [text for text in expect.get("gone", []) if text in cleaned] == []
    assert cleaned.count("<image>") == sum(text.count("<image>") for _, text in entry["turns"])


def test_every_rule_that_is_on_is_expected_somewhere() -> None:
    """A rule that no dialogue shows is a rule that the demo cannot explain."""
    shown = {rule for entry in TALKS for rule in entry.get("expect", {}).get("rules", [])}
    assert {rule.id for rule in ON} - shown == set()
