"""A run: ingest, the stages in order, the exports; what is done already is found by content and not done again."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import platform
import shutil
import sys
import time
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import curate
from curate.dataset.files import TEMPORARY, digest, read_json, sweep, write_json
from curate.dataset.pictures import PictureStore, made_paths
from curate.dataset.shards import read_table
from curate.errors import BudgetExceeded, Interrupted, OutputError, StageBroken
from curate.pipeline import registry
from curate.pipeline.afterwards import Afterwards
from curate.pipeline.batch import Counts
from curate.pipeline.budget import check_failures
from curate.pipeline.engine import Engine, Limits
from curate.pipeline.export_step import ExportStep
from curate.pipeline.ingest_step import IngestStep
from curate.pipeline.lock import exclusive
from curate.pipeline.machine import processors, worker_memory_limit
from curate.pipeline.manifest import Manifest
from curate.pipeline.pool import Pool
from curate.pipeline.progress import Progress
from curate.pipeline.ray_options import Resources
from curate.pipeline.recipe import Recipe
from curate.pipeline.result import RunResult, StepResult
from curate.pipeline.source import Source
from curate.pipeline.stage import Context, Stage
from curate.pipeline.stage_step import StageStep
from curate.pipeline.stop import StopSignal

FILE = "run.json"
_TOLD = ("pyarrow", "numpy", "rapidocr", "openvino", "onnxruntime", "rjieba", "pillow")


@dataclass
class Prepared:
    """A recipe with its source and stages made, but nothing opened and nothing run."""

    recipe: Recipe
    out: Path
    source: Source
    ingest: IngestStep
    stages: list[StageStep]
    exports: list[ExportStep]
    context: Context
    workers: int
    earlier_steps: list[str]
    """Folders of the steps that an earlier run in this folder had."""
    afterwards: list[Afterwards[Any]] = field(default_factory=list)
    """What is done once the rows are done."""


def prepare(recipe: Recipe, out: Path, cache: Path | None = None) -> Prepared:
    """Make everything that a run needs, so that what cannot work is said before anything is written.

    Raises:
        UsageError: a source cannot be read, a stage cannot run here, or the output folder is not a run's.
    """
    check_folder(out, recipe)
    workers = processors() if recipe.workers == "auto" else recipe.workers
    source: Source = registry.load(registry.OPEN_SOURCE)(recipe.input)
    context = Context(
        pictures=PictureStore(source.image_root, out / "images", source.made_folders),
        seed=recipe.seed,
        labels=dict(source.labels),
        answers=dict(source.answers),
        cache=cache,
        threads=max(1, processors() // workers),
    )
    stages: list[StageStep] = []
    for number, options in enumerate(recipe.stages, start=1):
        stage_class: type[Stage[Any]] = registry.stages()[options.use]
        folder = out / f"{number:02d}-{options.title}"
        stages.append(StageStep(stage_class, options, _own(context, recipe, options.title), folder, recipe))
    exports = [
        ExportStep(registry.exporters()[options.use](options, context), out / "exports" / options.title)
        for options in recipe.exports
    ]
    afterwards: list[Afterwards[Any]] = []
    for key, reference in registry.AFTERWARDS.items():
        if getattr(recipe, key):
            afterwards.append(registry.load(reference)(getattr(recipe, key)))
            afterwards[-1].check()
    earlier = [str(name) for name in (_read_run(out) or {}).get("steps_planned", [])]
    return Prepared(
        recipe,
        out,
        source,
        IngestStep(source, out / "00-ingest"),
        stages,
        exports,
        context,
        workers,
        earlier,
        afterwards,
    )


def _own(context: Context, recipe: Recipe, title: str) -> Context:
    """The context of one stage: with Ray, a worker has the threads that its stage was given."""
    if recipe.engine == "local":
        return context
    needs = recipe.ray.resources.get(title, Resources())
    return dataclasses.replace(context, threads=max(1, int(needs.cpus)))


def check_folder(out: Path, recipe: Recipe) -> None:
    """Make sure that the output folder is new, empty, or this recipe's own run, and not its own source.

    Raises:
        OutputError: it is something else, and nothing in it is touched.
    """
    if out.exists() and not out.is_dir():
        raise OutputError(f"{out} is a file; choose another folder with --out")
    path = recipe.input.path
    source = (path if path.exists() else path.with_name(path.name.partition("@")[0])).resolve()  # RUN@STEP
    if out.resolve() == source or source.is_relative_to(out.resolve()):
        raise OutputError(f"{out} holds the source {recipe.input.path}; choose another folder with --out")
    if source.is_dir() and out.resolve().is_relative_to(source):
        raise OutputError(f"{out} lies in the source {recipe.input.path}; choose another folder with --out")
    manifest = _read_run(out)
    if manifest is not None:
        other = (manifest.get("recipe") or {}).get("name")
        if other != recipe.name:
            raise OutputError(
                f"{out} holds a run of the recipe '{other}', not of '{recipe.name}'; choose another folder with --out"
            )
    elif out.is_dir():
        strange = [path.name for path in out.iterdir() if not path.name.startswith(TEMPORARY)]
        if strange and Manifest.read(out / "00-ingest") is None:
            raise OutputError(
                f"{out} is not empty and not a run of curate (it holds {strange[0]}); choose another folder with --out"
            )


def _read_run(out: Path) -> dict[str, Any] | None:
    """What `run.json` says; None where there is none, or it is damaged (then it is written anew)."""
    value = read_json(out / FILE)
    return value if isinstance(value, dict) and isinstance(value.get("recipe"), dict) else None


def run(recipe: Recipe, out: Path, *, progress: Progress | None = None, cache: Path | None = None) -> RunResult:
    """Run a recipe, or finish a run that was interrupted.

    Args:
        recipe: What to do.
        out: The run's folder.
        progress: Hears what happens.
        cache: Folder of caches that runs share; None for none.

    Raises:
        UsageError: something is wrong before the first row (exit code 2).
        BudgetExceeded: too many rows failed in a step (exit code 1); what was done is kept.
        Interrupted: somebody asked to stop (exit code 130); the same call continues.
    """
    progress = progress or Progress()
    prepared = prepare(recipe, out, cache)
    result = RunResult(out)
    _make(out)
    with StopSignal() as stop, exclusive(out):
        stop.on_request = lambda: progress.note("finishing what is in flight; Ctrl-C again to stop at once")
        sweep(out)
        status = "failed"
        _write_run(prepared, result, "running")
        try:
            _steps(prepared, result, progress, stop)
            status = "finished"
            if prepared.afterwards:
                _write_run(prepared, result, status)
                result.said = [one.do(out) for one in prepared.afterwards]
        except Interrupted:
            status = "interrupted"
            raise
        except BudgetExceeded:
            status = "too many rows failed"
            raise
        finally:
            result.status = status
            with contextlib.suppress(OutputError):  # a full disk is reported by whatever met it first
                _write_run(prepared, result, status)
    return result


def _make(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make the folder {out}: {error.strerror}; choose another with --out") from error


def _steps(prepared: Prepared, result: RunResult, progress: Progress, stop: StopSignal) -> None:
    recipe = prepared.recipe
    started = time.monotonic()

    def done(title: str, folder: Path, manifest: Manifest, reused: bool, why: str, unit: str) -> None:
        nonlocal started
        counts = manifest.counts
        _check_counts(title, counts, result.steps[-1].counts if result.steps else None)
        seconds = time.monotonic() - started
        step = StepResult(title, folder.name, counts, seconds, reused, why, unit, manifest.tally)
        result.steps.append(step)
        progress.finish(step)
        check_failures(recipe, title, counts, counts.rows_in)
        started = time.monotonic()

    with _engine(prepared, stop) as engine:
        manifest, reused, why = prepared.ingest.run(progress, stop, lambda: _open_first(prepared, engine))
        done("ingest", prepared.ingest.folder, manifest, reused, why, "rows")
        before = prepared.ingest.folder
        for stage in prepared.stages:
            manifest, reused, why = stage.run(before, manifest, engine, progress)
            done(stage.title, stage.folder, manifest, reused, why, stage.stage.unit)
            before = stage.folder
    for export in prepared.exports:
        exported = export.run(before, manifest, prepared.ingest.manifest, progress, stop)
        result.exports.append(exported)
    _tidy(prepared, progress)


def _engine(prepared: Prepared, stop: StopSignal) -> Engine:
    """Whoever the recipe says runs the stages; Ray is imported only where it does."""
    recipe = prepared.recipe
    if recipe.engine == "local":
        limits = Limits(recipe.time_limit, _memory_limit(recipe, prepared.workers))
        return Pool(prepared.workers, max(1, processors() // prepared.workers), limits, stop)
    from curate.pipeline.ray_engine import RayEngine

    limits = Limits(recipe.time_limit, None if recipe.memory_limit == "auto" else recipe.memory_limit << 20)
    return RayEngine(None if recipe.workers == "auto" else recipe.workers, recipe.ray, limits, stop)


def _open_first(prepared: Prepared, engine: Engine) -> None:
    """While the source is read, workers start and open the first stage."""
    if prepared.stages:
        prepared.stages[0].prepare(engine, prepared.source.shards_hint())


def _check_counts(title: str, counts: Counts, before: Counts | None) -> None:
    """Promise 1: every row that came in went somewhere, and nothing came in that did not go out before.

    Raises:
        StageBroken: the numbers do not add up.
    """
    if counts.rows_in != counts.kept + counts.dropped + counts.failed:
        raise StageBroken(
            f"{title}: {counts.rows_in} rows came in, but {counts.kept} + {counts.dropped} + {counts.failed} went"
        )
    if before is not None and counts.rows_in != before.rows_out:
        raise StageBroken(f"{title}: {counts.rows_in} rows came in, but {before.rows_out} went out of the step before")


def _memory_limit(recipe: Recipe, workers: int) -> int | None:
    return worker_memory_limit(workers) if recipe.memory_limit == "auto" else recipe.memory_limit << 20


def _tidy(prepared: Prepared, progress: Progress) -> None:
    """Take away steps that the recipe had once and has no more; all of it can be made again. Exports are told of."""
    now = {"00-ingest", *(stage.folder.name for stage in prepared.stages)}
    for name in prepared.earlier_steps:
        folder = prepared.out / name
        if name not in now and (folder / "rows").is_dir():
            shutil.rmtree(folder)
            progress.note(f"removed {name}: the recipe has no such step any more")
    exports = {export.folder.name for export in prepared.exports}
    for path in sorted((prepared.out / "exports").glob("*/export.json")):
        if path.parent.name not in exports:
            progress.note(f"exports/{path.parent.name} is from an earlier recipe and was left as it was")
    _tidy_pictures(prepared)


def _tidy_pictures(prepared: Prepared) -> None:
    """Take away pictures that stages made with other options and that no record names any more."""
    made: set[str] = set()
    for step in prepared.stages:
        if step.stage.makes_pictures:
            for path in sorted((step.folder / "rows").glob("part-*.parquet")):
                made |= made_paths(read_table(path, ["images"]))
    prepared.context.pictures.prune(made)


def _write_run(prepared: Prepared, result: RunResult, status: str) -> None:
    recipe = prepared.recipe.model_dump(mode="json")
    result.status = status
    write_json(
        prepared.out / FILE,
        {
            "curate": curate.__version__,
            "recipe": recipe,
            "recipe_digest": digest(recipe),
            "input": {"format": prepared.source.format, "fingerprint": prepared.source.fingerprint()},
            "image_root": str(prepared.source.image_root.resolve()) if prepared.source.image_root else None,
            "made_folders": [str(folder.resolve()) for folder in prepared.source.made_folders],
            "steps_planned": ["00-ingest", *(stage.folder.name for stage in prepared.stages)],
            "machine": {
                "python": platform.python_version(),
                "system": sys.platform,
                "processors": processors(),
                "workers": prepared.workers,
            },
            "versions": {name: text for name in _TOLD if (text := _version(name))},
            "process": os.getpid(),
            **result.as_dict(),
        },
    )


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
