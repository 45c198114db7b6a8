"""What a step of cleaning says about a column of texts: which ones changed, into what, and which rules hit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curate.denoise.sieve import Sieve


@dataclass
class Changes:
    """The texts of a column that a step changed; `hits` are triples of text number, rule number and count."""

    numbers: list[int] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    hits: list[tuple[int, int, int]] = field(default_factory=list)

    def add(self, number: int, text: str, hits: Iterable[tuple[int, int]]) -> None:
        """Note that a text became another one, and how often which rule hit."""
        self.numbers.append(number)
        self.texts.append(text)
        self.hits.extend((number, rule, count) for rule, count in hits)

    def applied(self, texts: pa.Array) -> pa.Array:
        """The column with the changed texts in their places; numbers must be in order."""
        if not self.numbers:
            return texts
        mask = np.zeros(len(texts), dtype=bool)
        mask[self.numbers] = True
        return pc.replace_with_mask(texts, pa.array(mask), pa.array(self.texts, pa.string()))


class Step(Protocol):
    """One step of cleaning."""

    @property
    def sieve(self) -> Sieve:
        """Lets through the texts that the step may change."""

    def apply(self, texts: pa.Array) -> Changes:
        """Look at a column of texts and say what becomes of them."""


@dataclass(frozen=True)
class CleanTexts:
    """Which texts of a column became others, and how often each rule hit which text.

    `changed` and `texts` stand side by side: number and new text, in order; so do the other three: number of the text,
    number of the rule, count.
    """

    changed: Sequence[int]
    texts: Sequence[str]
    numbers: np.ndarray[tuple[int], np.dtype[np.int64]]
    rules: np.ndarray[tuple[int], np.dtype[np.int64]]
    counts: np.ndarray[tuple[int], np.dtype[np.int64]]

    @classmethod
    def of(cls, texts: Mapping[int, str], hits: Sequence[tuple[int, int, int]]) -> CleanTexts:
        """From new texts by number and hits; hits of texts that did not change are left out."""
        changed = sorted(texts)
        table = np.array(hits, dtype=np.int64).reshape(-1, 3)
        table = table[np.isin(table[:, 0], changed)]
        return cls(changed, [texts[number] for number in changed], table[:, 0], table[:, 1], table[:, 2])
