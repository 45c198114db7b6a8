"""The `dedup` stage: of records that say and show the same, one stays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, model_validator

from curate import records
from curate.dataset.near_picture import RADIUS, WIDEST
from curate.pipeline.batch import Batch
from curate.pipeline.stage import Stage, StageOptions
from curate.select import keys
from curate.select.keys import RecordKeys
from curate.select.twins import Twins


class DedupOptions(StageOptions):
    """What counts as the same record."""

    use: Literal["dedup"] = "dedup"

    text: Literal["near", "exact", "off"] = "near"
    """How texts are compared: by similarity, letter for letter (case, blanks and punctuation aside), or not at all."""

    picture: Literal["near", "exact", "off"] = "near"
    """How pictures are compared: re-encoded and resized copies count too, only the same file, or not at all."""

    threshold: float = Field(default=0.8, ge=0.5, le=1)
    """Jaccard similarity of the characters' 3-grams from which on two texts are near duplicates."""

    radius: int = Field(default=RADIUS, ge=0, le=WIDEST)
    """Bits by which the perceptual hashes (pHash, 64 bits) of two copies of a picture differ at most."""

    conflicts: Literal["drop", "keep", "drop_all"] = "drop"
    """What happens to duplicates with different labels: all but one go, all stay, or all go. Each is reported."""

    @model_validator(mode="after")
    def _compares_something(self) -> DedupOptions:
        if self.text == self.picture == "off":
            raise ValueError("text and picture cannot both be off: nothing would be compared")
        return self


class DedupStage(Stage[DedupOptions]):
    """Drops records of the same task that say the same and show the same pictures; copies that stages made stay."""

    name = "dedup"
    version = 1
    Options = DedupOptions
    surveys = True
    codes: ClassVar[Mapping[str, str]] = {
        "duplicate": "The record says and shows exactly what another one does, which stayed (`related_uid`).",
        "near_duplicate": "The record says and shows nearly what another one does, which stayed (`related_uid`).",
        "duplicate_other_label": "The record is a duplicate of one with another label; one of the two is wrong.",
        "labels_conflict": "Duplicates of this record have other labels; one of them is wrong.",
    }

    def survey(self, batch: Batch) -> pa.Table:
        """Give what is compared of each record, with its task and label."""
        options = self.options
        rows = []
        for record in records.from_table(batch.table):
            found = RecordKeys.of(
                record, self.context.pictures, texts=options.text == "near", look=options.picture == "near"
            )
            rows.append(found.as_row())
        table = pa.Table.from_pylist(rows, schema=keys.SCHEMA)
        for name in ("task", "label", "parent"):
            table = table.append_column(name, batch.table[name].combine_chunks())
        return table

    def decide(self, survey: pa.Table) -> pa.Table:
        """Find for each record that goes the one that stays: one with a label, then the longer, then the first."""
        rows = survey.to_pylist()
        order = sorted(range(len(rows)), key=lambda row: (rows[row]["label"] is None, -rows[row]["length"], row))
        twins: dict[str, Twins] = {}
        verdict = _Verdict(self.options.conflicts)
        labels: list[str | None] = [row["label"] for row in rows]
        for row in order:
            if rows[row]["parent"] is not None:
                continue
            known = twins.setdefault(rows[row]["task"], Twins(self.options))
            mine = RecordKeys.from_row(rows[row])
            twin = known.find(mine)
            if twin is None:
                known.add(row, mine)
            else:
                verdict.found(row, twin.row, twin.similarity, labels)
        return verdict.table([row["uid"] for row in rows])

    def process(self, batch: Batch) -> None:
        """Drop the duplicates and report conflicts."""
        assert self.verdict is not None
        places = pc.index_in(batch.table["uid"], self.verdict["uid"])
        for row, found in enumerate(self.verdict.take(places).to_pylist()):
            if found["uid"] is None:
                continue
            facts = {
                "metric": "similarity",
                "value": found["similarity"],
                "threshold": self.options.threshold,
                "related_uid": found["twin"],
            }
            if found["drop"]:
                batch.drop(row, found["code"], **facts)
            else:
                batch.note(row, found["code"], **facts)


class _Verdict:
    """Collects who goes, who stays, and whose labels contradict each other."""

    def __init__(self, conflicts: str) -> None:
        self._conflicts = conflicts
        self._found: dict[int, tuple[int, float, str, bool]] = {}

    def found(self, row: int, twin: int, similarity: float, labels: list[str | None]) -> None:
        """A row is a duplicate of its twin, which came before it in rank."""
        differ = labels[row] is not None and labels[row] != labels[twin]
        if not differ:
            self._found[row] = (twin, similarity, "duplicate" if similarity == 1 else "near_duplicate", True)
            return
        self._found[row] = (twin, similarity, "duplicate_other_label", self._conflicts != "keep")
        self._found[twin] = (row, similarity, "labels_conflict", self._conflicts == "drop_all")

    def table(self, uids: list[str]) -> pa.Table:
        """The verdict."""
        rows = [
            {"uid": uids[row], "twin": uids[twin], "similarity": similarity, "code": code, "drop": drop}
            for row, (twin, similarity, code, drop) in sorted(self._found.items())
        ]
        fields = [("uid", pa.string()), ("twin", pa.string()), ("similarity", pa.float64()), ("code", pa.string())]
        return pa.Table.from_pylist(rows, schema=pa.schema([*fields, ("drop", pa.bool_())]))
