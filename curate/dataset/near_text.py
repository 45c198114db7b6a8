"""Texts that are nearly the same: MinHash to find candidates, the characters' 3-grams themselves to confirm them."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Hashes: TypeAlias = npt.NDArray[np.uint64]

GRAM = 3
"""Characters of a shingle."""
SKETCH = 256
"""Hashes of shingles kept of a text, the smallest ones: all of a text of up to 258 characters, else a fair sample."""
BANDS, ROWS = 16, 4
"""Texts with Jaccard similarity .8 share one of 16 bands of 4 hashes with probability .9998, at .7 with .988."""

_MIX_ONE, _MIX_TWO = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_FACTORS = np.random.Generator(np.random.PCG64(20)).integers(1, 1 << 63, BANDS * ROWS, dtype=np.uint64) * 2 + 1


def normal(text: str) -> str:
    """What counts when texts are compared: letters, Han and digits, compatibility forms and case folded."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(character for character in folded if character.isalnum())


def sketch(text: str) -> Hashes:
    """The smallest hashes of the 3-grams of a text that `normal` gave, sorted; none where it is empty."""
    if not text:
        return np.zeros(0, np.uint64)
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    if len(points) < GRAM:
        points = np.concatenate([points, np.zeros(GRAM - len(points), np.uint64)])
    grams = (points[:-2] << np.uint64(42)) ^ (points[1:-1] << np.uint64(21)) ^ points[2:]
    return np.unique(_mixed(grams))


def bands(hashes: Hashes) -> Hashes:
    """The keys under which texts meet; none for an empty text."""
    if not len(hashes):
        return np.zeros(0, np.uint64)
    lowest: Hashes = _mixed(hashes[:, None] * _FACTORS[None, :]).min(axis=0).reshape(BANDS, ROWS)
    keys: Hashes = np.arange(BANDS, dtype=np.uint64) + np.uint64(1)
    for column in lowest.T:
        keys = _mixed(keys * _MIX_TWO ^ column)
    return keys


def similarity(one: Hashes, other: Hashes) -> float:
    """Jaccard similarity of the 3-grams of two texts; an estimate (± .03) where one is longer than its sketch."""
    if not len(one) or not len(other):
        return 0.0
    union = np.union1d(one, other)
    if len(one) >= SKETCH or len(other) >= SKETCH:
        union = union[:SKETCH]
    both = np.intersect1d(one, other, assume_unique=True)
    return float(np.isin(both, union, assume_unique=True).sum() / len(union))


def pack(hashes: Hashes) -> bytes:
    """The sketch of a text as bytes: what `similarity` needs of it."""
    return hashes[:SKETCH].tobytes()


def unpack(data: bytes) -> Hashes:
    """Undo `pack`."""
    return np.frombuffer(data, np.uint64)


class TextIndex:
    """Finds texts that are at least so similar.

    Args:
        threshold: Jaccard similarity of the 3-grams.
    """

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._rows: dict[int, list[int]] = defaultdict(list)
        self._sketches: dict[int, Hashes] = {}

    def add(self, row: int, keys: list[int], hashes: Hashes) -> None:
        """Remember a text under its row."""
        self._sketches[row] = hashes
        for key in keys:
            self._rows[key].append(row)

    def near(self, keys: list[int], hashes: Hashes, known: Any = frozenset()) -> Iterator[tuple[int, float]]:
        """Give the rows of similar texts, in the order in which they were added, each with its similarity.

        Args:
            keys: The bands of the text.
            hashes: Its sketch.
            known: Rows that need not be compared; whatever answers `in`, asked anew for each candidate.
        """
        for row in sorted({row for key in keys for row in self._rows.get(key, ())}):
            if row not in known:
                found = similarity(hashes, self._sketches[row])
                if found >= self._threshold:
                    yield row, found


def _mixed(values: Hashes) -> Hashes:
    """Spread values over all 64 bits (the finaliser of splitmix64)."""
    values = (values ^ (values >> np.uint64(30))) * _MIX_ONE
    values = (values ^ (values >> np.uint64(27))) * _MIX_TWO
    mixed: Hashes = values ^ (values >> np.uint64(31))
    return mixed
