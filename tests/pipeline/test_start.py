"""What is paid before the first row: imports and workers."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
import toys
from engine_support import recipe, toy_registry, write  # noqa: F401  the fixture is used by name

from curate.dataset.pictures import PictureStore
from curate.errors import CurateError
from curate.pipeline.engine import Limits
from curate.pipeline.pool import Pool
from curate.pipeline.run import run
from curate.pipeline.stage import Context
from curate.pipeline.stop import StopSignal
from curate.pipeline.worker import StageSpec

ONE_STAGE = """
import sys
from pathlib import Path
from curate.pipeline.recipe_file import parse_recipe
parse_recipe("name: one\\ninput: {path: a.jsonl}\\nstages: [{use: balance, cap: 3}]\\n", "one.yaml", Path("."))
print(*sorted(name for name in sys.modules if name.startswith("curate.") and name.endswith(".stage")))
print(*sorted(name for name in sys.modules if name.startswith("curate.export.")))
"""


def test_a_recipe_imports_only_what_it_uses() -> None:
    """A command of one stage would pay a second for the ten that it does not use."""
    done = subprocess.run([sys.executable, "-c", ONE_STAGE], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["curate.pipeline.stage", ""]


def spec(tmp_path: Path, **options: object) -> StageSpec:
    return StageSpec("key", toys.UpperStage, toys.UpperOptions(**options), Context(PictureStore(None, tmp_path)))


def test_workers_that_are_still_opening_their_stage_end_with_the_pool(tmp_path: Path) -> None:
    """Ctrl-C while a source is read must not wait for a model that nobody needs any more."""
    with StopSignal() as stop:
        began = time.monotonic()
        with Pool(2, 1, Limits(), stop) as pool:
            pool.prepare(spec(tmp_path, slow_open=60), 5)
            processes = [worker.process for worker in pool._workers]
            assert len(processes) == 2
        assert time.monotonic() - began < 30
    assert not any(process.is_alive() for process in processes)


@pytest.mark.usefixtures("toy_registry")
def test_a_stage_that_cannot_open_stops_the_run_and_says_why(tmp_path: Path) -> None:
    """Workers open a stage before anything is asked of them; what goes wrong then must not be lost."""
    stages = [toys.UpperOptions(broken_open=True)]
    with pytest.raises(CurateError, match="no model here"):
        run(recipe(write(tmp_path, ["a", "b"]), stages=stages), tmp_path / "out")
