"""The `label` stage: labels as the registry writes them, at the level that is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import ClassVar, Literal

import pyarrow as pa

from curate.errors import RowError, UsageError
from curate.labels.hierarchy import at_level, fine
from curate.labels.registry import Registry
from curate.pipeline.batch import Batch
from curate.pipeline.stage import Stage, StageOptions


class LabelOptions(StageOptions):
    """Which registry, and how labels are written."""

    use: Literal["label"] = "label"

    registry: str = "mire"
    """A shipped registry (mire, jddc, feedback), or a YAML file."""

    level: Literal["fine", "path", "coarse"] = "fine"
    """How labels are written: as they are scored, as `group-label` (EcomMIR's hierarchical answers), or the group."""

    task: str | None = None
    """Task of the registry that labels of records of other tasks belong to; by default a label tells its task."""

    not_allowed: Literal["keep", "drop"] = "keep"
    """What happens to records with a label that no model may answer."""


class LabelStage(Stage[LabelOptions]):
    """Resolves aliases, checks labels and groups, and writes labels at another level; records without one are left."""

    name = "label"
    version = 1
    Options = LabelOptions
    codes: ClassVar[Mapping[str, str]] = {
        "label_written": "The label was written as the registry does, or at the level that was asked for.",
        "label_not_allowed": "No model may answer the record's label.",
        "label_path_inconsistent": "The group in front of the label is not the one that the label belongs to.",
        "label_not_fine": "The label is only a group; which of its labels is meant cannot be told.",
        "unknown_label": "The label is not in the registry; the detail names the nearest ones.",
        "unknown_task": "The registry does not have the record's task.",
    }

    def environment(self) -> Mapping[str, str]:
        """Name the registry by its digest."""
        if self.options.task is not None and self.options.task not in self._registry.tasks:
            known = ", ".join(self._registry.tasks)
            raise UsageError(f"registry {self._registry.name} has no task '{self.options.task}'; it has {known}")
        return {"registry": f"{self._registry.name} {self._registry.digest()}"}

    def process(self, batch: Batch) -> None:
        """Write the labels; a record whose label is not in the registry fails."""
        tasks: list[str] = batch.table["task"].to_pylist()
        labels: list[str | None] = batch.table["label"].to_pylist()
        for row, (task, label) in enumerate(zip(tasks, labels, strict=True)):
            if label is None:
                continue
            try:
                tasks[row], labels[row] = self._written(task, label)
            except RowError as error:
                batch.fail(row, error.code, error.detail)
                continue
            allowed = self._registry.tasks[tasks[row]].allowed
            if self.options.not_allowed == "drop" and self._fine(tasks[row], label) not in allowed:
                batch.drop(row, "label_not_allowed")
            elif (tasks[row], labels[row]) != (task, label):
                batch.change(row, "label_written")
        batch.set_column("task", pa.array(tasks, pa.string()))
        batch.set_column("label", pa.array(labels, pa.string()))

    def _written(self, task: str, label: str) -> tuple[str, str]:
        if self.options.task is not None:
            task = self.options.task
        elif task not in self._registry.tasks:
            task, _ = self._registry.place(task, label)
        return task, at_level(self._registry.tasks[task], label, self.options.level)

    def _fine(self, task: str, label: str) -> str | None:
        """The fine label; None where there is only a group."""
        try:
            return fine(self._registry.tasks[task], label)
        except RowError:
            return None

    @cached_property
    def _registry(self) -> Registry:
        return Registry.load(self.options.registry)
