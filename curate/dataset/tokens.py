"""Tokens of text: exactly with the model's tokenizer, else estimated from above, so that nothing is cut unseen."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from curate.errors import MissingExtra, UsageError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

CountTokens = Callable[[str], int]
"""Tokens of a text in which there is no special token."""

_CACHED = 4096


def _two_token_characters() -> frozenset[str]:
    """The characters of GB 2312 that take three bytes in UTF-8: 6,763 Han characters, kana, punctuation.

    Measured with the vocabulary of Qwen (qwen.tiktoken in the package dashscope): each takes at most two tokens, also
    at the worst place of 200,000 random strings. Of all 20,992 Han characters 438, none of them here, take three.
    """
    pairs = (bytes((high, low)) for high in range(0xA1, 0xF8) for low in range(0xA1, 0xFF))
    characters = (pair.decode("gb2312", "ignore") for pair in pairs)
    return frozenset(one for one in characters if one and len(one.encode()) == 3)


_TWO_TOKENS = _two_token_characters()


def at_most(text: str) -> int:
    """Tokens of a text at most, without a tokenizer.

    A byte-level BPE never needs more tokens than bytes; the characters of GB 2312 count two where they have three
    bytes. The text is composed first (NFC), as Qwen's tokenizer does.
    """
    composed = unicodedata.normalize("NFC", text)
    return len(composed.encode("utf-8", "surrogatepass")) - sum(one in _TWO_TOKENS for one in composed)


def counter(tokenizer: Path | None) -> CountTokens:
    """Give what counts the tokens of a text: exactly with a tokenizer, `at_most` without.

    Args:
        tokenizer: A tokenizer.json, or the folder of a model that holds one.

    Raises:
        MissingExtra: the package tokenizers is not installed.
        UsageError: there is no such tokenizer.
    """
    if tokenizer is None:
        return at_most
    loaded = load(tokenizer)
    return lru_cache(_CACHED)(lambda text: len(loaded.encode(text, add_special_tokens=False).ids) if text else 0)


def tokenizer_file(tokenizer: Path) -> Path:
    """The tokenizer.json that a tokenizer or the folder of a model stands for."""
    return tokenizer / "tokenizer.json" if tokenizer.is_dir() else tokenizer


def load(tokenizer: Path) -> Tokenizer:
    """Load a tokenizer.json; raises as `counter`."""
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise MissingExtra("counting tokens with a tokenizer", "train") from error
    file = tokenizer_file(tokenizer)
    if not file.is_file():
        raise UsageError(f"there is no tokenizer {file}; give a model's folder or its tokenizer.json")
    try:
        return Tokenizer.from_file(str(file))
    except Exception as error:
        raise UsageError(f"{file} is not a tokenizer that can be loaded: {error}") from error
