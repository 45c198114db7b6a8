"""A run: ingest, the stages in order, the exports; what is done already is found by content and not done again."""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import sys
import time
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import curate
from curate.dataset.files import digest, sweep, write_json
from curate.dataset.lease import Lease
from curate.dataset.lock import exclusive
from curate.dataset.pictures import made_paths
from curate.dataset.shards import read_table
from curate.dataset.url import url_of
from curate.dataset.working_copy import WorkingCopy, copy_to_work_in
from curate.errors import BudgetExceeded, Interrupted, OutputError, StageBroken
from curate.pipeline.budget import check_failures
from curate.pipeline.engine import Engine, Limits
from curate.pipeline.machine import processors, worker_memory_limit
from curate.pipeline.manifest import Manifest
from curate.pipeline.outcome import Counts
from curate.pipeline.pool import Pool
from curate.pipeline.prepared import FILE, Prepared, prepare
from curate.pipeline.progress import Progress
from curate.pipeline.recipe import Recipe
from curate.pipeline.result import RunResult, StepResult
from curate.pipeline.stop import StopSignal

_TOLD = ("pyarrow", "numpy", "rapidocr", "openvino", "onnxruntime", "rjieba", "pillow")


def run(recipe: Recipe, out: Path, *, progress: Progress | None = None, cache: Path | None = None) -> RunResult:
    """Run a recipe, or finish a run that was interrupted.

    Args:
        recipe: What to do.
        out: The run's folder; one in another place (`s3:/bucket/run`) is worked on in a local copy.
        progress: Hears what happens.
        cache: Folder of caches that runs share; None for none.

    Raises:
        UsageError: something is wrong before the first row (exit code 2).
        BudgetExceeded: too many rows failed in a step (exit code 1); what was done is kept.
        Interrupted: somebody asked to stop (exit code 130); the same call continues.
    """
    progress = progress or Progress()
    with _copy(out) as copy:
        return _run(prepare(recipe, out, cache, copy), RunResult(out), progress)


@contextlib.contextmanager
def _copy(out: Path) -> Iterator[WorkingCopy | None]:
    """The copy of a run's folder in another place, brought up to date, while nobody else may write there."""
    copy = copy_to_work_in(out)
    if copy is None:
        yield None
        return
    with Lease(copy.url):
        copy.pull()
        yield copy


def _run(prepared: Prepared, result: RunResult, progress: Progress) -> RunResult:
    out = prepared.out
    _make(out)
    kept = prepared.copy.kept_in_step() if prepared.copy else contextlib.nullcontext()
    with StopSignal() as stop, exclusive(out), kept:
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
        raise OutputError(f"cannot make the folder {out}: {error.strerror}; choose another") from error


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
    if not all(step.reused for step in result.steps):
        sweep(prepared.out)  # what a worker that died was writing
    _tidy(prepared, progress)


def _engine(prepared: Prepared, stop: StopSignal) -> Engine:
    """Whoever the recipe says runs the stages; Ray is imported only where it does."""
    recipe = prepared.recipe
    if recipe.engine == "local":
        limits = Limits(recipe.time_limit, _memory_limit(recipe, prepared.workers))
        return Pool(prepared.workers, max(1, processors() // prepared.workers), limits, stop)
    from curate.pipeline.ray_engine import RayEngine

    limits = Limits(recipe.time_limit, None if recipe.memory_limit == "auto" else recipe.memory_limit << 20)
    return RayEngine(None if recipe.workers == "auto" else recipe.workers, recipe.ray, limits, stop, prepared.copy)


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
            "said_at": prepared.recipe.said_at,
            "input": {"format": prepared.source.format, "fingerprint": prepared.source.fingerprint()},
            "image_root": _absolute(prepared.source.image_root) if prepared.source.image_root else None,
            "made_folders": [_absolute(folder) for folder in prepared.source.made_folders],
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


def _absolute(folder: Path) -> str:
    return url_of(folder) or str(folder.resolve())


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
