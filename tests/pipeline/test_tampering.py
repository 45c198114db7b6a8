"""What others do to a run's folder must never become a wrong result."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import toys
from engine_support import files, recipe, toy_registry, write  # noqa: F401  the fixture is used by name

from curate import Dataset, errors
from curate.errors import BudgetExceeded, OutputError, StageBroken
from curate.pipeline.batch import Batch
from curate.pipeline.progress import Progress
from curate.pipeline.result import StepResult
from curate.pipeline.run import run
from curate.records import Record, Turn, to_table

pytestmark = pytest.mark.usefixtures("toy_registry")

LINES = [f"line {number}" for number in range(40)]


@pytest.fixture
def done(tmp_path: Path) -> Path:
    """A finished run of three shards and two stages."""
    run(recipe(write(tmp_path, LINES), stages=[toys.UpperOptions(), toys.RareOptions()]), tmp_path / "out")
    return tmp_path


def again(folder: Path, **changes: object) -> list[bool]:
    options = {"stages": [toys.UpperOptions(), toys.RareOptions()], **changes}
    return [step.reused for step in run(recipe(folder / "lines.txt", **options), folder / "out").steps]


def test_rows_that_somebody_took_out_of_a_shard_come_back(done: Path) -> None:
    """A shard rewritten by hand carries its old fingerprint along; rows must not vanish behind it."""
    before = files(done / "out")
    shard = done / "out" / "01-upper" / "rows" / "part-00001.parquet"
    table = pq.read_table(shard)
    pq.write_table(table.slice(0, len(table) - 3), shard)

    assert again(done) == [True, False, True]
    assert files(done / "out") == before


@pytest.mark.parametrize("name", ["failed/part-00001.parquet", "rows/part-00007.parquet", "dropped/notes.txt"])
def test_a_file_that_does_not_belong_to_a_step_is_found(done: Path, name: str) -> None:
    """A row must not stand both among the good and among the failed."""
    before = files(done / "out")
    stranger = done / "out" / "01-upper" / name
    stranger.parent.mkdir(exist_ok=True)
    pq.write_table(to_table([Record("x", "x", "chat", (Turn("user", "x"),), raw="{}")]), stranger)

    result = run(recipe(done / "lines.txt", stages=[toys.UpperOptions(), toys.RareOptions()]), done / "out")

    assert result.steps[1].why == f"{name} does not belong there"
    assert {path: data for path, data in files(done / "out").items() if "notes" not in path} == before


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("01-upper/stage.json", "[]"),
        ("01-upper/stage.json", '{"shards": 3}'),
        ("00-ingest/stage.json", "{}"),
        ("run.json", "garbage"),
        ("run.json", '{"recipe": null}'),
    ],
)
def test_a_damaged_manifest_is_made_again(done: Path, name: str, text: str) -> None:
    """Hours of OCR must not hang on one small file."""
    before = files(done / "out")
    (done / "out" / name).write_text(text)

    again(done)

    assert files(done / "out") == before
    assert json.loads((done / "out" / "run.json").read_text())["status"] == "finished"


def test_a_damaged_verdict_is_decided_again(done: Path) -> None:
    """A damaged file of ours must never stop a run for ever."""
    before = files(done / "out")
    verdict = done / "out" / "02-rare" / "verdict.parquet"
    data = bytearray(verdict.read_bytes())
    data[30:50] = bytes(20)
    verdict.write_bytes(bytes(data))
    (done / "out" / "02-rare" / "stage.json").unlink()

    again(done)

    assert files(done / "out") == before


@pytest.mark.parametrize("place", [0, 100, -30, -1])
def test_a_verdict_that_a_bit_flipped_in_is_written_again(done: Path, place: int) -> None:
    """What does not matter to the next run matters to whoever compares, or opens, the file."""
    before = files(done / "out")
    verdict = done / "out" / "02-rare" / "verdict.parquet"
    data = bytearray(verdict.read_bytes())
    data[place] ^= 1
    verdict.write_bytes(bytes(data))

    again(done)

    assert files(done / "out") == before


def test_a_run_killed_while_it_wrote_its_first_file_continues(tmp_path: Path) -> None:
    """The same command must always continue."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / ".tmp-11-22-run.json").write_text("{")

    run(recipe(write(tmp_path, LINES)), tmp_path / "out")

    assert not list((tmp_path / "out").glob(".tmp-*"))


def test_what_a_dead_worker_was_writing_does_not_stay(tmp_path: Path) -> None:
    """A finished run is copied and compared as it is; nobody runs it once more to have it swept."""
    out = tmp_path / "out"

    class Litter(Progress):
        def finish(self, result: StepResult) -> None:
            if result.title == "upper":
                (out / "01-upper" / "rows" / ".tmp-1-2-part-00000.parquet").write_bytes(b"PAR1")

    run(recipe(write(tmp_path, LINES)), out, progress=Litter())

    assert not list(out.rglob(".tmp-*"))


def test_folders_of_the_user_stay(done: Path) -> None:
    """A run folder is a place where people put notes."""
    (done / "out" / "10-my-notes").mkdir()
    (done / "out" / "10-my-notes" / "rows").mkdir()

    again(done, stages=[toys.UpperOptions()])

    assert (done / "out" / "10-my-notes").is_dir()
    assert not (done / "out" / "02-rare").exists()


def test_a_step_made_from_an_earlier_result_is_not_shown(done: Path) -> None:
    """A run that stopped half-way must not present the old training set as the new one."""
    source = done / "lines.txt"
    source.write_text("\n".join(["fail"] * 20 + LINES), "utf-8")

    with pytest.raises(BudgetExceeded):
        again(done)

    assert Dataset.open(done / "out").step == done / "out" / "00-ingest"


def test_a_run_is_never_its_own_source(tmp_path: Path) -> None:
    """Reading and writing one folder destroys the first result."""
    source = write(tmp_path, LINES)

    with pytest.raises(OutputError, match="holds the source"):
        run(recipe(source), tmp_path)
    with pytest.raises(OutputError, match="holds the source"):
        run(recipe(tmp_path / "out@upper"), tmp_path / "out")


def test_rows_that_broke_a_limit_are_tried_again_under_another(tmp_path: Path) -> None:
    """Raising the limit is what the message tells people to do; it must work."""
    source = write(tmp_path, ["a", "slow", "b"])

    first = run(recipe(source, time_limit=1.5), tmp_path / "out")
    second = run(recipe(source, time_limit=30.0), tmp_path / "out")

    assert first.steps[1].counts.codes["failed"] == {"time_limit": 1}
    assert second.steps[1].why == "rows failed under other limits (time_limit 1.5, memory_limit auto)"
    assert second.steps[1].counts.failed == 0


def test_a_worker_killed_by_somebody_else_costs_no_row(tmp_path: Path) -> None:
    """The kernel ends whom it likes when memory is short; an innocent row must not pay."""
    source = write(tmp_path, [f"line {number}" for number in range(400)])
    script = tmp_path / "run.py"
    paths = [path for path in sys.path if path]
    script.write_text(
        f"import sys\nsys.path[:0] = {paths!r}\nimport toys\nfrom pathlib import Path\n"
        "from curate.pipeline import registry\nfrom curate.pipeline.recipe import Recipe\nfrom curate.pipeline.run import run\n"
        "from curate.pipeline.source import InputOptions\n"
        "registry.stages = lambda: {'upper': toys.UpperStage}\nregistry.exporters = dict\nregistry.OPEN_SOURCE = 'toys:LinesSource'\n"
        "if __name__ == '__main__':\n"
        f"    run(Recipe(name='toy', stages=[toys.UpperOptions(pause=0.02)], workers=1, input=InputOptions(path=Path({str(source)!r}), shard_rows=100)), Path({str(tmp_path / 'out')!r}))\n"
    )
    process = subprocess.Popen([sys.executable, str(script)])
    killed: set[str] = set()
    while process.poll() is None and len(killed) < 2:
        listed = subprocess.run(
            ["pgrep", "-P", str(process.pid), "-f", "spawn_main"], capture_output=True, text=True, check=False
        )
        for child in set(listed.stdout.split()) - killed:
            time.sleep(2.0)
            try:
                os.kill(int(child), signal.SIGKILL)
                killed.add(child)
            except ProcessLookupError:
                pass
        time.sleep(0.1)

    assert process.wait(timeout=120) == 0
    assert killed
    steps = json.loads((tmp_path / "out" / "run.json").read_text())["steps"]
    assert (steps[1]["kept"], steps[1]["failed"]) == (400, 0)


def test_a_stage_may_not_touch_what_names_a_record() -> None:
    """Predictions are joined by uid, and `raw` is the way back to the source."""
    for name in ("uid", "source_id", "parent", "raw"):
        batch = Batch(to_table([Record("u", "0", "chat", (Turn("user", "a"),), raw="{}")]), "stage", {})
        batch.set_column(name, pa.array(["other"]))
        with pytest.raises(StageBroken, match=f"changed {name}, which no stage may"):
            batch.outcome()


def test_a_label_that_the_registry_does_not_have_is_a_bug_of_the_stage() -> None:
    """A label that scoring does not know is always wrong."""
    table = to_table([Record("u", "0", "chat", (Turn("user", "a"),), label="good", raw="{}")])
    assert Batch(table, "stage", {}, labels={"chat": ["good"]}).outcome().counts.kept == 1

    with pytest.raises(StageBroken, match="gave the label good, which task chat does not have"):
        Batch(table, "stage", {}, labels={"chat": ["better"]}).outcome()


@pytest.mark.parametrize(
    "error",
    [
        errors.MissingExtra("the engine paddleocr", "paddle"),
        errors.Interrupted(15),
        errors.RecipeError([errors.Problem("a:1:1", "wrong")]),
        errors.RowError("code", "detail"),
        errors.UsageError("text"),
    ],
)
def test_every_error_survives_the_way_from_a_worker(error: Exception) -> None:
    """An error that cannot be unpickled is told as a bug."""
    copy = pickle.loads(pickle.dumps(error))

    assert (type(copy), str(copy), copy.__dict__) == (type(error), str(error), error.__dict__)


@pytest.mark.skipif(
    os.geteuid() != 0 if hasattr(os, "geteuid") else True, reason="a process namespace needs root; CI has it"
)
def test_a_run_works_as_the_first_process_of_a_container(tmp_path: Path) -> None:
    """`docker run IMAGE curate run demo` starts curate as process 1, whose children's parent is 1."""
    source = tmp_path / "chats.jsonl"
    source.write_text('{"text": "这款灯可以调光吗"}\n', "utf-8")
    path = os.pathsep.join(one for one in sys.path if one)
    command = [
        "unshare",
        "--pid",
        "--fork",
        "--mount-proc",
        sys.executable,
        "-m",
        "curate.cli.main",
        "denoise",
        str(source),
        str(tmp_path / "out"),
        "-q",
    ]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path}, check=False)

    assert done.returncode == 0, done.stderr
