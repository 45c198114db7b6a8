"""`ls`, `why`, `show`: what they say of a run is what happened."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate.dataset.lock import exclusive


@pytest.fixture
def run(curate: Any, chats: Path, tmp_path: Path) -> Path:
    curate("ingest", str(chats), "work/chats")
    return tmp_path / "work" / "chats"


@pytest.mark.parametrize("folder", ["nothere", "work"])
def test_rows_of_no_run_are_an_error(curate: Any, run: Path, folder: str) -> None:
    """`no rows failed` in a folder that is no run is a comforting lie."""
    done = curate("ls", folder, "--failed")

    assert done.code == 2
    assert f"{folder} is not a run" in done.err


def test_a_killed_run_is_not_told_to_be_running(curate: Any, run: Path) -> None:
    """Nobody should wait for a run that kill -9 ended."""
    facts = json.loads((run / "run.json").read_text("utf-8"))
    (run / "run.json").write_text(json.dumps({**facts, "status": "running"}), "utf-8")

    with exclusive(run):
        assert json.loads(curate("ls", "--json").out)[0]["status"] == "running"
    assert json.loads(curate("ls", "--json").out)[0]["status"] == "stopped"


def test_failed_rows_are_listed_with_their_reasons(curate: Any, run: Path) -> None:
    """A row without a reason cannot be mended."""
    found = json.loads(curate("ls", str(run), "--failed", "--json").out)

    assert [(row["code"], row["source_id"], row["action"]) for row in found] == [
        ("duplicate_id", "c0", "failed"),
        ("bad_json", "6", "failed"),
    ]
    assert curate("ls", str(run), "--dropped").err == f"no rows dropped in {run}\n"


def test_pictures_of_failed_rows_are_named(curate: Any, tmp_path: Path) -> None:
    """The picture is what has to be mended."""
    lines = [json.dumps({"text": f"<image>{n}", "images": [f"{n}.jpg"]}) for n in range(2)]
    (tmp_path / "photos.jsonl").write_text("\n".join(lines), "utf-8")
    curate("ingest", "photos.jsonl", "work/photos")

    assert [row["pictures"] for row in json.loads(curate("ls", "work/photos", "--failed", "--json").out)] == [
        ["0.jpg"],
        ["1.jpg"],
    ]


def test_a_source_id_that_two_records_have_tells_both(curate: Any, run: Path) -> None:
    """The one that failed is the one that was asked for."""
    stories = json.loads(curate("why", "c0", "--run", str(run), "--json").out)["records"]

    assert [(story["source_id"], story["steps"][0]["fate"]) for story in stories] == [("c0", "kept"), ("c0", "failed")]
    told = curate("why", "c0", "--run", str(run)).out
    assert all(story["uid"] in told for story in stories)


def test_one_record_keeps_the_shape_of_its_json(curate: Any, run: Path) -> None:
    """Scripts that ask for a uid get that record, whoever else has its source id."""
    both = json.loads(curate("why", "c0", "--run", str(run), "--json").out)["records"]
    for story in both:
        assert json.loads(curate("why", story["uid"], "--run", str(run), "--json").out) == story


def test_a_beginning_that_fits_several_records_is_not_guessed(curate: Any, run: Path) -> None:
    """The story of another record is worse than none."""
    done = curate("why", "c", "--run", str(run))

    assert done.code == 2
    assert "records begin with 'c'" in done.err


@pytest.mark.parametrize(("wanted", "code"), [("c1", 0), ("1", 0), ("c", 2), ("²", 2), ("c9", 2), ("99", 2)])
def test_show_finds_one_record_or_says_why_not(curate: Any, run: Path, wanted: str, code: int) -> None:
    """Source ids, numbers and beginnings are all that people have at hand."""
    done = curate("show", str(run), wanted)

    assert done.code == code, done.err
    assert code or "第1款灯" in done.out


def test_show_takes_no_negative_number(curate: Any, run: Path) -> None:
    """`-n -1` showed every record and said `-1 of 5`."""
    assert curate("show", str(run), "-n", "-1").code == 2
    assert curate("show", str(run), "-n", "0").code == 0


@pytest.mark.parametrize("kind", ["export", "jsonl", "table", "damaged", "unreadable"])
def test_show_says_what_a_thing_is_that_is_no_dataset(
    curate: Any, run: Path, chats: Path, tmp_path: Path, kind: str
) -> None:
    """People point at what they have; a bug report is no answer."""
    if kind == "export":
        curate("export", str(run), "it")
    elif kind == "jsonl":
        os.rename(chats, tmp_path / "it")
    elif kind == "table":
        pq.write_table(pa.table({"uid": ["a"], "text": ["b"]}), tmp_path / "it")
    elif kind == "damaged":
        (next((run / "00-ingest" / "rows").iterdir())).write_bytes(b"PAR1 no more")
        run.rename(tmp_path / "it")
    else:
        (run / "run.json").write_text("{")
        run.rename(tmp_path / "it")
    said = {
        "export": "is an export, not a dataset",
        "jsonl": "curate ingest",
        "table": "it has no column",
        "damaged": "is not a Parquet file",
        "unreadable": "run.json cannot be read",
    }

    done = curate("show", "it")

    assert done.code == 2
    assert said[kind] in done.err


def test_a_damaged_shard_behind_good_ones_is_named(curate: Any, chats: Path, tmp_path: Path) -> None:
    """The first shard says nothing of the others."""
    curate("ingest", str(chats), "work/small", "--set", "input.shard_rows=2")
    shard = tmp_path / "work" / "small" / "00-ingest" / "rows" / "part-00001.parquet"
    shard.write_bytes(shard.read_bytes()[:50])

    done = curate("show", "work/small")

    assert done.code == 2
    assert "part-00001.parquet cannot be read" in done.err


def test_lines_of_tables_are_whole_in_a_pipe(curate: Any, chats: Path, run: Path) -> None:
    """`curate ls | grep` finds nothing where names are cut in two."""
    name = "a-run-with-a-name-that-says-everything-" * 3 + "end"
    curate("ingest", str(chats), f"work/{name}")

    assert f"work/{name}" in curate("ls").out
    assert any(len(line) > 120 for line in curate("reasons").out.splitlines())
    assert not any(line.endswith(" ") for line in curate("reasons").out.splitlines())


def test_a_width_that_was_asked_for_is_kept_in_a_pipe(curate: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Documentation is made with COLUMNS=100."""
    monkeypatch.setenv("COLUMNS", "100")
    assert max(map(len, curate("reasons").out.splitlines())) <= 100
    monkeypatch.setenv("COLUMNS", "wide")
    assert curate("reasons").code == 0


def test_long_turns_are_shown_whole_in_a_pipe(curate: Any, tmp_path: Path) -> None:
    """What is behind the edge of the page was lost."""
    (tmp_path / "long.jsonl").write_text(json.dumps({"text": "a " * 300 + "end"}), "utf-8")
    curate("ingest", "long.jsonl", "work/long")

    assert "end" in curate("show", "work/long").out


def test_runs_below_a_folder_that_is_not_there_are_an_error(curate: Any, run: Path) -> None:
    """A script that lists a misspelt folder must not go on as if there were no runs."""
    assert curate("ls", "nothere").code == 2
    assert curate("ls", str(run / "run.json")).code == 2
    assert curate("ls", str(run.parent)).code == 0


@pytest.mark.parametrize("text", ["", "[1]", "nope"])
def test_a_run_whose_run_json_is_damaged_is_told(curate: Any, run: Path, text: str) -> None:
    """An empty list of steps looks like a run that did nothing."""
    (run / "run.json").write_text(text, "utf-8")
    one = curate("ls", str(run))
    assert (one.code, "run.json cannot be read or is damaged" in one.err) == (2, True)
    below = curate("ls", str(run.parent), "--json")
    assert [found["status"] for found in json.loads(below.out) if Path(found["run"]).name == run.name] == ["damaged"]
