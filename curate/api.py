"""Running a recipe from Python."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from curate.dataset.remote import cache_folder
from curate.pipeline.progress import Progress
from curate.pipeline.recipe_file import find_recipe, load_recipe
from curate.pipeline.result import RunResult
from curate.pipeline.run import run as run_recipe


def run(
    recipe: str | Path, out: str | Path | None = None, overrides: Sequence[str] = (), progress: Progress | None = None
) -> RunResult:
    """Run a recipe, or finish a run that was interrupted.

    Args:
        recipe: A recipe file, or the name of a shipped recipe such as `demo`.
        out: The run's folder, or a URL such as `s3://bucket/run`; default `work/NAME`.
        overrides: `KEY=VALUE` texts as for `curate run --set`.
        progress: Hears what happens.

    Raises:
        CurateError: see `curate.errors`; what was done is kept, and the same call continues.
    """
    loaded = load_recipe(find_recipe(str(recipe)), overrides)
    return run_recipe(loaded, Path(out) if out else Path("work") / loaded.name, progress=progress, cache=cache_folder())
