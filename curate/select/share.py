"""Sharing groups out among splits so that every split gets its share of every label."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from curate.records import SPLITS

TOLERATED = 0.02
"""How far a label may be off its share of a split before it is told."""


class Note(NamedTuple):
    """A label that is off its share of a split, told with the first of its records."""

    uid: str
    metric: str
    value: float
    wanted: float


def out(
    groups: Sequence[Sequence[int]],
    uids: Sequence[str],
    labels: Sequence[str],
    before: Sequence[str | None],
    shares: Mapping[str, float],
    seed: int,
) -> list[str]:
    """Give every record its split.

    The largest groups are placed first, so that the small ones can even out what they did; equal ones in an order drawn
    from the seed and their uids, so that neither the order of the records nor their shards matter. Each goes where its
    labels are furthest behind, measured in the middle of the group: a group that would overfill a small split is not
    put there. Labels too rare to be in every split are shared out together, as if they were one.
    """
    splits = [split for split in SPLITS if shares[split] > 0]
    rare = {label for label, number in Counter(labels).items() if number * min(shares[split] for split in splits) < 1}
    strata = [_RARE if label in rare else label for label in labels]
    totals = Counter(strata)
    board = _Board({split: shares[split] for split in splits}, totals)
    chosen = [""] * len(uids)
    free = []
    for group in groups:
        taken = [split for row in group if (split := before[row])]
        if taken:
            split = min(taken, key=SPLITS.index)
            board.put(Counter(strata[row] for row in group), split)
            for row in group:
                chosen[row] = split
        else:
            free.append(group)

    def place(group: Sequence[int]) -> tuple[int, int, str, str]:
        main = min({strata[row] for row in group}, key=lambda stratum: (totals[stratum], stratum))
        return -len(group), totals[main], main, _draw(seed, min(uids[row] for row in group))

    for group in sorted(free, key=place):
        counts = Counter(strata[row] for row in group)
        split = max(splits, key=lambda split: board.behind(counts, split))
        board.put(counts, split)
        for row in group:
            chosen[row] = split
    return chosen


_RARE = "\x00rare"
_WHOLE = 0.01
"""Weight of all records together beside those of each label: it decides where the labels do not."""


class _Board:
    """How many records of each label, and of all, each split has and should have."""

    def __init__(self, shares: Mapping[str, float], totals: Mapping[str, int]) -> None:
        self._shares = shares
        self._totals = totals
        self._all = sum(totals.values())
        self._held: dict[str, Counter[str]] = {split: Counter() for split in SPLITS}
        self._sums = dict.fromkeys(SPLITS, 0)

    def put(self, counts: Counter[str], split: str) -> None:
        self._held[split].update(counts)
        self._sums[split] += sum(counts.values())

    def behind(self, counts: Counter[str], split: str) -> float:
        share, size = self._shares[split], sum(counts.values())
        of_labels = sum(
            number * (share * self._totals[label] - self._held[split][label] - number / 2)
            for label, number in counts.items()
        )
        of_all = size * (share * self._all - self._sums[split] - size / 2)
        return (of_labels + _WHOLE * of_all) / share


def unbalanced(
    uids: Sequence[str], labels: Sequence[str], chosen: Sequence[str], shares: Mapping[str, float]
) -> list[Note]:
    """Labels that are off their share of a split by more than 2 points and by more than one record."""
    totals = Counter(labels)
    held = Counter(zip(labels, chosen, strict=True))
    first: dict[str, str] = {}
    for uid, label in sorted(zip(uids, labels, strict=True)):
        first.setdefault(label, uid)
    found = []
    for label, total in sorted(totals.items()):
        off = {split: abs(held[label, split] - shares[split] * total) for split in SPLITS}
        worst = max(SPLITS, key=lambda split: off[split])
        if off[worst] > max(1.0, TOLERATED * total):
            found.append(Note(first[label], f"share of {worst}", held[label, worst] / total, shares[worst]))
    return found


def _draw(seed: int, uid: str) -> str:
    return hashlib.blake2b(f"{seed}\x00split\x00{uid}".encode(), digest_size=8).hexdigest()
