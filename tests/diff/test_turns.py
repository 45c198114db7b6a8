"""Conversations are cut down before they are compared: what is found must be what the whole ones give."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.diff.classes import change_class
from curate.diff.options import DiffOptions
from curate.diff.turns import differing_turns
from curate.diff.walk import Difference, Walker

TURN = st.fixed_dictionaries(
    {
        "role": st.sampled_from(["user", "agent"]),
        "text": st.none() | st.sampled_from(["", "退款 12 元", "退款 13 元", "好的亲", "好的亲亲", "a", "b"]),
        "score": st.none() | st.sampled_from([0.0, -0.0, 1.5, float("nan")]),
    }
)
TURNS = st.none() | st.lists(st.none() | TURN, max_size=5)
KIND = pl.List(pl.Struct({"role": pl.String(), "text": pl.String(), "score": pl.Float64()}))


def shown(found: list[Difference]) -> list[str]:
    """Differences as texts, because NaN is not equal to itself."""
    return [repr(one) for one in found]


@given(st.lists(st.tuples(TURNS, TURNS), min_size=1, max_size=8))
def test_cut_conversations_differ_where_whole_ones_do(rows: list[tuple[object, object]]) -> None:
    """Else a turn is called changed at the wrong place, or a number that moved is called another one."""
    before, after = (pl.Series("turns", side, dtype=KIND) for side in zip(*rows, strict=True))
    walker = Walker(DiffOptions(), False)
    turns = differing_turns(before, after)
    if turns is None:
        assert any(None in (side or []) for row in rows for side in row)  # type: ignore[operator]
        return
    for place, (one, other) in enumerate(zip(before.to_list(), after.to_list(), strict=True)):
        skipped = turns.skipped[place]
        found = walker.differences(turns.before[place], turns.after[place], "turns", "conversation", skipped)
        if not any(difference.change == "digits" for difference in found):
            assert shown(found) == shown(walker.differences(one, other, "turns", "conversation"))
        else:
            whole = repr((turns.before[place], turns.after[place])) == repr((one, other))  # NaN is not equal to itself
            assert turns.cut[place] or whole


def test_turns_that_stayed_are_left_out() -> None:
    """Else a million conversations of which one turn changed become Python objects whole."""
    said = [{"role": "user", "text": text, "score": None} for text in "abcd"]
    other = [*said[:2], {**said[2], "text": "x"}, said[3]]
    turns = differing_turns(pl.Series([said], dtype=KIND), pl.Series([other], dtype=KIND))
    assert turns is not None
    assert (turns.before, turns.after, turns.skipped, turns.cut) == ([[said[2]]], [[other[2]]], [2], [True])


def test_lists_that_are_no_conversations_stay_whole() -> None:
    """Else the order of their items could not be told from other items."""
    numbers = pl.Series([[1, 2]])
    assert differing_turns(numbers, numbers) is None


@pytest.mark.parametrize(("before", "after", "change"), [("好的亲", "好的", "content"), ("ab", "AB", "case")])
def test_texts_of_letters_alone_have_the_class_of_all_texts(before: str, after: str, change: str) -> None:
    """Else the short cut for plain texts names another class than the long way, here taken with a mark behind."""
    assert change_class(before, after) == change_class(before + "。1", after + "。1") == change
