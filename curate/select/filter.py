"""The `filter` stage: records beyond a threshold go, those just on this side of it are shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, model_validator

from curate import records
from curate.errors import UsageError
from curate.pipeline.batch import Batch
from curate.pipeline.stage import Stage, StageOptions

Threshold = Annotated[float, Field(allow_inf_nan=False)]


class FilterOptions(StageOptions):
    """Thresholds on the records' scores."""

    use: Literal["filter"] = "filter"

    min: dict[str, Threshold] = {}
    """Scores with the least value that a record may have: `image_blur: 20`. See `curate quality --help`."""

    max: dict[str, Threshold] = {}
    """Scores with the greatest value that a record may have: `text_repeat: 0.5`."""

    near: float = Field(default=0.1, ge=0, le=1)
    """Records whose score is so near a threshold, as a share of it, are noted as near misses; 0 notes none."""

    missing: Literal["keep", "drop"] = "keep"
    """What happens to a record that does not have a score which is asked for."""

    @model_validator(mode="after")
    def _asks_for_something(self) -> FilterOptions:
        if not self.min and not self.max:
            raise ValueError("give thresholds: `min: {image_blur: 20}` or `max: {text_repeat: 0.5}`")
        crossed = [name for name in self.min if name in self.max and self.min[name] > self.max[name]]
        if crossed:
            raise ValueError(f"no record can pass: min of {crossed[0]} is above its max")
        return self


class FilterStage(Stage[FilterOptions]):
    """Drops by scores that an earlier stage wrote, so that other thresholds cost seconds."""

    name = "filter"
    version = 1
    Options = FilterOptions
    surveys = True
    codes: ClassVar[Mapping[str, str]] = {
        "below_threshold": "A score of the record is below its least value; the metric names it.",
        "above_threshold": "A score of the record is above its greatest value; the metric names it.",
        "score_missing": "The record does not have a score that is asked for.",
        "near_threshold": "The record stays, but one of its scores is close to its threshold.",
    }

    def survey(self, batch: Batch) -> pa.Table:
        """Give the names of the scores that records of the batch have, and null where there are records."""
        scores, _ = records.flatten(batch.table["scores"])
        names: list[str] = pc.unique(pc.struct_field(scores, "name")).to_pylist()
        return pa.table({"name": pa.array([None, *names] if len(batch) else [], pa.string())})

    def decide(self, survey: pa.Table) -> pa.Table:
        """Give the names of all scores.

        Raises:
            UsageError: a score that is asked for is in no record at all, so that its threshold would do nothing.
        """
        names = sorted(set(pc.drop_null(survey["name"]).to_pylist())) if survey.num_rows else []
        absent = sorted({*self.options.min, *self.options.max} - set(names))
        if absent and survey.num_rows and self.options.missing == "keep":
            there = "there are: " + ", ".join(names) if names else "there are none yet; `curate quality` writes some"
            raise UsageError(f"no record has the score '{absent[0]}'; {there}")
        return pa.table({"name": pa.array(names, pa.string())})

    def process(self, batch: Batch) -> None:
        """Hold every record's scores against the thresholds; the first that it breaks is the reason it goes."""
        thresholds = [
            *((name, "below_threshold", limit) for name, limit in sorted(self.options.min.items())),
            *((name, "above_threshold", limit) for name, limit in sorted(self.options.max.items())),
        ]
        for row, listed in enumerate(batch.table["scores"].to_pylist()):
            scores = {one["name"]: one["value"] for one in listed or ()}
            near: list[tuple[str, float, float]] = []
            for name, code, limit in thresholds:
                value = scores.get(name)
                if value is None:
                    if self.options.missing == "drop":
                        batch.drop(row, "score_missing", detail=name)
                        break
                elif (value < limit) if code == "below_threshold" else (value > limit):
                    batch.drop(row, code, metric=name, value=value, threshold=limit)
                    break
                elif self.options.near and abs(value - limit) <= self.options.near * abs(limit):
                    near.append((name, value, limit))
            else:
                for name, value, limit in near:
                    batch.note(row, "near_threshold", metric=name, value=value, threshold=limit)
