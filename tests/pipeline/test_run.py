"""The engine: every row accounted for, whatever dies on the way."""

from __future__ import annotations

from pathlib import Path

import pytest
import toys
from engine_support import files, recipe, toy_registry, write  # noqa: F401  the fixture is used by name

from curate.dataset.shards import read_table
from curate.errors import BudgetExceeded
from curate.pipeline.run import run

pytestmark = pytest.mark.usefixtures("toy_registry")


def ledger(out: Path, step: str) -> list[dict[str, object]]:
    return [row for path in sorted((out / step / "ledger").glob("*.parquet")) for row in read_table(path).to_pylist()]


def texts(out: Path, step: str, side: str = "rows") -> list[str]:
    found = []
    for path in sorted((out / step / side).glob("*.parquet")):
        found += [row["turns"][0]["text"] for row in read_table(path).to_pylist()]
    return found


def test_every_row_ends_in_one_place_with_a_reason(tmp_path: Path) -> None:
    """A row that vanishes without a word is what users fear most."""
    result = run(recipe(write(tmp_path, ["a", "", "BAD", "fail", "twice"])), tmp_path / "out")

    ingest, upper = (step.counts for step in result.steps)
    assert (ingest.rows_in, ingest.kept, ingest.failed) == (5, 4, 1)
    assert (upper.rows_in, upper.kept, upper.dropped, upper.failed, upper.added, upper.rows_out) == (4, 2, 1, 1, 1, 3)
    assert texts(tmp_path / "out", "01-upper") == ["A", "TWICE", "twicetwice"]
    assert texts(tmp_path / "out", "01-upper", "dropped") == [""]
    assert texts(tmp_path / "out", "01-upper", "failed") == ["fail"]
    assert [row["code"] for row in ledger(tmp_path / "out", "01-upper")] == [
        "capitals",
        "empty",
        "told",
        "capitals",
        "doubled",
    ]


@pytest.mark.parametrize(
    ("word", "code"),
    [("crash", "worker_crashed"), ("raise", "stage_error"), ("hang", "time_limit"), ("eat", "out_of_memory")],
)
def test_one_bad_row_of_two_thousand_costs_itself_alone(tmp_path: Path, word: str, code: str) -> None:
    """A picture that crashes native code must not take a night's work with it."""
    lines = [f"line {number}" for number in range(2000)]
    lines[1234] = word
    limits = {"time_limit": 3.0, "memory_limit": 700}

    result = run(recipe(write(tmp_path, lines), shard_rows=500, **limits), tmp_path / "out")

    assert result.steps[1].counts.codes["failed"] == {code: 1}
    assert texts(tmp_path / "out", "01-upper", "failed") == [word]
    assert texts(tmp_path / "out", "01-upper") == [line.upper() for line in lines if line != word]


def test_a_second_run_finds_everything_done(tmp_path: Path) -> None:
    """A finished run that works again wastes hours."""
    source = write(tmp_path, ["a", "b", "c"])
    run(recipe(source), tmp_path / "out")
    before = files(tmp_path / "out")

    again = run(recipe(source), tmp_path / "out")

    assert [step.reused for step in again.steps] == [True, True]
    assert files(tmp_path / "out") == before


def test_a_changed_option_runs_its_stage_again_and_says_why(tmp_path: Path) -> None:
    """Reusing what an option changed would be a lie; running what it did not change a waste."""
    source = write(tmp_path, ["a", "b", "c"])
    run(recipe(source), tmp_path / "out")

    again = run(recipe(source, stages=[toys.UpperOptions(suffix="!")]), tmp_path / "out")

    assert [(step.reused, step.why) for step in again.steps] == [(True, ""), (False, "options.suffix changed:  → !")]
    assert texts(tmp_path / "out", "01-upper") == ["A!", "B!", "C!"]


def test_a_damaged_shard_is_found_and_made_again(tmp_path: Path) -> None:
    """A flipped bit on disk must not reach the training set."""
    source = write(tmp_path, [f"line {n}" for n in range(40)])
    run(recipe(source), tmp_path / "out")
    before = files(tmp_path / "out")
    shard = tmp_path / "out" / "01-upper" / "rows" / "part-00001.parquet"
    data = bytearray(shard.read_bytes())
    data[200] ^= 0xFF
    shard.write_bytes(bytes(data))

    again = run(recipe(source), tmp_path / "out")

    assert again.steps[1].why == "rows/part-00001.parquet is damaged"
    assert files(tmp_path / "out") == before


def test_a_stage_that_surveys_sees_the_whole_dataset(tmp_path: Path) -> None:
    """Deduplication that sees one shard at a time keeps duplicates."""
    source = write(tmp_path, ["a", "b"] + ["x"] * 16 + ["a"])

    run(recipe(source, stages=[toys.RareOptions()]), tmp_path / "out")

    assert texts(tmp_path / "out", "01-rare") == ["b"]


def test_too_many_failures_stop_the_run_and_keep_what_was_done(tmp_path: Path) -> None:
    """A run that is going wrong should say so now, not tomorrow."""
    source = write(tmp_path, ["fail"] * 20 + ["a"] * 20)

    with pytest.raises(BudgetExceeded, match="told"):
        run(recipe(source), tmp_path / "out")

    assert (tmp_path / "out" / "01-upper" / "failed" / "part-00000.parquet").exists()


def test_worker_counts_do_not_change_a_byte(tmp_path: Path) -> None:
    """Results that depend on the machine cannot be compared or reproduced."""
    source = write(tmp_path, [f"twice {n}" if n % 7 == 0 else f"line {n % 11}" for n in range(100)])
    stages = [toys.UpperOptions(), toys.RareOptions()]
    outputs = []
    for workers in (1, 2, 4):
        run(recipe(source, stages=stages, workers=workers), tmp_path / str(workers))
        outputs.append(files(tmp_path / str(workers)))

    assert outputs[0] == outputs[1] == outputs[2]
