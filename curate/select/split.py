"""The `split` stage: train, validation and test sets, with everything that belongs together on one side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, model_validator

from curate import records
from curate.dataset.near_picture import RADIUS, WIDEST
from curate.pipeline.batch import Batch
from curate.pipeline.stage import Stage, StageOptions
from curate.select import keys, share
from curate.select.groups import groups, links
from curate.select.keys import RecordKeys


class SplitOptions(StageOptions):
    """How records are shared out."""

    use: Literal["split"] = "split"

    train: float = Field(default=0.9, ge=0, le=1)
    """Share of the training set."""

    val: float = Field(default=0.1, ge=0, le=1)
    """Share of the validation set."""

    test: float = Field(default=0.0, ge=0, le=1)
    """Share of the test set."""

    by: tuple[Literal["picture", "dialogue", "parent", "near"], ...] = ("picture", "dialogue", "parent", "near")
    """What keeps records together: the same picture, the same dialogue, the same parent, nearly the same of these."""

    threshold: float = Field(default=0.8, ge=0.5, le=1)
    """With `near`: Jaccard similarity of the characters' 3-grams from which on two dialogues are nearly the same."""

    radius: int = Field(default=RADIUS, ge=0, le=WIDEST)
    """With `near`: bits by which the perceptual hashes of two copies of a picture differ at most."""

    keep: bool = True
    """Leave records alone that have a split already; what belongs to them joins them."""

    unlabelled: Literal["share", "test"] = "share"
    """Whether records without a label are shared out like others, or go to the test set, to be predicted."""

    @model_validator(mode="after")
    def _adds_up(self) -> SplitOptions:
        if abs(self.train + self.val + self.test - 1) > 1e-9:
            raise ValueError(f"train, val and test must add up to 1, not {self.train + self.val + self.test:g}")
        return self


class SplitStage(Stage[SplitOptions]):
    """Assigns whole groups, stratified by label, in an order drawn from the seed and the records' own ids."""

    name = "split"
    version = 2
    Options = SplitOptions
    surveys = True
    random = True
    codes: ClassVar[Mapping[str, str]] = {
        "split_assigned": "The record was put into a split, with all that shares a picture, dialogue or parent.",
        "split_moved": "The record had another split, but shares a picture, dialogue or parent with this one.",
        "split_unbalanced": "The record's label is off its share of a split by more than 2 points; groups are whole.",
    }

    def survey(self, batch: Batch) -> pa.Table:
        """Give what is compared of each record, with label, split and parent."""
        near = "near" in self.options.by
        rows = [
            RecordKeys.of(record, self.context.pictures, texts=near, look=near).as_row()
            for record in records.from_table(batch.table)
        ]
        table = pa.Table.from_pylist(rows, schema=keys.SCHEMA)
        for name in ("label", "split", "parent"):
            table = table.append_column(name, batch.table[name].combine_chunks())
        return table

    def decide(self, survey: pa.Table) -> pa.Table:
        """Give the split of every record, and what could not be balanced."""
        rows = survey.to_pylist()
        uids: list[str] = [row["uid"] for row in rows]
        labels: list[str] = [row["label"] or "" for row in rows]
        options = self.options
        before: list[str | None] = [row["split"] if options.keep else None for row in rows]
        if options.unlabelled == "test":
            before = [split if row["label"] else split or "test" for row, split in zip(rows, before, strict=True)]
        shares = {"train": options.train, "val": options.val, "test": options.test}
        found = groups(links(rows, options.by, options.threshold, options.radius), len(rows))
        chosen = share.out(found, uids, labels, before, shares, self.context.seed)
        shared = [n for n, label in enumerate(labels) if label or options.unlabelled == "share"]
        some_uids, some_labels, some_chosen = ([column[n] for n in shared] for column in (uids, labels, chosen))
        notes = {note.uid: note for note in share.unbalanced(some_uids, some_labels, some_chosen, shares)}
        return pa.table(
            {
                "uid": pa.array(uids, pa.string()),
                "split": pa.array(chosen, pa.string()),
                "off": pa.array([notes[uid].metric if uid in notes else None for uid in uids], pa.string()),
                "value": pa.array([notes[uid].value if uid in notes else None for uid in uids], pa.float64()),
                "wanted": pa.array([notes[uid].wanted if uid in notes else None for uid in uids], pa.float64()),
            }
        )

    def process(self, batch: Batch) -> None:
        """Write the verdict into the records."""
        assert self.verdict is not None
        found = self.verdict.take(pc.index_in(batch.table["uid"], self.verdict["uid"]))
        before: list[str | None] = batch.table["split"].to_pylist()
        batch.set_column("split", found["split"])
        for row, (old, new) in enumerate(zip(before, found.to_pylist(), strict=True)):
            if old != new["split"]:
                batch.change(row, "split_moved" if old else "split_assigned")
            if new["off"] is not None:
                facts: dict[str, Any] = {"metric": new["off"], "value": new["value"], "threshold": new["wanted"]}
                batch.note(row, "split_unbalanced", **facts)
