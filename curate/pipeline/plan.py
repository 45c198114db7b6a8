"""What a run would do, without doing it: for `--dry-run`."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from curate.dataset.working_copy import copy_to_work_in
from curate.pipeline.machine import free_disk
from curate.pipeline.manifest import Manifest
from curate.pipeline.prepared import prepare
from curate.pipeline.recipe import Recipe


@dataclass
class PlannedStep:
    """One step of a plan."""

    title: str
    runs: bool
    why: str
    """Why it runs; empty where its result is reused."""
    rows: int | None
    """Rows that come in, as far as known; a guess where ingest runs."""
    shards: int | None
    """Shards that come in, as far as known."""
    needs: dict[str, str] = field(default_factory=dict)
    """Models and rule files that it uses, with their versions or digests."""


@dataclass
class Plan:
    """What a run would do."""

    recipe: str
    out: Path
    workers: int
    free_disk: int
    """Bytes free where the run is written."""
    steps: list[PlannedStep]

    def as_dict(self) -> dict[str, Any]:
        """Give the plan for `--json`."""
        return {**asdict(self), "out": str(self.out)}


def plan(recipe: Recipe, out: Path, cache: Path | None = None) -> Plan:
    """Say what a run would do; writes nothing and loads no model.

    Raises:
        UsageError: the run could not even start.
    """
    copy = copy_to_work_in(out)
    if copy:
        copy.pull()
    prepared = prepare(recipe, out, cache, copy)
    why = prepared.ingest.why_it_runs()
    manifest = Manifest.read(prepared.ingest.folder) if why is None else None
    hint = manifest.counts.rows_in if manifest else prepared.source.rows_hint()
    steps = [PlannedStep("ingest", why is not None, why or "", hint, None, {"source": prepared.source.format})]
    for stage in prepared.stages:
        inputs = manifest.outputs if manifest else None
        rows = manifest.counts.rows_out if manifest else steps[-1].rows
        shards = len(manifest.shards) if manifest else None
        why = stage.why_it_runs(inputs)
        steps.append(
            PlannedStep(stage.title, why is not None, why or "", rows, shards, dict(stage.stage.environment()))
        )
        manifest = Manifest.read(stage.folder) if why is None else None
    layout = (Manifest.read(prepared.ingest.folder) or Manifest({}, [], [])).extra.get("layout", {})
    for export in prepared.exports:
        why = export.why_it_runs(manifest.outputs if manifest else None, layout)
        rows = manifest.counts.rows_out if manifest else steps[-1].rows
        steps.append(PlannedStep(f"export {export.title}", why is not None, why or "", rows, None))
    return Plan(recipe.name, out, prepared.workers, free_disk(prepared.out), steps)
