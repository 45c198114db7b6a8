"""Rows are paired by what they are, never by their order, and never many to many."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from diff_support import chats, compare, jsonl, parquet, picture, sentence
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from curate.diff.fuzzy import pair_texts
from curate.errors import UsageError


@pytest.mark.parametrize("write", [jsonl, parquet])
def test_a_data_set_is_equal_to_itself(tmp_path: Path, write: object) -> None:
    """Acceptance 1: a difference where there is none makes people stop to look at any."""
    file = write(tmp_path / "a", chats(40))  # type: ignore[operator]

    report = compare(file, file)

    assert not report.verdict.differences
    assert report.verdict.exit_code == 0
    assert report.rows.same == 40


def test_the_order_of_rows_is_no_difference(tmp_path: Path) -> None:
    """Acceptance 2: a shuffled file says the same."""
    rows = chats(60)
    shuffled = random.Random(1).sample(rows, len(rows))

    report = compare(jsonl(tmp_path / "a.jsonl", rows), jsonl(tmp_path / "b.jsonl", shuffled))

    assert (report.rows.same, report.verdict.differences) == (60, False)


@pytest.mark.parametrize("key", [("id",), ()])
def test_rows_that_share_their_key_are_paired_by_content(tmp_path: Path, key: tuple[str, ...]) -> None:
    """Acceptance 3: duplicates in another order are the same rows; pairing them by place would invent changes."""
    rows = [{"id": "x", "text": sentence(place)} for place in range(4)] + [{"id": "y", "text": "y"}]

    report = compare(jsonl(tmp_path / "a.jsonl", rows), jsonl(tmp_path / "b.jsonl", rows[::-1]), key=key)

    assert (report.rows.same, report.rows.changed) == (5, 0)


def test_of_rows_that_share_their_key_the_surplus_was_added(tmp_path: Path) -> None:
    """A cross product would multiply them; the counts must add up."""
    rows = [{"id": "x", "text": sentence(place)} for place in range(3)]
    after = [*rows[1:], {"id": "x", "text": sentence(0) + "吧"}, {"id": "x", "text": "另外一句话"}]

    report = compare(jsonl(tmp_path / "a.jsonl", rows), jsonl(tmp_path / "b.jsonl", after), key=("id",))

    assert (report.rows.same, report.rows.changed, report.rows.added) == (2, 1, 1)
    assert (report.matching.duplicate_keys.a, report.matching.duplicate_keys.b) == (3, 4)


def test_a_large_group_of_one_key_is_paired_by_similarity(tmp_path: Path) -> None:
    """A shop's id stands on thousands of rows; pairing those by their order would change them all."""
    rows = [{"id": "x", "text": sentence(place, 60)} for place in range(150)]
    after = random.Random(2).sample([{"id": "x", "text": f"{row['text']}啊"} for row in rows], len(rows))

    report = compare(jsonl(tmp_path / "a.jsonl", rows), jsonl(tmp_path / "b.jsonl", after), key=("id",))

    assert (report.rows.changed, report.rows.removed) == (150, 0)
    assert report.text_changes.characters_out == 0


def test_duplicate_keys_can_be_an_error(tmp_path: Path) -> None:
    """Who says that a key is unique wants to hear when it is not."""
    file = jsonl(tmp_path / "a.jsonl", [{"id": "x", "t": "1"}, {"id": "x", "t": "2"}])

    with pytest.raises(UsageError, match="not unique: 2 rows of A"):
        compare(file, file, key=("id",), on_duplicate_key="error")


def test_ids_that_were_given_anew_are_no_key(tmp_path: Path) -> None:
    """Acceptance 4: after a filter 0, 1, 2 … name other rows; joining them reports every row as changed."""
    rows = [{"id": place, "text": sentence(place)} for place in range(80)]
    kept = [{"id": place, "text": row["text"]} for place, row in enumerate(rows[7:])]

    report = compare(jsonl(tmp_path / "a.jsonl", rows), jsonl(tmp_path / "b.jsonl", kept))

    assert report.matching.mode == "content"
    assert [one.key for one in report.matching.rejected_keys] == [("id",)]
    assert "anew" in report.matching.rejected_keys[0].why
    assert (report.rows.same, report.rows.removed, report.rows.added) == (73, 7, 0)


def test_a_key_that_was_asked_for_is_used_but_doubted_aloud(tmp_path: Path) -> None:
    """The person may be right; but numbers that join strangers deserve a word."""
    rows = [{"id": place, "text": sentence(place)} for place in range(80)]
    kept = [{"id": place, "text": row["text"]} for place, row in enumerate(rows[7:])]

    report = compare(jsonl(tmp_path / "a.jsonl", rows), jsonl(tmp_path / "b.jsonl", kept), key=("id",))

    assert report.matching.mode == "key"
    assert [one.code for one in report.warnings] == ["key_joins_strangers"]


def test_edited_texts_are_paired_without_any_key(tmp_path: Path) -> None:
    """Most files have no ids; an edited row must not look like one that went and one that came."""
    rows = [{"text": sentence(place, 60)} for place in range(50)]
    after = [{"text": row["text"].replace("的", "地", 1) + "哦"} for row in rows]

    report = compare(jsonl(tmp_path / "a.jsonl", rows), jsonl(tmp_path / "b.jsonl", after[::-1]))

    assert (report.rows.changed, report.rows.added, report.rows.removed) == (50, 0, 0)
    assert [(one.by, one.pairs) for one in report.matching.by] == [("fuzzy", 50)]


def test_pictures_are_paired_by_what_they_show(tmp_path: Path) -> None:
    """A folder of renamed and re-encoded pictures holds the same pictures."""
    for place in range(6):
        picture(tmp_path / "a" / f"{place}.png", place)
        picture(tmp_path / "b" / f"renamed-{5 - place}.png", place, compress_level=1)
    picture(tmp_path / "b" / "new.png", 99)

    report = compare(tmp_path / "a", tmp_path / "b")

    assert (report.rows.removed, report.rows.added) == (0, 1)
    assert [(one.by, one.pairs) for one in report.matching.by] == [("media", 6)]
    assert report.media.images is not None
    assert (report.media.images.re_encoded, report.media.images.pixels) == (6, 0)


def test_numbers_and_texts_name_the_same_row(tmp_path: Path) -> None:
    """CSV tools turn 7 into "7"; the rows are still those."""
    rows = [{"id": place, "text": sentence(place)} for place in range(20)]
    texts = [{"id": str(place), "text": sentence(place)} for place in range(20)]

    report = compare(parquet(tmp_path / "a", rows), parquet(tmp_path / "b", texts), key=("id",))

    assert (report.rows.same + report.rows.changed, report.rows.removed) == (20, 0)
    assert [one.column for one in report.schema_diff.retyped] == ["id"]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.sampled_from(["甲乙丙丁戊己", "子丑寅卯辰巳", "春眠不觉晓处", "白日依山尽啊"]), max_size=8),
    st.lists(st.sampled_from(["甲乙丙丁戊己", "子丑寅卯辰巳", "春眠不觉晓处", "白日依山尽呀"]), max_size=8),
)
def test_no_text_is_paired_twice(a: list[str], b: list[str]) -> None:
    """Many-to-many pairs count rows that are not there."""
    pairs = pair_texts(a, b)

    assert len({one for one, _, _ in pairs}) == len(pairs) == len({other for _, other, _ in pairs})
    assert all(score >= 0.6 for _, _, score in pairs)


def test_pictures_without_a_word_are_not_alike(tmp_path: Path) -> None:
    """Two folders of different pictures had their rows paired, each with a similarity of 1, because all say `<image>`."""
    for seed, name in enumerate(("a/1.png", "a/2.png", "b/3.png", "b/4.png")):
        picture(tmp_path / name, seed)

    report = compare(tmp_path / "a", tmp_path / "b")

    assert (report.rows.changed, report.rows.added, report.rows.removed) == (0, 2, 2)
