"""The shipped words: every one makes sense where its example says, and none turns a sentence round."""

from __future__ import annotations

import itertools

import pytest

from curate.augment.delete import droppable
from curate.augment.guards import Guard, never
from curate.augment.noise import typos
from curate.augment.synonym import Synonyms
from curate.augment.thesaurus import Group, Lexicon, parse_lexicon
from curate.augment.words import segmenter
from curate.errors import UsageError

LEXICON = Lexicon.shipped()
SEGMENTER = segmenter(LEXICON.words)
SYNONYMS = Synonyms(SEGMENTER, LEXICON, 1.0)
FREE = Guard(SEGMENTER, (), ())


def sentences(group: Group) -> list[tuple[str, str, int]]:
    """The group's example with each of its words: sentence, word, place."""
    start, end = group.example.index("["), group.example.index("]")
    return [(group.example[:start] + word + group.example[end + 1 :], word, start) for word in group.words]


def test_the_lexicon_has_at_least_four_hundred_groups() -> None:
    """With a handful of words every copy would be the same one."""
    assert len(LEXICON.groups) >= 400


@pytest.mark.parametrize("group", LEXICON.groups, ids=lambda group: group.words[0])
def test_every_word_of_a_group_stands_as_one_word_in_its_example(group: Group) -> None:
    """A word that is cut apart in its place was put into the middle of another one."""
    for sentence, word, start in sentences(group):
        cuts = SEGMENTER.cut(sentence)
        assert cuts.word_at(start, start + len(word)), sentence
        assert cuts.free(start, start + len(word)), sentence
        if word in group.sources:
            assert start in [found.start for found, _ in SYNONYMS.eligible(cuts, FREE)], sentence


def test_no_group_holds_a_pair_that_never_stands_for_each_other() -> None:
    """买 for 卖, 便宜 for 贵 or 有 for 没有 would make the label wrong."""
    never_pairs = {frozenset(pair) for pair in never()["pairs"]}
    found = [
        pair
        for group in LEXICON.groups
        for pair in itertools.combinations(group.words, 2)
        if frozenset(pair) in never_pairs
    ]
    assert found == []


def test_no_word_is_on_both_lists() -> None:
    """A negation, number, unit or question word that could be replaced would change what is asked."""
    kept = {word for name, words in never().items() if name != "pairs" for word in words}
    assert kept & {word for group in LEXICON.groups for word in group.sources} == set()


READ_BY_HAND = {"不然", "会不会", "别人", "别忘了", "区分", "抱歉", "是不是", "没货", "难吃", "难看", "难闻", "非常"}
"""Groups that mix words with and without a negation, and mean the same all the same."""


def test_groups_that_mix_negated_words_with_others_were_read_by_hand() -> None:
    """没货 may become 缺货, but never 有货; who adds such a group must have thought of that."""
    mixed = {
        group.words[0]
        for group in LEXICON.groups
        if len({any(sign in word for sign in "不没无未别") for word in group.words}) == 2
    }
    assert mixed == READ_BY_HAND


@pytest.mark.parametrize("one", droppable(), ids=lambda one: one.word)
def test_every_droppable_word_goes_in_its_example(one: object) -> None:
    """A rule that never fires protects nobody and drops nothing."""
    example: str = one.example  # type: ignore[attr-defined]
    start = example.index("[")
    assert example[start + 1 : example.index("]")] == one.word  # type: ignore[attr-defined]
    assert one.fits(example.replace("[", "").replace("]", ""), start)  # type: ignore[attr-defined]


def test_no_typo_turns_a_word_into_its_opposite() -> None:
    """买 typed as 卖 is no typing mistake that a label survives."""
    never_pairs = {frozenset(pair) for pair in never()["pairs"]}
    found = [
        (right, one) for right, wrong in typos().items() for one in wrong if frozenset((right, one)) in never_pairs
    ]
    assert found == []
    assert all(right not in wrong for right, wrong in typos().items())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("v\t甲/乙", "2 columns"),
        ("v\t甲\t用[甲]", "two or more"),
        ("v\t甲/乙\t没有括号", "in brackets"),
        ("v\t甲/乙\t[甲]\nv\t甲/丙\t[丙]", "line 1 too"),
    ],
)
def test_a_bad_line_is_named(text: str, message: str) -> None:
    """Whoever adds a group must see at once which line is wrong, and why."""
    with pytest.raises(UsageError, match=message):
        parse_lexicon(text, "mine.tsv")
