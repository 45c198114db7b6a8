"""How many copies each record gets: the same number for all, or as many as its label is short of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Literal, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from curate import records
from curate.augment.draw import Draw
from curate.pipeline.batch import Batch
from curate.pipeline.stage import StageOptions
from curate.records import Record

BETWEEN = "\x1f"
"""Between a task and a label."""


class CopyOptions(StageOptions):
    """Options of every stage that makes copies."""

    per_record: int = Field(default=1, ge=0, le=100)
    """Copies of each record."""

    target_per_label: int | None = Field(default=None, ge=1)
    """Records that each label shall have instead: rare labels get more copies, frequent ones none."""

    most_per_record: int = Field(default=10, ge=1, le=100)
    """No record gets more copies than this, however rare its label is."""

    tasks: tuple[str, ...] | None = None
    """Tasks whose records are copied; all where it is missing."""

    splits: tuple[Literal["train", "val", "test"], ...] = ("train",)
    """Splits whose records are copied; a record that has no split yet is copied too, one that is a copy never."""


def survey(batch: Batch, options: CopyOptions, able: pa.Array) -> pa.Table:
    """Give uid, label and whether the record can be copied (`able`: whether it has what is needed)."""
    table = batch.table
    split = table["split"].combine_chunks()
    taken = pc.or_(pc.is_null(split), pc.is_in(split, pa.array(options.splits, pa.string())))
    if options.tasks is not None:
        taken = pc.and_(taken, pc.is_in(table["task"].combine_chunks(), pa.array(options.tasks, pa.string())))
    label = pc.binary_join_element_wise(table["task"], table["label"], BETWEEN).combine_chunks()
    return pa.table(
        {
            "uid": table["uid"].combine_chunks(),
            "label": label,
            "counts": taken,
            "able": pc.and_(pc.and_(taken, able), pc.is_null(table["parent"].combine_chunks())),
        }
    )


def decide(table: pa.Table, options: CopyOptions, seed: int, stage: str) -> pa.Table:
    """Give uid and number of copies for every record that gets any; then, without a uid, every label there is."""
    uids: list[str] = table["uid"].to_pylist()
    able: list[bool] = table["able"].to_pylist()
    if options.target_per_label is None:
        number = min(options.per_record, options.most_per_record)
        found = {uid: number for uid, can in zip(uids, able, strict=True) if can and number}
    else:
        found = _up_to(table, options.target_per_label, options.most_per_record, seed, stage)
    labels = sorted(label for label in pc.unique(table["label"]).to_pylist() if label is not None)
    return pa.table(
        {
            "uid": pa.array([*found, *([None] * len(labels))], pa.string()),
            "copies": pa.array([*found.values(), *([0] * len(labels))], pa.int64()),
            "label": pa.array([*([None] * len(found)), *labels], pa.string()),
        }
    )


def _up_to(table: pa.Table, target: int, most: int, seed: int, stage: str) -> dict[str, int]:
    """Share out what each label is short of among its records; who gets one more is drawn."""
    there: dict[str, int] = defaultdict(int)
    able: dict[str, list[str]] = defaultdict(list)
    for row in table.to_pylist():
        if row["label"] is not None:
            there[row["label"]] += row["counts"]
            if row["able"]:
                able[row["label"]].append(row["uid"])
    found: dict[str, int] = {}
    for label, uids in sorted(able.items()):
        each, over = divmod(max(0, target - there[label]), len(uids))
        drawn = sorted(uids, key=lambda uid: (Draw(seed, uid, stage, "copies").number(), uid))
        for place, uid in enumerate(drawn):
            number = min(most, each + (place < over))
            if number:
                found[uid] = number
    return found


def labels_of(task: str, verdict: pa.Table | None) -> tuple[str, ...]:
    """The labels that records of a task have."""
    found = [] if verdict is None else pc.drop_null(verdict["label"]).to_pylist()
    return tuple(label.partition(BETWEEN)[2] for label in found if label.partition(BETWEEN)[0] == task)


class Original(NamedTuple):
    """A record of a batch that gets copies."""

    row: int
    record: Record
    copies: int


def originals(batch: Batch, verdict: pa.Table | None) -> Iterator[Original]:
    """The records of a batch that get copies, in order."""
    assert verdict is not None
    places = pc.index_in(batch.table["uid"], verdict["uid"])
    numbers = verdict["copies"].take(places).to_pylist()
    rows = [row for row, number in enumerate(numbers) if number]
    found = records.from_table(batch.table.take(pa.array(rows, pa.int64())))
    for row, record in zip(rows, found, strict=True):
        yield Original(row, record, numbers[row])


def copy_of(record: Record, stage: str, variant: int, **changed: Any) -> Record:
    """A copy of a record, its child, with some fields changed; its uid follows from stage and variant."""
    return replace(record, uid=records.derived_uid(record.uid, stage, str(variant)), parent=record.uid, **changed)
