"""Randomness that depends on nothing but the seed, the record, the stage and the variant."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Draw:
    """A stream of numbers named by its parts; the same on every machine, in every worker and Python version.

    >>> Draw(0, "a", "augment", 1).below(100) == Draw(0, "a", "augment", 1).below(100)
    True
    """

    def __init__(self, *parts: object) -> None:
        self._name = "\x00".join(map(str, parts)).encode("utf-8", "surrogatepass")
        self._count = 0

    def number(self) -> int:
        """The next number of 64 bits."""
        self._count += 1
        key = self._count.to_bytes(8, "big")
        return int.from_bytes(hashlib.blake2b(self._name, digest_size=8, key=key).digest(), "big")

    def below(self, limit: int) -> int:
        """A number from 0 to `limit` - 1."""
        return self.number() % limit

    def pick(self, choices: Sequence[T]) -> T:
        """One of several."""
        return choices[self.below(len(choices))]

    def order(self, items: Sequence[T]) -> list[T]:
        """All of them, shuffled."""
        left = list(items)
        return [left.pop(self.below(len(left))) for _ in range(len(left))]
