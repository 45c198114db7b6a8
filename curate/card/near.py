"""Rows whose text is nearly that of another row, and whether such a row is in another split."""

from __future__ import annotations

from collections import Counter, defaultdict

import pyarrow as pa

from curate import records
from curate.dataset.near_text import TextIndex, bands, normal, pack, sketch, unpack

SIMILAR = 0.8
"""Jaccard similarity of 3-grams from which on two texts are nearly the same, as for `dedup`."""
MOST_ROWS = 20_000
"""Rows up to which they are looked for; a sketch has up to 2 kB."""
_SHORTEST = 16
"""Letters below which a likeness means nothing: people ask the same."""


class NearTwins:
    """Groups rows by text, batch by batch.

    Args:
        rows: Rows of the whole dataset; nothing is done where they are too many.
    """

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._texts: dict[str, int] = {}
        self._index = TextIndex(SIMILAR)
        self._splits: list[Counter[str]] = []
        self._near: dict[int, set[int]] = defaultdict(set)
        self.repeated = 0
        """Rows whose text an earlier row has, nearly."""

    @property
    def counted(self) -> bool:
        """Whether there were few enough rows to look at."""
        return self._rows <= MOST_ROWS

    def add(self, table: pa.Table) -> None:
        """Look at a batch."""
        if not self.counted:
            return
        for turns, split in zip(table["turns"].to_pylist(), table["split"].to_pylist(), strict=True):
            text = normal("\n".join(turn["text"] or "" for turn in turns or ()).replace(records.PLACEHOLDER, ""))
            if len(text) >= _SHORTEST:
                self._add(text, split or "")

    def _add(self, text: str, split: str) -> None:
        group = self._texts.get(text)
        if group is not None:
            self.repeated += 1
            self._splits[group][split] += 1
            return
        group = self._texts[text] = len(self._splits)
        hashes = sketch(text)
        keys = bands(hashes).tolist()
        hashes = unpack(pack(hashes))
        found = {other for other, _ in self._index.near(keys, hashes)}
        self.repeated += bool(found)
        for other in found:
            self._near[group].add(other)
            self._near[other].add(group)
        self._index.add(group, keys, hashes)
        self._splits.append(Counter({split: 1}))

    def leaked(self) -> int:
        """Rows of a split with nearly their text in another one."""
        total = 0
        for group, splits in enumerate(self._splits):
            around = set(splits).union(*(self._splits[other] for other in self._near[group])) - {""}
            total += sum(rows for split, rows in splits.items() if split and around - {split})
        return total
