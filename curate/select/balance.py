"""The `balance` stage: no label has more records than its cap, and those below the floor are told or filled up."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar, Literal

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, model_validator

from curate import records
from curate.pipeline.batch import Batch
from curate.pipeline.stage import Stage, StageOptions


class BalanceOptions(StageOptions):
    """How many records a label shall have."""

    use: Literal["balance"] = "balance"

    floor: int | None = Field(default=None, ge=1)
    """Records that a label should have at the least."""

    cap: int | None = Field(default=None, ge=1)
    """Records that a label may have at the most; who stays is drawn, originals before copies."""

    below: Literal["report", "repeat", "drop"] = "report"
    """What happens to a label below the floor: it is reported, its records are repeated up to the floor, or they go.

    `augment-text` and `augment-image` with `target_per_label` fill up with new texts and pictures instead.
    """

    splits: tuple[Literal["train", "val", "test"], ...] = ("train",)
    """Splits whose records are counted and touched; a record that has no split yet is too."""

    @model_validator(mode="after")
    def _asks_for_something(self) -> BalanceOptions:
        if self.floor is None and self.cap is None:
            raise ValueError("give a floor, a cap, or both")
        if self.floor is not None and self.cap is not None and self.floor > self.cap:
            raise ValueError(f"the floor ({self.floor}) must not be above the cap ({self.cap})")
        if self.floor is None and self.below != "report":
            raise ValueError("`below` says what happens below the floor: give a floor")
        return self


class BalanceStage(Stage[BalanceOptions]):
    """Counts each label of each task, then drops, repeats or reports; records without a label are left alone."""

    name = "balance"
    version = 1
    Options = BalanceOptions
    surveys = True
    random = True
    codes: ClassVar[Mapping[str, str]] = {
        "label_above_cap": "The record's label has more records than the cap; this one was not drawn.",
        "label_below_floor": "The record's label has fewer records than the floor.",
        "label_repeated": "The record is a repetition, made because its label has fewer records than the floor.",
    }

    def survey(self, batch: Batch) -> pa.Table:
        """Give uid, task with label, and whether it is a copy, of the records that count."""
        table = batch.table
        split = table["split"].combine_chunks()
        counts = pc.or_(pc.is_null(split), pc.is_in(split, pa.array(self.options.splits, pa.string())))
        survey = pa.table(
            {
                "uid": table["uid"].combine_chunks(),
                "label": pc.binary_join_element_wise(table["task"], table["label"], "\x1f").combine_chunks(),
                "copy": pc.is_valid(table["parent"].combine_chunks()),
            }
        )
        return survey.filter(pc.and_(counts, pc.is_valid(survey["label"].combine_chunks())))

    def decide(self, survey: pa.Table) -> pa.Table:
        """Give for each record that is touched what happens to it, and how many records its label has."""
        of: dict[str, list[tuple[bool, str, str]]] = defaultdict(list)
        for row in survey.to_pylist():
            of[row["label"]].append((row["copy"], self._draw(row["uid"]), row["uid"]))
        found = []
        for _, drawn in sorted(of.items()):
            uids = [uid for _, _, uid in sorted(drawn)]
            found += [{**one, "number": len(uids)} for one in self._touched(uids)]
        fields = [("uid", pa.string()), ("action", pa.string()), ("times", pa.int64()), ("number", pa.int64())]
        return pa.Table.from_pylist(found, schema=pa.schema(fields))

    def process(self, batch: Batch) -> None:
        """Drop, repeat and report."""
        assert self.verdict is not None
        found = self.verdict.take(pc.index_in(batch.table["uid"], self.verdict["uid"])).to_pylist()
        again = [row for row, one in enumerate(found) if one["action"] == "repeat"]
        whole = dict(zip(again, records.from_table(batch.table.take(pa.array(again, pa.int64()))), strict=True))
        for row, one in enumerate(found):
            floor, cap = self.options.floor, self.options.cap
            if one["action"] == "cap":
                batch.drop(row, "label_above_cap", metric="records", value=one["number"], threshold=cap)
            elif one["action"] == "drop":
                batch.drop(row, "label_below_floor", metric="records", value=one["number"], threshold=floor)
            elif one["action"] == "report":
                batch.note(row, "label_below_floor", metric="records", value=one["number"], threshold=floor)
            elif one["action"] == "repeat":
                for time in range(one["times"]):
                    uid = records.derived_uid(whole[row].uid, self.options.title, str(time))
                    copy = replace(whole[row], uid=uid, parent=whole[row].uid)
                    batch.derive(row, copy, "label_repeated", metric="records", value=one["number"], threshold=floor)

    def _touched(self, uids: list[str]) -> list[dict[str, object]]:
        """What happens to the records of one label, given in the order in which they were drawn."""
        floor, cap = self.options.floor, self.options.cap
        if cap is not None and len(uids) > cap:
            return [{"uid": uid, "action": "cap", "times": 0} for uid in uids[cap:]]
        if floor is None or len(uids) >= floor:
            return []
        if self.options.below == "repeat":
            each, over = divmod(floor - len(uids), len(uids))
            times = [each + (place < over) for place in range(len(uids))]
            return [
                {"uid": uid, "action": "repeat", "times": number}
                for uid, number in zip(uids, times, strict=True)
                if number
            ]
        told = uids if self.options.below == "drop" else uids[:1]
        return [{"uid": uid, "action": self.options.below, "times": 0} for uid in told]

    def _draw(self, uid: str) -> str:
        name = f"{self.context.seed}\x00{self.options.title}\x00{uid}"
        return hashlib.blake2b(name.encode(), digest_size=8).hexdigest()
