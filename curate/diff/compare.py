"""The second pass: reads again only what has other hashes, compares it exactly, and counts what differs.

Rows are read in groups of bounded size; a group whose rows lie together, as in two steps of one run, touches only the
row groups of the Parquet files that hold it.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import xxhash

from curate.diff.boxes import compare_boxes
from curate.diff.cells import MISSING
from curate.diff.columns import Column
from curate.diff.pairing import A, B, Pairing
from curate.diff.report import Note
from curate.diff.sample import ChangeClass
from curate.diff.sight import look, measure, pictures_of
from curate.diff.survey import HASH, Survey
from curate.diff.table import ROW, Table
from curate.diff.tally import Tally
from curate.diff.walk import Difference, Walker
from curate.records import PLACEHOLDER

GROUP_BYTES = 192 << 20
"""Bytes of Arrow data of one side that are in memory at once."""
_BATCH = 4096
MOST_DECODED = 2_000
"""Changed pictures that are decoded; the others are `unchecked`."""

Rows = npt.NDArray[np.int64]
Bits = npt.NDArray[np.bool_]

LEADING: tuple[ChangeClass, ...] = ("digits", "pixels", "confusable", "content", "type", "value", "removed", "added")
"""Classes whose rows are shown first, the most worrying ones at the head; all others follow."""


@dataclass
class Pairs:
    """Matched rows, in the order of A."""

    a: Rows
    b: Rows
    by: npt.NDArray[np.int8]
    """Place in `Pairing.found`."""
    score: npt.NDArray[np.float64]
    changed: Bits
    """Whether the two versions differ; set by `compare`."""
    digits: Bits
    broken: Bits
    """Whether the number of `<image>` does not fit the pictures any more."""
    differs: dict[str, Bits] = field(default_factory=dict)
    """By column: whether the hashes of the cells differ."""

    def __len__(self) -> int:
        return len(self.a)


def pairs_of(pairing: Pairing, a: Survey, b: Survey, columns: Sequence[Column]) -> Pairs:
    """Put the pairs of all rungs together and note which cells have other hashes."""
    parts = [one.pairs.with_columns(pl.lit(place, pl.Int8).alias("\x00by")) for place, one in enumerate(pairing.found)]
    scores = [np.full(len(one.pairs), np.nan) if one.scores is None else one.scores for one in pairing.found]
    empty = pl.DataFrame(schema={A: pl.UInt32, B: pl.UInt32, "\x00by": pl.Int8})
    frame = pl.concat([part.cast({A: pl.UInt32, B: pl.UInt32}) for part in parts]) if parts else empty
    score = np.concatenate(scores) if scores else np.zeros(0)
    order = np.argsort(frame[A].to_numpy(), kind="stable")
    rows_a = frame[A].to_numpy()[order].astype(np.int64)
    rows_b = frame[B].to_numpy()[order].astype(np.int64)
    by = frame["\x00by"].to_numpy()[order]
    size = len(rows_a)
    found = Pairs(rows_a, rows_b, by, score[order], np.zeros(size, bool), np.zeros(size, bool), np.zeros(size, bool))
    place_a, place_b = _places(a.rows, rows_a), _places(b.rows, rows_b)
    for column in columns:
        left = a.rows[HASH + column.name].to_numpy()[place_a]
        right = b.rows[HASH + column.name].to_numpy()[place_b]
        found.differs[column.name] = left != right
    return found


def _places(frame: pl.DataFrame, rows: Rows) -> Rows:
    """Where rows stand in a frame that holds them in ascending order."""
    return np.searchsorted(frame[ROW].to_numpy(), rows)


@dataclass
class Comparison:
    """What the second pass found."""

    tally: Tally
    shown: list[int]
    """Places in `Pairs` of the rows that are samples, those of the most worrying classes first."""
    examples: dict[str, list[int]]
    """For each class at most 3 of its places."""
    warnings: list[Note] = field(default_factory=list)


class Comparer:
    """Compares the pairs whose hashes differ.

    Args:
        a, b: The tables.
        columns: What is compared.
        walker: How.
        names: Gives the name of the pair at a place: uid or key, for samples that stay when other rows change.
        samples: Rows that are kept to be shown.
        seed: Of the choice of samples.
    """

    def __init__(
        self,
        a: Table,
        b: Table,
        columns: Sequence[Column],
        walker: Walker,
        names: Callable[[Rows], list[str]],
        samples: int,
        seed: int,
    ) -> None:
        self._a, self._b = a, b
        self._columns = list(columns)
        self._walker = walker
        self._names = names
        self._samples = samples
        self._seed = seed
        self._tally = Tally()
        self._heaps: dict[str, list[tuple[int, int]]] = {}
        self._decoded = 0

    def compare(self, pairs: Pairs) -> Comparison:
        """Compare all pairs of which any cell has another hash; mark those that really differ."""
        any_differs = np.zeros(len(pairs), bool)
        for bits in pairs.differs.values():
            any_differs |= bits
        places = np.flatnonzero(any_differs)
        for group in self._groups(pairs, places):
            self._group(pairs, group)
        warnings = []
        if self._tally.pictures["unchecked"] and self._decoded >= MOST_DECODED:
            text = f"only {MOST_DECODED:,} changed pictures were decoded; whether the others were only re-encoded is not known"
            warnings.append(Note(code="pictures_unchecked", text=text))
        return Comparison(self._tally, self._chosen(), self._examples(), warnings)

    def _groups(self, pairs: Pairs, places: Rows) -> list[Rows]:
        """Cut places into groups whose cells fit into memory."""
        if not len(places):
            return []
        names = [column.source for column in self._columns if pairs.differs[column.name].any()]
        rows = max(1, int(GROUP_BYTES / max(1.0, _row_bytes(self._a, names))))
        return [places[start : start + rows] for start in range(0, len(places), rows)]

    def _group(self, pairs: Pairs, places: Rows) -> None:
        columns = [column for column in self._columns if pairs.differs[column.name][places].any()]
        sources = [column.source for column in columns]
        frame_a = self._a.frame(pairs.a[places], sources)
        order_b = np.argsort(pairs.b[places], kind="stable")
        frame_b = self._b.frame(pairs.b[places][order_b], sources)
        place_b = np.empty(len(places), np.int64)
        place_b[order_b] = np.arange(len(places))
        for start in range(0, len(places), _BATCH):
            self._batch(pairs, places[start : start + _BATCH], columns, frame_a, frame_b, start, place_b)

    def _batch(
        self,
        pairs: Pairs,
        places: Rows,
        columns: Sequence[Column],
        frame_a: pl.DataFrame,
        frame_b: pl.DataFrame,
        start: int,
        place_b: Rows,
    ) -> None:
        found: list[list[Difference]] = [[] for _ in places]
        for column in columns:
            inside = np.flatnonzero(pairs.differs[column.name][places])
            if not len(inside):
                continue
            before = self._a.decoded(frame_a[column.source].gather(inside + start))
            after = self._b.decoded(frame_b[column.source].gather(place_b[inside + start]))
            for place, one, other in zip(inside.tolist(), before, after, strict=True):
                found[place] += self.cell(column, one, other)
        changed: list[int] = []
        for place, differences in zip(places.tolist(), found, strict=True):
            if differences:
                self._tally.add(differences)
                counted = [one for one in differences if not one.ignored]
                if counted:
                    pairs.changed[place] = True
                    pairs.digits[place] = any(one.change == "digits" for one in counted)
                    pairs.broken[place] = any(_breaks_pictures(one) for one in counted)
                    changed.append(place)
        self._keep(changed, {p: found[i] for i, p in enumerate(places.tolist()) if found[i]})

    def cell(self, column: Column, before: Any, after: Any) -> list[Difference]:
        if column.compared_as == "image":
            return self._pictures(column, before, after)
        if column.compared_as == "boxes":
            return self._boxes(before, after)
        return self._walker.differences(before, after, column.name, column.compared_as)

    def _pictures(self, column: Column, before: Any, after: Any) -> list[Difference]:
        old, new = pictures_of(before, self._a, column.source), pictures_of(after, self._b, column.source)
        found: list[Difference] = []
        for place in range(max(len(old), len(new))):
            one = old[place] if place < len(old) else None
            other = new[place] if place < len(new) else None
            if one is not None and other is not None and one.identity == other.identity:
                continue
            change: ChangeClass = "added" if one is None else "removed"
            if one is not None and other is not None:
                change = self._pixels(one, other)
            self._tally.pictures[change] += 1
            path_a, path_b = (MISSING if ref is None else ref.path for ref in (one, other))
            pointer, name = (f"/{column.name}/{place}", f"{column.name}[*]")
            if not isinstance(before, list) and not isinstance(after, list):
                pointer, name = f"/{column.name}", column.name
            found.append(Difference(pointer, name, "image", change, path_a, path_b))
        return found

    def _pixels(self, one: Any, other: Any) -> ChangeClass:
        if self._decoded >= MOST_DECODED:
            return "unchecked"
        self._decoded += 1
        seen, after = look(one), look(other)
        if seen is None or after is None:
            return "unchecked"
        if seen.pixels == after.pixels:
            return "re_encoded"
        ssim, _ = measure(one.read() or b"", other.read() or b"")
        if ssim is not None:
            self._tally.ssim.append(ssim)
        return "pixels"

    def _boxes(self, before: Any, after: Any) -> list[Difference]:
        """The text read in the pictures of a record, picture by picture."""
        old, new = ([image.get("ocr") for image in value or ()] for value in (before, after))
        found: list[Difference] = []
        for place in range(min(len(old), len(new))):
            one, other = old[place], new[place]
            if one == other:
                continue
            pointer = f"/images/{place}/ocr"
            if one is None or other is None:
                change: ChangeClass = "added" if one is None else "removed"
                found.append(Difference(pointer, "images[*].ocr", "boxes", change, one, other))
                continue
            boxes = compare_boxes(one, other)
            self._tally.add_boxes(boxes)
            texts = self._walker.differences(one.get("text"), other.get("text"), "text", "text")
            if texts:
                found += [
                    Difference(f"{pointer}/text", "images[*].ocr.text", "text", t.change, t.before, t.after, t.ignored)
                    for t in texts
                ]
            else:
                change = "moved" if boxes.moved or boxes.added or boxes.removed or (boxes.iou or 1) < 1 else "value"
                found.append(Difference(f"{pointer}/lines", "images[*].ocr.lines", "boxes", change, None, None))
        return found

    def _keep(self, places: list[int], differences: dict[int, list[Difference]]) -> None:
        """Keep the rows with the smallest hash of their name, for each class that they are in."""
        if not places:
            return
        names = self._names(np.array(places))
        for place, name in zip(places, names, strict=True):
            rank = rank_of(name, self._seed)
            for change in {one.change for one in differences[place] if not one.ignored}:
                heap = self._heaps.setdefault(change, [])
                if len(heap) < max(self._samples, 3):
                    heapq.heappush(heap, (-rank, place))
                elif -rank > heap[0][0]:
                    heapq.heapreplace(heap, (-rank, place))

    def _chosen(self) -> list[int]:
        """Rows to show: of each class a quarter of the places at most before other classes fill them."""
        ordered = sorted(self._heaps, key=lambda one: (LEADING.index(one) if one in LEADING else len(LEADING), one))  # type: ignore[arg-type]
        queues = {change: [place for _, place in sorted(self._heaps[change], reverse=True)] for change in ordered}
        chosen: dict[int, None] = {}
        for limit in (max(1, self._samples // 4), self._samples):
            for queue in queues.values():
                for place in queue[:limit]:
                    if len(chosen) < self._samples:
                        chosen.setdefault(place)
        return list(chosen)

    def _examples(self) -> dict[str, list[int]]:
        return {change: [place for _, place in sorted(heap, reverse=True)[:3]] for change, heap in self._heaps.items()}


def rank_of(name: str, seed: int) -> int:
    """The place of a row among samples: a hash of its name."""
    return xxhash.xxh3_64_intdigest(name.encode("utf-8", "surrogatepass"), seed=seed & 0xFFFFFFFFFFFFFFFF)


def _row_bytes(table: Table, names: Sequence[str]) -> float:
    """Bytes of Arrow data that some columns of a row take, from what Parquet says of them; twice that, to be safe."""
    import pyarrow.parquet as pq

    size, rows = 0, 0
    for file in table.files:
        metadata = pq.read_metadata(file)
        rows += metadata.num_rows
        for group in range(metadata.num_row_groups):
            columns = metadata.row_group(group)
            for number in range(columns.num_columns):
                column = columns.column(number)
                if column.path_in_schema.split(".")[0] in names:
                    size += column.total_uncompressed_size
    return 2 * size / max(1, rows)


def _breaks_pictures(one: Difference) -> bool:
    """Whether an edit of a text changed the number of `<image>` in it."""
    before, after = (value if isinstance(value, str) else "" for value in (one.before, one.after))
    return one.compared_as != "image" and before.count(PLACEHOLDER) != after.count(PLACEHOLDER)
