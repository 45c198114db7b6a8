"""The rules of --fail-on and of a recipe's checks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from diff_support import chats, compare, jsonl, parquet, sentence

from curate.cli.diff_head import first_lines
from curate.diff.rules import METRICS, parse_rule
from curate.errors import UsageError


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("removed:2%", ("removed", None, "<=", 2.0, "share")),
        ("removed <= 2%", ("removed", None, "<=", 2.0, "share")),
        ("rows@train:1000", ("rows", "train", ">=", 1000.0, "rows")),
        ("drift@label:0.05", ("drift", "label", "<=", 0.05, "score")),
        ("drift@label:5pp", ("drift", "label", "<=", 5.0, "points")),
        ("digits == 0", ("digits", None, "==", 0.0, "rows")),
        ("changed@turns[*].text<=10%", ("changed", "turns[*].text", "<=", 10.0, "share")),
        ("added>0", ("added", None, ">", 0.0, "rows")),
    ],
)
def test_rules_are_read(text: str, wanted: tuple[object, ...]) -> None:
    """A rule that is read otherwise than it was meant is worse than none."""
    rule = parse_rule(text)

    assert (rule.metric, rule.scope, rule.op, rule.limit, rule.unit) == wanted


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("remvoed:2%", "did you mean 'removed'"),
        ("removed", "write METRIC:LIMIT"),
        ("removed@label:2%", "takes no @label"),
        ("drift:0.05", "say of which column"),
        ("schema:2%", "% of nothing"),
        ("class.colour:0", "write class.NAME with one of"),
        ("removed:2pp", "pp is for drift"),
        ("digits.p95:1", "digits has no part 'p95'"),
    ],
)
def test_a_rule_that_cannot_be_read_says_why(text: str, says: str) -> None:
    """In a pipeline nobody sees what a person would have seen."""
    with pytest.raises(UsageError, match=re.escape(says)):
        parse_rule(text)


def test_shells_leave_rules_alone() -> None:
    """`removed>2%` unquoted writes a file called `2%`; brackets break in zsh."""
    for text in ("removed:2%", "drift@label:5pp", "rows@train:1000", "class.width@title:3"):
        parse_rule(text)
        assert not set(text) & set("<>[](){}*?!$&|;#'\"\\ ")


def test_a_rule_on_a_column_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    """Acceptance 15: it would hold for ever."""
    file = jsonl(tmp_path / "a.jsonl", chats(5))

    with pytest.raises(UsageError, match="there is no column 'lable'"):
        compare(file, file, "drift@lable:0.05")


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("changed@ocr:0", "there is no column 'ocr'"),
        ("changed@conversations length:0", "there is no column 'conversations length'"),
        ("new_pii@fone:0", "there is no kind 'fone'; there are: id_number, bank_card, phone"),
    ],
)
def test_a_rule_on_what_is_not_there_does_not_pass_in_silence(tmp_path: Path, rule: str, says: str) -> None:
    """Its value would be 0, whatever happens to the data."""
    file = jsonl(tmp_path / "a.jsonl", chats(5))

    with pytest.raises(UsageError, match=re.escape(says)):
        compare(file, file, rule)


def test_a_rule_on_a_part_that_a_column_does_not_have_is_a_mistake(tmp_path: Path) -> None:
    """`turns[*].txt` is a typo; a million changed texts would pass it."""
    file = parquet(tmp_path / "a.parquet", chats(5))

    (check,) = compare(file, file, "changed@conversations[*].value:0").verdict.checks
    assert check.ok
    with pytest.raises(UsageError, match=r"conversations has no such part as conversations\[\*\].text"):
        compare(file, file, "changed@conversations[*].text:0")


def test_a_rule_on_a_column_that_was_not_compared_does_not_hold(tmp_path: Path) -> None:
    """Nobody looked; 0 changed rows is what a report says that did not look."""
    a = jsonl(tmp_path / "a.jsonl", [{**row, "old": row["id"]} for row in chats(5)])
    b = jsonl(tmp_path / "b.jsonl", [{**row, "new": row["id"]} for row in chats(5)])

    checks = compare(
        a, b, "changed@old:0", "changed@new:0", "changed@label:0", ignore_columns=("label",)
    ).verdict.checks

    assert [(one.value, one.ok, one.note) for one in checks] == [
        (None, False, "old was not compared"), (None, False, "new was not compared"),
        (None, False, "label was not compared"),
    ]  # fmt: skip


def test_rows_of_a_column_are_counted_once_whatever_changed_in_them(tmp_path: Path) -> None:
    """Three rows lost a turn and three others have another text: six rows changed, not three."""
    before, after = chats(10), chats(10)
    for row in after[:3]:
        row["conversations"].pop()
    for row in after[2:6]:
        row["conversations"][0]["value"] += "啊"

    report = compare(
        jsonl(tmp_path / "a.jsonl", before), jsonl(tmp_path / "b.jsonl", after), "changed@conversations:5", key=("id",)
    )

    assert {name: one.rows for name, one in report.changed_in.items()} == {"conversations": 6}
    assert [(one.value, one.ok) for one in report.verdict.checks] == [(6.0, False)]
    assert "conversations 6" in first_lines(report)[2].plain


def test_what_cannot_be_computed_does_not_hold(tmp_path: Path) -> None:
    """Silence is no proof."""
    file = jsonl(tmp_path / "a.jsonl", chats(5))

    checks = compare(file, file, "leaks:0", "unexplained_removed:0", "drift@conversations:0.1").verdict.checks

    assert [(one.value, one.ok) for one in checks] == [(None, False)] * 3
    assert [one.note for one in checks] == [
        "there are no splits", "there is no ledger", "conversations has no distribution to compare",
    ]  # fmt: skip


def test_drift_that_too_few_rows_can_tell_passes_unless_strict(tmp_path: Path) -> None:
    """Acceptance 16, second half: five rows prove nothing, and --strict wants proof."""
    file = jsonl(tmp_path / "a.jsonl", chats(12))

    (soft,) = compare(file, file, "drift@label:0.05").verdict.checks
    (hard,) = compare(file, file, "drift@label:0.05", strict=True).verdict.checks

    assert (soft.ok, hard.ok) == (True, False)
    assert "too few rows" in soft.note


def test_every_metric_can_be_asked_for(tmp_path: Path) -> None:
    """A metric in the table that raises is a trap."""
    before = [{**row, "split": "train" if place < 300 else "test"} for place, row in enumerate(chats(400))]
    after = [{**row, "label": "退款"} for row in before[10:]]
    after[0]["conversations"] = [{"from": "human", "value": "1"}, {"from": "gpt", "value": sentence(21)}]
    scopes = {"drift": "@label", "vanished": "@label", "cer": "@conversations"}
    parts = {"class": ".width"}
    rules = [f"{name}{parts.get(name, '')}{scopes.get(name, '')}:0" for name in METRICS]

    report = compare(jsonl(tmp_path / "a.jsonl", before), jsonl(tmp_path / "b.jsonl", after), *rules, key=("id",))

    values = {one.metric: one.value for one in report.verdict.checks}
    assert (values["removed"], values["changed"], values["digits"], values["vanished"]) == (10, 260, 1, 2)
    assert values["drift"] == pytest.approx(2 / 3, abs=0.01)
    assert [name for name, value in values.items() if value is None] == ["unexplained_removed"]
