"""Cutting text into words: rjieba, or jieba itself, with the same dictionary and so the same cuts."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from importlib.metadata import version
from typing import Literal

Cut = Callable[[str], list[str]]
Name = Literal["rjieba", "jieba"]


def segmenter(name: Name, words: Iterable[str]) -> Cut:
    """Make a function that cuts a text into words; `words` are kept whole.

    The hidden Markov model that guesses unknown words is off, because only then do both give the same cuts.
    """
    if name == "rjieba":
        import rjieba

        quick = rjieba.Jieba()
        for word in words:
            quick.add_word(word, None, None)
        return lambda text: list(quick.cut(text, False))
    import jieba

    jieba.setLogLevel(logging.WARNING)
    tokenizer = jieba.Tokenizer()  # its own dictionary, so that other users of jieba in this process see no change
    for word in words:
        tokenizer.add_word(word)
    return lambda text: tokenizer.lcut(text, HMM=False)


def signature(name: Name) -> str:
    """Name and version of the segmenter."""
    return f"{name} {version(name)}"
