"""Rows that say and show the same, or say nearly the same, and whether they stand in more than one split."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import xxhash

from curate import records
from curate.card.facts import Quality
from curate.card.near import NearTwins
from curate.card.near_pictures import NearPictures
from curate.dataset.pictures import PictureStore

_IGNORED = ("task", "system", "label", "label_from", "confidence", "split")
_CODES = {name: code for code, name in enumerate((None, *records.SPLITS))}


class Twins:
    """Remembers nine bytes for each row and each use of a picture, and more of the texts and pictures of a small set.

    Args:
        rows: Rows of the whole dataset.
    """

    def __init__(self, rows: int) -> None:
        self._rows: list[np.ndarray[Any, Any]] = []
        self._splits: list[np.ndarray[Any, Any]] = []
        self._pictures: list[np.ndarray[Any, Any]] = []
        self._picture_splits: list[np.ndarray[Any, Any]] = []
        self._near = NearTwins(rows)
        self._near_pictures = NearPictures()

    def add(self, table: pa.Table) -> None:
        """Remember a batch."""
        self._near.add(table)
        self._near_pictures.add(table)
        plain = table.select(records.SCHEMA.names)
        for name in (*_IGNORED, "scores"):
            kind = records.SCHEMA.field(name).type
            empty = pa.array([[]] * len(table), kind) if name == "scores" else pa.nulls(len(table), kind)
            plain = plain.set_column(plain.schema.get_field_index(name), name, empty)
        self._rows.append(np.array([int(text[:16], 16) for text in records.row_hashes(plain)], dtype=np.uint64))
        splits = np.array([_CODES.get(name, 0) for name in table["split"].to_pylist()], dtype=np.uint8)
        self._splits.append(splits)
        images, rows = records.flatten(table["images"])
        digests = [
            xxhash.xxh3_64_intdigest(text or b"") for text in images.field("sha256").cast(pa.binary()).to_pylist()
        ]
        self._pictures.append(np.array(digests, dtype=np.uint64))
        self._picture_splits.append(splits[rows])

    def quality(self, store: PictureStore | None) -> Quality:
        """Count them; pictures are compared only where there is a store to read them from."""
        near: tuple[int, int] | tuple[None, None] = (None, None)
        if store is not None and self._near_pictures.counted:
            near = self._near_pictures.compare(store)
        rows, splits = _joined(self._rows, np.uint64), _joined(self._splits, np.uint8)
        pictures, picture_splits = _joined(self._pictures, np.uint64), _joined(self._picture_splits, np.uint8)
        distinct, place = np.unique(rows, return_inverse=True)
        return Quality(
            duplicate_rows=int(rows.size - distinct.size),
            leaked_rows=int(_in_many(place, splits, distinct.size)[place].sum()) if rows.size else 0,
            leaked_pictures=_leaked(pictures, picture_splits),
            near_rows=self._near.repeated if self._near.counted else None,
            near_leaked_rows=self._near.leaked() if self._near.counted else None,
            near_pictures=near[0],
            near_leaked_pictures=near[1],
        )


def _joined(chunks: list[np.ndarray[Any, Any]], kind: Any) -> np.ndarray[Any, Any]:
    return np.concatenate(chunks) if chunks else np.empty(0, kind)


def _leaked(values: np.ndarray[Any, Any], splits: np.ndarray[Any, Any]) -> int:
    if not values.size:
        return 0
    distinct, place = np.unique(values, return_inverse=True)
    return int(_in_many(place, splits, distinct.size).sum())


def _in_many(place: np.ndarray[Any, Any], splits: np.ndarray[Any, Any], number: int) -> np.ndarray[Any, Any]:
    """Which groups stand in two or more splits; rows without a split are in none."""
    seen = np.zeros((number, len(_CODES)), dtype=bool)
    seen[place, splits] = True
    return seen[:, 1:].sum(axis=1) > 1  # type: ignore[no-any-return]
