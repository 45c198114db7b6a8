"""One stage over all shards: what is done is found by content, the rest goes to the engine."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa

from curate.dataset.files import content_hash, digest
from curate.dataset.pictures import made_paths
from curate.dataset.shards import FINGERPRINT, part_name, read_metadata, read_table, remove_shards_from, write_table
from curate.pipeline.budget import check_failures
from curate.pipeline.engine import Engine
from curate.pipeline.manifest import Manifest, why_not
from curate.pipeline.outcome import Counts
from curate.pipeline.progress import Progress
from curate.pipeline.recipe import Recipe
from curate.pipeline.shard import ShardInfo, ShardTask, content_of, finished_shard, shard_fingerprint
from curate.pipeline.stage import Context, Stage, StageOptions
from curate.pipeline.worker import StageSpec, SurveyTask

_VERDICT = "verdict.parquet"
_CONTENT = b"curate.content"


class StageStep:
    """A stage at its place in a run."""

    def __init__(
        self, stage: type[Stage[Any]], options: StageOptions, context: Context, folder: Path, recipe: Recipe
    ) -> None:
        self.title = options.title
        self.folder = folder
        self.stage = stage(options, context)
        self.recipe = recipe
        self.signature = self.stage.signature()
        self._spec = (stage, options, context)

    def why_it_runs(self, inputs: list[str] | None) -> str | None:
        """Say why the stage must run (again) on these inputs; None where its result can be used as it stands."""
        why = why_not(Manifest.read(self.folder), self.signature, inputs, self.folder, self.recipe.limits)
        if why is None and self.stage.makes_pictures:
            lost = self._lost_picture(path.name for path in sorted((self.folder / "rows").glob("part-*.parquet")))
            why = f"its picture {lost} is missing or damaged" if lost else None
        return why

    def _lost_picture(self, parts: Iterable[str]) -> str | None:
        """The first picture that the stage made for these shards which is not there any more."""
        made: set[str] = set()
        for part in parts:
            made |= made_paths(read_table(self.folder / "rows" / part, ["images"]))
        return self.stage.context.pictures.lost(made)

    def prepare(self, engine: Engine, shards: int | None) -> None:
        """Let workers open the stage before its shards are there."""
        engine.prepare(self._stage_spec(None), engine.size if shards is None else shards)

    def run(self, before: Path, incoming: Manifest, engine: Engine, progress: Progress) -> tuple[Manifest, bool, str]:
        """Run the stage over the shards of the step before; give the manifest, whether all was there, and why not."""
        why = self.why_it_runs(incoming.outputs)
        if why is None:
            manifest = Manifest.read(self.folder)
            assert manifest is not None
            return manifest, True, ""
        if earlier := Manifest.read(self.folder):
            earlier.remove_damaged(self.folder)
        (self.folder / "stage.json").unlink(missing_ok=True)
        announcement = self.stage.announcement()
        if announcement:
            progress.note(f"{self.title}: {announcement}")
        images = self.stage.unit == "images"
        progress.start(
            self.title, sum(shard.images if images else shard.rows for shard in incoming.shards), self.stage.unit, why
        )
        verdict = self._verdict(before, incoming, engine) if self.stage.surveys else None
        shards = self._shards(before, incoming, engine, progress, verdict)
        remove_shards_from(self.folder, len(shards))
        extra = {"verdict": verdict[0], "files": {_VERDICT: content_hash(self.folder / _VERDICT)}} if verdict else {}
        manifest = Manifest(self.signature, incoming.outputs, shards, extra)
        manifest.write(self.folder)
        return manifest, False, why

    def _shards(
        self, before: Path, incoming: Manifest, engine: Engine, progress: Progress, verdict: tuple[str, bytes] | None
    ) -> list[ShardInfo]:
        board = _Board(incoming, progress, self.stage.unit, self.recipe, self.title)
        tasks: list[ShardTask] = []
        for shard in incoming.shards:
            fingerprint = shard_fingerprint(self.signature, verdict[0] if verdict else None, shard.hash)
            info = finished_shard(self.folder, shard.index, fingerprint, self.recipe.limits)
            if info is not None and self.stage.makes_pictures and self._lost_picture([part_name(shard.index)]):
                info = None
            if info is not None:
                board.finished(info)
                continue
            budget = self.recipe.allowed_failures(board.rows)
            source = before / "rows" / part_name(shard.index)
            tasks.append(
                ShardTask(shard.index, source, self.folder, fingerprint, limits=self.recipe.limits, budget=budget)
            )
        for _, info in engine.map(self._stage_spec(verdict), tasks, board.alive):
            board.finished(info)
        return [board.done[shard.index] for shard in incoming.shards]

    def _stage_spec(self, verdict: tuple[str, bytes] | None) -> StageSpec:
        key = digest([self.signature, str(self.folder), verdict[0] if verdict else None])
        return StageSpec(key, *self._spec, verdict=verdict[1] if verdict else None)

    def _verdict(self, before: Path, incoming: Manifest, engine: Engine) -> tuple[str, bytes]:
        """Let the stage see the whole dataset and decide; give the verdict's digest and the verdict."""
        name = shard_fingerprint(self.signature, None, digest(incoming.outputs))
        path = self.folder / _VERDICT
        verdict = _kept_verdict(path, name)
        if verdict is None:
            tasks = [SurveyTask(shard.index, before / "rows" / part_name(shard.index)) for shard in incoming.shards]
            surveys = dict(engine.map(self._stage_spec(None), tasks, lambda index, units: None))
            tables = [surveys[index] for index in sorted(surveys)]
            verdict = self.stage.decide(pa.concat_tables(tables) if tables else pa.table({})).combine_chunks()
            write_table(path, verdict, {FINGERPRINT: name.encode(), _CONTENT: content_of(verdict).encode()})
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, verdict.schema) as writer:
            writer.write_table(verdict)
        return name, sink.getvalue().to_pybytes()


def _kept_verdict(path: Path, name: str) -> pa.Table | None:
    """The verdict of an earlier run; None where there is none, or it was made from something else, or damaged."""
    metadata = read_metadata(path)
    if metadata is None or metadata.get(FINGERPRINT) != name.encode():
        return None
    try:
        verdict = read_table(path).replace_schema_metadata(None).combine_chunks()
    except (OSError, pa.ArrowInvalid):
        return None
    return verdict if metadata.get(_CONTENT) == content_of(verdict).encode() else None


class _Board:
    """Counts what is done, tells progress, and stops a stage that is going wrong."""

    def __init__(self, incoming: Manifest, progress: Progress, unit: str, recipe: Recipe, title: str) -> None:
        self.units = {shard.index: shard.images if unit == "images" else shard.rows for shard in incoming.shards}
        self.rows = sum(shard.rows for shard in incoming.shards)
        self.done: dict[int, ShardInfo] = {}
        self._counts = Counts()
        self._told: dict[int, int] = {}
        self._progress = progress
        self._recipe = recipe
        self._title = title

    def alive(self, index: int, units: int) -> None:
        """A worker finished some units of a shard; never more than the shard has."""
        told = self._told.get(index, 0)
        step = min(units, self.units[index] - told)
        if step > 0:
            self._told[index] = told + step
            self._progress.advance(step, self._counts.failed)

    def finished(self, info: ShardInfo) -> None:
        """A shard is done.

        Raises:
            BudgetExceeded: more rows failed than the recipe allows.
        """
        self.done[info.index] = info
        self._counts.add(info.counts)
        self._progress.advance(self.units[info.index] - self._told.get(info.index, 0), self._counts.failed)
        check_failures(self._recipe, self._title, self._counts, self.rows)
