"""The fast segmenter cuts as jieba does."""

from __future__ import annotations

import random

import jieba
import pytest

from curate.denoise.rule_file import load_rules
from curate.denoise.segment import Cut, at_spaces

FILE = load_rules("zh-ecommerce")


@pytest.fixture(scope="module")
def both() -> tuple[Cut, Cut]:
    """rjieba and jieba with the words of the shop."""
    return FILE.cut("rjieba"), FILE.cut("jieba")


def sentences() -> list[str]:
    """All examples of the rules, and made-up sentences of words and runs of letters."""
    examples = [text for rule in FILE.rules for text in (*rule.spares, *(hit.text for hit in rule.hits))]
    tokenizer = jieba.Tokenizer()
    tokenizer.initialize()
    words = sorted(word for word, often in tokenizer.FREQ.items() if often > 100)
    letters = sorted({letter for word in words[::50] for letter in word})
    draw = random.Random(5)
    made = ["".join(draw.choices(words, k=draw.randint(1, 9))) for _ in range(3000)]
    made += ["".join(draw.choice(letters) * draw.randint(1, 4) for _ in range(8)) for _ in range(2000)]
    return [*examples, *made]


def test_both_segmenters_cut_alike(both: tuple[Cut, Cut]) -> None:
    """Which package was installed must not decide what a data set holds."""
    quick, slow = both

    assert [text for text in sentences() if quick(text) != slow(text)] == []


def test_the_words_of_a_cut_are_the_text(both: tuple[Cut, Cut]) -> None:
    """A segmenter that drops a blank would move every word behind it."""
    texts = [*sentences()[:300], "a  b\n　c", "\u200b", "😊x", "ſtraße", "1.5L"]

    assert ["".join(cut(text)) for cut in both for text in texts] == texts * 2
    assert ["".join(at_spaces(text)) for text in texts] == texts


def test_words_of_the_shop_are_kept_whole(both: tuple[Cut, Cut]) -> None:
    """退货运费险 cut into three is three words to `short`, and 亲 cut out of 亲肤 would be dropped."""
    for cut in both:
        assert all(cut(word) == [word] for word in FILE.segmenter_words)


def test_runs_of_one_letter_are_cut_longest_first(both: tuple[Cut, Cut]) -> None:
    """哈哈|哈 and 哈|哈哈 are equally likely; a coin toss would make two data sets of one."""
    for cut in both:
        lengths = [len(word) for word in cut("哈哈哈哈哈")]
        assert lengths == sorted(lengths, reverse=True)
