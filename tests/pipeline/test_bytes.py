"""Same input, same bytes: whatever the workers, the shards, or how often the run was killed."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import toys
from engine_support import files, recipe, toy_registry, write  # noqa: F401  the fixture is used by name
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from curate.dataset.files import TEMPORARY
from curate.dataset.shards import read_table
from curate.pipeline.run import run
from curate.records import row_hashes

LINES = st.lists(
    st.sampled_from(["BAD", "fail", "", "twice", "a", "b", "x y"])
    | st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8),
    min_size=1,
    max_size=40,
)


def content(out: Path) -> list[str]:
    """What the last step holds, whatever its shards."""
    return [
        one for path in sorted((out / "02-rare" / "rows").glob("*.parquet")) for one in row_hashes(read_table(path))
    ]


@pytest.mark.slow
@pytest.mark.usefixtures("toy_registry")
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=LINES, shard_rows=st.integers(1, 17), workers=st.integers(2, 4))
def test_any_workers_and_any_shards_give_the_same_records(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], shard_rows: int, workers: int
) -> None:
    """A training set that depends on the machine it was made on cannot be reproduced by anybody else."""
    folder = tmp_path_factory.mktemp("property")
    source = write(folder, [line.replace("\n", " ") for line in lines] + ["good"])
    stages = [toys.UpperOptions(), toys.RareOptions()]
    options = {"stages": stages, "max_failed": 10_000}

    run(recipe(source, workers=1, shard_rows=shard_rows, **options), folder / "one")
    run(recipe(source, workers=workers, shard_rows=shard_rows, **options), folder / "many")
    run(recipe(source, workers=2, shard_rows=64, **options), folder / "wide")

    assert files(folder / "one") == files(folder / "many")
    assert content(folder / "one") == content(folder / "wide")


RUNNER = """
import sys
sys.path[:0] = {paths!r}
import toys
from pathlib import Path
from curate.pipeline import registry
from curate.pipeline.recipe import Recipe
from curate.pipeline.run import run
from curate.pipeline.source import InputOptions
registry.stages = lambda: {{"upper": toys.UpperStage, "rare": toys.RareStage}}
registry.exporters = dict
registry.OPEN_SOURCE = "toys:LinesSource"
if __name__ == "__main__":
    stages = [toys.UpperOptions(pause={pause}), toys.RareOptions()]
    run(Recipe(name="toy", stages=stages, workers=2, input=InputOptions(path=Path({source!r}), shard_rows=20)), Path({out!r}))
"""


def start(folder: Path, source: Path, out: Path, pause: float = 0.002) -> subprocess.Popen[bytes]:
    """Start a run in a process of its own."""
    script = folder / f"run_{out.name}.py"
    script.write_text(RUNNER.format(paths=[p for p in sys.path if p], source=str(source), out=str(out), pause=pause))
    return subprocess.Popen([sys.executable, str(script)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@pytest.mark.slow
def test_a_run_killed_twenty_times_ends_with_the_same_bytes(tmp_path: Path) -> None:
    """A power cut must cost minutes, not the whole night, and never a row."""
    source = write(tmp_path, [f"line {n}" if n % 5 else f"twice {n % 50}" for n in range(400)])
    began = time.monotonic()
    assert start(tmp_path, source, tmp_path / "whole").wait() == 0
    length = time.monotonic() - began
    draw = random.Random(7)
    kills = 0

    while kills < 20:
        process = start(tmp_path, source, tmp_path / "killed")
        try:
            process.wait(timeout=draw.uniform(0.3, length))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            kills += 1
            continue
        assert process.returncode == 0
        for path in sorted((tmp_path / "killed").rglob("*.parquet"))[draw.randrange(3) :: 3]:
            path.unlink()  # it finished: make work again, so that the next kill hits something
    assert start(tmp_path, source, tmp_path / "killed").wait() == 0

    assert files(tmp_path / "killed") == files(tmp_path / "whole")
    assert not list((tmp_path / "killed").rglob(f"{TEMPORARY}*"))
    uids = [
        uid
        for path in (tmp_path / "killed" / "02-rare" / "rows").glob("*.parquet")
        for uid in read_table(path)["uid"].to_pylist()
    ]
    assert len(uids) == len(set(uids))


def lives(child: str) -> bool:
    """Whether a process still runs; one that only waits to be counted by its parent does not."""
    try:
        return Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_ctrl_c_finishes_what_is_in_flight_and_continues_later(tmp_path: Path) -> None:
    """Ctrl-C must be safe: nothing lost, nobody left behind."""
    source = write(tmp_path, [f"line {n}" for n in range(2000)])
    process = start(tmp_path, source, tmp_path / "out")
    deadline = time.monotonic() + 60
    while not list((tmp_path / "out").glob("01-upper/rows/part-*")) and time.monotonic() < deadline:
        time.sleep(0.02)
    children = subprocess.run(
        ["pgrep", "-P", str(process.pid)], capture_output=True, text=True, check=False
    ).stdout.split()

    process.send_signal(signal.SIGINT)
    code = process.wait(timeout=30)

    assert code != 0
    assert '"interrupted"' in (tmp_path / "out" / "run.json").read_text()
    deadline = time.monotonic() + 10
    while any(map(lives, children)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not [child for child in children if lives(child)]
    assert start(tmp_path, source, tmp_path / "out").wait() == 0


def test_ctrl_c_twice_ends_at_once_and_continues_later(tmp_path: Path) -> None:
    """Whoever presses Ctrl-C again means it; nobody may be left behind, and nothing half-written."""
    source = write(tmp_path, [f"line {n}" for n in range(40)])
    process = start(tmp_path, source, tmp_path / "out", pause=1.0)
    deadline = time.monotonic() + 60
    while not list((tmp_path / "out").glob("00-ingest/stage.json")) and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(3)
    children = subprocess.run(
        ["pgrep", "-P", str(process.pid)], capture_output=True, text=True, check=False
    ).stdout.split()

    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    code = process.wait(timeout=15)

    assert code != 0
    assert time.monotonic() - began < 10
    assert '"interrupted"' in (tmp_path / "out" / "run.json").read_text()
    deadline = time.monotonic() + 10
    while any(map(lives, children)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not [child for child in children if lives(child)]
