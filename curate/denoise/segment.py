"""Cutting text into words: rjieba, or jieba itself, with the same dictionary and so the same cuts; or at blanks."""

from __future__ import annotations

import itertools
import logging
import math
import re
from collections.abc import Callable, Iterable
from importlib.metadata import version
from typing import Any, Literal

Cut = Callable[[str], list[str]]
Name = Literal["rjieba", "jieba"]

_RUN = re.compile(r"(.)\1\1")
_SPACES = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*|\d+|\s+|.", re.DOTALL)


def segmenter(name: Name, words: Iterable[str]) -> Cut:
    """Make a function that cuts a text into words; `words` are kept whole, and the words joined are the text.

    The hidden Markov model that guesses unknown words is off, because only then do both give the same cuts.
    """
    if name == "rjieba":
        import rjieba

        quick = rjieba.Jieba()
        for word in words:
            quick.add_word(word, None, None)
        return _steady(lambda text: list(quick.cut(text, False)))
    import jieba

    jieba.setLogLevel(logging.WARNING)
    tokenizer = jieba.Tokenizer()  # its own dictionary, so that other users of jieba in this process see no change
    tokenizer.initialize()
    for word in words:
        known = tokenizer.FREQ.get(word) or 0
        tokenizer.add_word(word, max(known, _suggested(tokenizer, word)))
        tokenizer.total -= known
    return _steady(lambda text: tokenizer.lcut(text, HMM=False))


def _steady(cut: Cut) -> Cut:
    """Put the words of a run of one character (哈哈哈) in order, longest first.

    哈哈|哈 and 哈|哈哈 are equally likely; which one comes out hangs on the last bit of a logarithm.
    """

    def steady(text: str) -> list[str]:
        words = cut(text)
        if not _RUN.search(text):
            return words
        groups = itertools.groupby(words, lambda word: word[0] if word == word[0] * len(word) else word)
        return [word for _, group in groups for word in sorted(group, key=len, reverse=True)]

    return steady


def _suggested(tokenizer: Any, word: str) -> int:
    """The least frequency with which a word is kept whole, as jieba-rs computes it.

    jieba itself rounds another way and counts the word twice in its total; then ties, which the last bit of a sum
    decides, would end otherwise.
    """
    total = math.log(tokenizer.total)
    parts = tokenizer.lcut(word, HMM=False)
    return int(math.exp(sum(math.log(tokenizer.FREQ.get(part) or 1) - total for part in parts) + total)) + 1


def at_spaces(text: str) -> list[str]:
    """Cut a text where letters end, for languages that write blanks between words."""
    return _SPACES.findall(text)


def signature(name: Name) -> str:
    """Name and version of the segmenter."""
    return f"{name} {version(name)}"
