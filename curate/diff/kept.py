"""Which changed rows are shown: some of each kind of change, chosen by hash, so that they stay when others go."""

from __future__ import annotations

import heapq
from collections.abc import Iterable

import xxhash

from curate.diff.walk import Difference

LEADING = ("digits", "pixels", "confusable", "content", "type", "value", "removed", "added")
"""Classes whose rows are shown first, the most worrying ones at the head; all others follow."""
_LEAST = 3

Shown = dict[int, list[Difference]]
"""Differences of rows, by their place among the pairs."""


class Kept:
    """Keeps for each class of change the rows with the smallest hash of their name, with their differences.

    Args:
        samples: Rows of a class that are kept.
        seed: Another one gives other rows.
    """

    def __init__(self, samples: int, seed: int) -> None:
        self._samples = samples
        self._seed = seed
        self._heaps: dict[str, list[tuple[int, int, list[Difference]]]] = {}

    def offer(self, place: int, name: str, differences: list[Difference]) -> None:
        """Keep a row if it is among the first of any of its classes."""
        rank = rank_of(name, self._seed)
        for change in {one.change for one in differences}:
            heap = self._heaps.setdefault(change, [])
            if len(heap) < max(self._samples, _LEAST):
                heapq.heappush(heap, (-rank, place, differences))
            elif -rank > heap[0][0]:
                heapq.heapreplace(heap, (-rank, place, differences))

    def chosen(self) -> Shown:
        """Rows to show: of each class a quarter of them at most, before other rows fill what is left."""
        queues = [sorted(self._heaps[change], key=lambda one: (-one[0], one[1])) for change in _ordered(self._heaps)]
        found: Shown = {}
        for limit in (max(1, self._samples // 4), self._samples):
            for queue in queues:
                for _, place, differences in queue[:limit]:
                    if len(found) < self._samples:
                        found.setdefault(place, differences)
        return found


def _ordered(classes: Iterable[str]) -> list[str]:
    return sorted(classes, key=lambda one: (LEADING.index(one) if one in LEADING else len(LEADING), one))


def rank_of(name: str, seed: int) -> int:
    """The place of a row among samples: a hash of its name."""
    return xxhash.xxh3_64_intdigest(name.encode("utf-8", "surrogatepass"), seed=seed & 0xFFFFFFFFFFFFFFFF)
