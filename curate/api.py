"""Running a recipe from Python."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

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
        out: The run's folder; default `work/NAME`.
        overrides: `KEY=VALUE` texts as for `curate run --set`.
        progress: Hears what happens.

    Raises:
        CurateError: see `curate.errors`; what was done is kept, and the same call continues.
    """
    loaded = load_recipe(find_recipe(str(recipe)), overrides)
    return run_recipe(loaded, Path(out) if out else Path("work") / loaded.name, progress=progress, cache=cache_folder())


def cache_folder() -> Path | None:
    """Folder of caches that runs share: `CURATE_CACHE`, else the user's cache folder; `CURATE_CACHE=off` for none."""
    named = os.environ.get("CURATE_CACHE")
    if named == "off":
        return None
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "curate"
