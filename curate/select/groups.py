"""Which records belong together, directly or over others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from curate.dataset.near_picture import PictureIndex, PictureKey, same_picture
from curate.dataset.near_text import TextIndex, unpack
from curate.select.keys import RecordKeys

SHORTEST = 12
"""Characters of a dialogue from which on being nearly the same means something: 怎么用 is like many a question."""


class Union:
    """Joins numbers to groups (union-find); the smallest number leads."""

    def __init__(self, size: int) -> None:
        self._leaders = list(range(size))

    def leader(self, one: int) -> int:
        """The number that stands for the group of `one`."""
        while self._leaders[one] != one:
            self._leaders[one] = self._leaders[self._leaders[one]]
            one = self._leaders[one]
        return one

    def join(self, one: int, other: int) -> None:
        """Put two numbers, with all that belongs to them, into one group."""
        first, second = sorted((self.leader(one), self.leader(other)))
        self._leaders[second] = first


class _Joined:
    """Rows that are in the group of a row already; grows while links are found."""

    def __init__(self, union: Union, row: int) -> None:
        self._union, self._row = union, row

    def __contains__(self, other: object) -> bool:
        return isinstance(other, int) and self._union.leader(other) == self._union.leader(self._row)


def groups(union: Union, size: int) -> list[list[int]]:
    """The groups, each in ascending order, by their smallest number."""
    found: dict[int, list[int]] = defaultdict(list)
    for row in range(size):
        found[union.leader(row)].append(row)
    return list(found.values())


def links(rows: Sequence[dict[str, Any]], by: Collection[str], threshold: float, radius: int) -> Union:
    """Join records that share a picture, a dialogue or a parent, or nearly do.

    Args:
        rows: Survey rows of `keys.SCHEMA` with `parent`.
        by: What joins: picture, dialogue, parent, near.
        threshold: Similarity of dialogues that are nearly the same.
        radius: Bits by which the hashes of copies of a picture differ at most.
    """
    union = Union(len(rows))
    first: dict[str, int] = {}
    for row, found in enumerate(rows):
        for key in _keys(found, by):
            union.join(first.setdefault(key, row), row)
    if "near" in by:
        records = [RecordKeys.from_row(row) for row in rows]
        _near_texts(records, union, threshold)
        _near_pictures(records, union, radius)
    return union


def _keys(row: dict[str, Any], by: Collection[str]) -> Iterator[str]:
    if "picture" in by:
        yield from (f"p{picture['sha256']}" for picture in row["pictures"])
    if "dialogue" in by and row["exact"]:
        yield f"d{row['exact']}"
    if "parent" in by:
        yield f"r{row['uid']}"
        if row["parent"]:
            yield f"r{row['parent']}"


def _near_texts(records: Iterable[RecordKeys], union: Union, threshold: float) -> None:
    index = TextIndex(threshold)
    for row, keys in enumerate(records):
        if keys.length >= SHORTEST:
            hashes = unpack(keys.sketch)
            for other, _ in index.near(keys.bands, hashes, _Joined(union, row)):
                union.join(row, other)
            index.add(row, keys.bands, hashes)


def _near_pictures(records: Iterable[RecordKeys], union: Union, radius: int) -> None:
    index = PictureIndex(radius)
    pictures: list[tuple[int, PictureKey]] = []
    for row, keys in enumerate(records):
        for picture in keys.pictures:
            if picture.perceptual is None:
                continue
            joined = _Joined(union, row)
            for place in index.candidates(picture.perceptual):
                other, its = pictures[place]
                if other not in joined and same_picture(picture, its, radius):
                    union.join(row, other)
            index.add(len(pictures), picture.perceptual)
            pictures.append((row, picture))
