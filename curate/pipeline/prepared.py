"""What a run needs, made before anything is written: source, stages, exports, and a folder that may be used."""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from curate.dataset.files import TEMPORARY, read_json
from curate.dataset.pictures import PictureStore
from curate.dataset.working_copy import WorkingCopy, named
from curate.errors import OutputError
from curate.pipeline import registry
from curate.pipeline.afterwards import Afterwards
from curate.pipeline.export_step import ExportStep
from curate.pipeline.ingest_step import IngestStep
from curate.pipeline.machine import processors
from curate.pipeline.manifest import Manifest
from curate.pipeline.ray_options import Resources
from curate.pipeline.recipe import Recipe
from curate.pipeline.source import Source
from curate.pipeline.stage import Context, Stage
from curate.pipeline.stage_step import StageStep

FILE = "run.json"


@dataclass
class Prepared:
    """A recipe with its source and stages made, but nothing opened and nothing run."""

    recipe: Recipe
    out: Path
    """The run's folder on this machine."""
    copy: WorkingCopy | None
    """What keeps the folder in step with another place, where the run is made there."""
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


def prepare(recipe: Recipe, asked: Path, cache: Path | None = None, copy: WorkingCopy | None = None) -> Prepared:
    """Make everything that a run needs, so that what cannot work is said before anything is written.

    Args:
        recipe: What to do.
        asked: The run's folder.
        cache: Folder of caches that runs share.
        copy: The copy of that folder, where it is in another place.

    Raises:
        UsageError: a source cannot be read, a stage cannot run here, or the output folder is not a run's.
    """
    check_source(asked, recipe)
    out = copy.folder if copy else asked
    check_folder(out, recipe, asked)
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
    earlier = [str(name) for name in (read_run(out) or {}).get("steps_planned", [])]
    return Prepared(
        recipe,
        out,
        copy,
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


def check_source(out: Path, recipe: Recipe) -> None:
    """Make sure that a run is not written over its own source.

    Raises:
        OutputError: it would be.
    """
    path = recipe.input.path
    source = _real(path if path.exists() else path.with_name(path.name.partition("@")[0]))  # RUN@STEP
    if source.is_relative_to(_real(out)):
        raise OutputError(f"{named(out)} holds the source {named(recipe.input.path)}; choose another folder")
    if source.is_dir() and _real(out).is_relative_to(source):
        raise OutputError(f"{named(out)} lies in the source {named(recipe.input.path)}; choose another folder")


def _real(path: Path) -> Path:
    """A path without links; unlike `Path.resolve` it says nothing of links that go in circles."""
    return Path(os.path.realpath(path))


def check_folder(out: Path, recipe: Recipe, asked: Path) -> None:
    """Make sure that the output folder is new, empty, or this recipe's own run.

    Args:
        out: The folder.
        recipe: The recipe that is to be run in it.
        asked: The folder as a person knows it.

    Raises:
        OutputError: it is something else, and nothing in it is touched.
    """
    if out.exists() and not out.is_dir():
        raise OutputError(f"{named(asked)} is a file; choose another folder")
    manifest = read_run(out)
    if manifest is not None:
        other = (manifest.get("recipe") or {}).get("name")
        if other != recipe.name:
            raise OutputError(
                f"{named(asked)} holds a run of the recipe '{other}', not of '{recipe.name}'; choose another folder"
            )
    elif out.is_dir():
        strange = [path.name for path in out.iterdir() if not path.name.startswith(TEMPORARY)]
        if strange and Manifest.read(out / "00-ingest") is None:
            raise OutputError(
                f"{named(asked)} is not empty and not a run of curate (it holds {strange[0]}); choose another folder"
            )


def read_run(out: Path) -> dict[str, Any] | None:
    """What `run.json` says; None where there is none, or it is damaged (then it is written anew)."""
    value = read_json(out / FILE)
    return value if isinstance(value, dict) and isinstance(value.get("recipe"), dict) else None
