"""What a change is: of which kind, at which path, and how it reads."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from diff_support import WORDS, chats, compare, jsonl, parquet
from hypothesis import given
from hypothesis import strategies as st

from curate.diff.cells import MISSING
from curate.diff.classes import change_class, classes_file_examples
from curate.diff.options import DiffOptions, parse_ignored, parse_tolerance
from curate.diff.segments import segments, visible
from curate.diff.text import edits
from curate.diff.walk import Walker
from curate.errors import UsageError


@pytest.mark.parametrize(
    ("before", "after", "wanted"),
    [
        ("￥12", "¥12", "width"),
        ("１件", "1件", "width"),
        ("金额1元", "金额7元", "digits"),
        ("尺码0", "尺码O", "digits"),
        ("好\u200b的", "好的", "invisible"),
        ("e\u0301", "é", "nfc"),
        ("好 的", "好的", "whitespace"),
        ("好的。", "好的!", "punctuation"),
        ("abc", "ABC", "case"),
        ("入口", "人口", "confusable"),
        ("好的", "坏的", "content"),
    ],
)
def test_changes_of_texts_have_classes(before: str, after: str, wanted: str) -> None:
    """Acceptance 7: a full-width sign is harmless and a digit is not; a count that mixes them says nothing."""
    assert change_class(before, after) == wanted


@pytest.mark.parametrize("example", classes_file_examples(), ids=lambda one: one[0])
def test_each_group_of_look_alikes_has_an_example(example: tuple[str, str, str]) -> None:
    """A group that explains nothing is noise."""
    signs, before, after = example

    assert change_class(before, after) == "confusable"
    assert any(sign in signs for sign in before)


def test_most_of_a_long_chinese_text_stays_as_it_is() -> None:
    """Acceptance 8: difflib finds 65 of 2,941 equal characters here; a person then sees a text that changed whole."""
    draw = random.Random(0)
    before = "".join(draw.choices(WORDS, k=3000))
    letters = list(before)
    for _ in range(60):
        letters[draw.randrange(3000)] = chr(draw.randrange(0x4E00, 0x4E00 + 3000))
    after = "".join(letters)

    found = edits(before, after)

    equal = sum(one == other for one, other in zip(before, after, strict=True))
    assert sum(one.end - one.start for one in found if one.same) >= 0.97 * equal


@given(st.text(max_size=60), st.text(max_size=60))
def test_edits_give_both_texts_back(before: str, after: str) -> None:
    """A diff that loses a character lies."""
    found = edits(before, after)

    assert "".join(before[one.start : one.end] for one in found) == before
    assert "".join(after[one.new_start : one.new_end] for one in found) == after
    assert all(before[one.start : one.end] == after[one.new_start : one.new_end] for one in found if one.same)


@given(st.text(max_size=80), st.text(max_size=80))
def test_segments_without_a_limit_give_both_texts_back(before: str, after: str) -> None:
    """What a report shows of a row that is asked for is all of it."""
    shown, cut = segments(before, after, longest=None)

    assert not cut
    assert "".join(one.text for one in shown if one.kind in ("same", "out")) == visible(before)
    assert "".join(one.text for one in shown if one.kind in ("same", "in")) == visible(after)


def test_a_number_changes_as_a_whole() -> None:
    """1,200 → 7,200 is a number; `[1→7],200` reads like a mark."""
    shown, _ = segments("金额1,200.00元", "金额7,200.00元")

    assert [(one.kind, one.text) for one in shown] == [
        ("same", "金额"), ("out", "1,200.00"), ("in", "7,200.00"), ("same", "元"),
    ]  # fmt: skip


def test_what_cannot_be_seen_is_written_out() -> None:
    """An edit of a zero-width blank looks like nothing."""
    assert visible("a\u200b\n\t\u3000\x00\u202e") == "a⟨U+200B⟩⏎⇥▯␀⟨U+202E⟩"


def test_an_edit_in_an_endless_line_is_found_in_time() -> None:
    """A single token of a megabyte must not stop the report."""
    before = "x" * 500_000 + "1" + "y" * 500_000

    found = edits(before, before.replace("1", "2"))

    assert [one.end - one.start for one in found] == [500_000, 1, 500_000]


def test_an_edited_turn_has_a_pointer(tmp_path: Path) -> None:
    """Acceptance 9: `conversations changed` does not say where to look."""
    rows = chats(3)
    after = chats(3)
    after[1]["conversations"][1]["value"] += "啊"

    report = compare(jsonl(tmp_path / "a.jsonl", rows), jsonl(tmp_path / "b.jsonl", after))

    change = report.samples.changed[0].changes[0]
    assert (change.path, change.column) == ("/conversations/1/value", "conversations[*].value")
    assert [(one.path, one.changed_rows) for one in report.columns] == [("conversations[*].value", 1)]


def test_a_turn_that_went_does_not_change_those_behind_it(tmp_path: Path) -> None:
    """Compared by number, every later turn would be another one."""
    rows, after = chats(1), chats(1)
    turns = [{"from": role, "value": f"{role}说的第{place}句"} for place, role in enumerate(["human", "gpt"] * 3)]
    rows[0]["conversations"], after[0]["conversations"] = turns, turns[2:]

    report = compare(jsonl(tmp_path / "a.jsonl", rows), jsonl(tmp_path / "b.jsonl", after))

    assert [(one.path, one.change) for one in report.samples.changed[0].changes] == [
        ("/conversations/0", "removed"),
        ("/conversations/1", "removed"),
    ]


def test_a_number_that_went_to_another_turn_did_not_change() -> None:
    """Two turns that became one hold the same numbers; a red line for that is a false alarm."""
    before = [{"role": "user", "text": "要2件"}, {"role": "agent", "text": ""}, {"role": "user", "text": "尺码38的"}]
    after = [{"role": "user", "text": "要2件\n尺码38的"}]

    found = Walker(DiffOptions(), False).differences(before, after, "turns", "conversation")

    assert "digits" not in {one.change for one in found}


def test_null_missing_and_empty_are_three_things(tmp_path: Path) -> None:
    """Trainers treat them differently."""
    a = [{"id": "1", "t": None}, {"id": "2"}, {"id": "3", "t": ""}, {"id": "4", "t": "x"}]
    b = [{"id": "1", "t": "x"}, {"id": "2", "t": "x"}, {"id": "3", "t": "x"}, {"id": "4"}]

    column = compare(jsonl(tmp_path / "a.jsonl", a), jsonl(tmp_path / "b.jsonl", b), key=("id",)).columns[0]

    assert column.changed_rows == 4
    assert (column.null_to_value, column.missing_to_value, column.value_to_missing) == (1, 1, 1)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5),
                    lambda one: st.lists(one, max_size=3) | st.dictionaries(st.text(max_size=3), one, max_size=3)))  # fmt: skip
def test_a_value_does_not_differ_from_itself(value: object) -> None:
    """Whatever shape it has."""
    assert Walker(DiffOptions(), False).differences(value, value, "x", "json") == []
    assert Walker(DiffOptions(), False).differences(value, MISSING, "x", "json") != []


def test_numbers_within_the_tolerance_are_equal(tmp_path: Path) -> None:
    """Scores that were computed on another machine differ in the last digits."""
    a = parquet(tmp_path / "a", [{"id": str(place), "score": place / 7} for place in range(50)])
    b = parquet(tmp_path / "b", [{"id": str(place), "score": place / 7 + 1e-9} for place in range(50)])

    assert compare(a, b, key=("id",)).rows.changed == 50
    tolerances = dict([parse_tolerance("score=abs:1e-6")])
    assert compare(a, b, key=("id",), tolerances=tolerances).rows.changed == 0


def test_a_tolerance_for_a_column_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    """`--tol scor=abs:0.1` would hold the scores exactly, and nobody would know why all rows changed."""
    file = jsonl(tmp_path / "a.jsonl", [{"id": "1", "score": 0.5}])

    with pytest.raises(UsageError, match=r"--tol scor: there is no column 'scor'; did you mean 'score'\?"):
        compare(file, file, tolerances=dict([parse_tolerance("scor=abs:0.1")]))
    for pattern in ("score", "s*", "score.x[*]"):
        compare(file, file, tolerances=dict([parse_tolerance(f"{pattern}=abs:0.1")]))


def test_what_is_ignored_is_equal_but_counted(tmp_path: Path) -> None:
    """A person who ignores blanks still wants to know that there were some."""
    a = jsonl(tmp_path / "a.jsonl", [{"id": "1", "t": "好 的"}, {"id": "2", "t": "坏"}])
    b = jsonl(tmp_path / "b.jsonl", [{"id": "1", "t": "好的"}, {"id": "2", "t": "坏"}])

    report = compare(a, b, key=("id",), ignore=parse_ignored("whitespace"))

    assert (report.rows.changed, report.text_changes.by_class) == (0, {"whitespace": 1})


def test_options_that_cannot_be_read_say_what_they_take() -> None:
    """A typo must not pass as `compare everything exactly`."""
    with pytest.raises(UsageError, match="--ignore knows whitespace"):
        parse_ignored("blanks")
    with pytest.raises(UsageError, match="--tol takes"):
        parse_tolerance("score=0.1")


def test_words_are_exchanged_whole_where_that_is_asked_for() -> None:
    """Some readers want 颜色 → 尺码, not two characters that happen to differ."""
    before, after = "请问这个颜色有货吗", "请问这个尺码有货吗"
    found = [one for one in edits(before, after, words=True) if not one.same]
    assert [(before[one.start : one.end], after[one.new_start : one.new_end]) for one in found] == [("颜色", "尺码")]
    mixed = [one for one in edits("我想退货", "我想退款", words=True) if not one.same]
    assert [("我想退货"[one.start : one.end], "我想退款"[one.new_start : one.new_end]) for one in mixed] == [
        ("退货", "退款")
    ]
