"""`curate cache`: what is in it, whether it is sound, and room made without losing what is in use."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from curate.ocr.cache import NAME, Reading, ReadingCache
from curate.records import Line

FAKE = ("--set", "engine=fake")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a cache that is not there yet."""
    path = tmp_path / "shared"
    monkeypatch.setenv("CURATE_CACHE", str(path))
    return path


def sha(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def fill(folder: Path, engine: str, numbers: range) -> None:
    line = Line("text", 0.5, (0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0))
    cache = ReadingCache(folder)
    cache.put([(sha(number), Reading(10, 20, (line,))) for number in numbers], engine)
    cache.close()


def damage(folder: Path, number: int) -> None:
    with sqlite3.connect(folder / NAME) as other:
        other.execute("UPDATE reading SET value = x'00' WHERE picture = ?", (bytes.fromhex(sha(number)),))
    other.close()


def held(curate: Any) -> dict[str, int]:
    found = json.loads(curate("cache", "--json", *FAKE).out)
    return {engine["engine"]: engine["pictures"] for engine in found["engines"]}


@pytest.mark.parametrize("options", [(), ("--verify",), ("--prune",), ("--prune", "all"), ("--prune", "--dry-run")])
def test_there_need_not_be_a_cache(curate: Any, folder: Path, options: tuple[str, ...]) -> None:
    """A look at nothing must not fail, nor make something."""
    assert "holds no readings yet" in curate("cache", *options).out
    assert curate("cache", "--json", *options).code == 0
    assert not folder.exists()


def test_a_cache_that_is_switched_off_says_so(curate: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who wonders why every run reads again finds the reason here."""
    monkeypatch.setenv("CURATE_CACHE", "off")
    answer = curate("cache", "--verify")
    assert (answer.code, "off" in answer.out) == (0, True)
    assert json.loads(curate("cache", "--json").out)["folder"] is None


def test_readings_are_counted_by_engine(curate: Any, folder: Path) -> None:
    """Without this nobody knows what takes the room, or whether it is still of use."""
    fill(folder, "old/0", range(3))
    fill(folder, "fake/1", range(2))
    found = json.loads(curate("cache", "--json", *FAKE).out)
    assert [(one["engine"], one["pictures"], one["current"]) for one in found["engines"]] == [
        ("fake/1", 2, True),
        ("old/0", 3, False),
    ]
    assert found["size"] > 0
    assert found["engines"][0]["oldest"] <= found["engines"][0]["newest"]
    shown = curate("cache", *FAKE).out
    assert "fake/1  (in use)" in shown and str(folder) in shown


def test_verify_finds_damaged_readings_and_changes_none(curate: Any, folder: Path) -> None:
    """A check that mends in passing hides that a disk goes bad."""
    fill(folder, "fake/1", range(3))
    assert curate("cache", "--verify").code == 0
    damage(folder, 1)
    for _ in range(2):
        answer = curate("cache", "--verify")
        assert (answer.code, "1 of 3 readings are damaged" in answer.out) == (1, True)
    assert json.loads(curate("cache", "--verify", "--json").out)["damaged"] == 1


def test_prune_keeps_what_the_engine_in_use_has_read(curate: Any, folder: Path) -> None:
    """If too much goes, the next run reads for hours what it knew."""
    fill(folder, "old/0", range(3))
    fill(folder, "fake/1", range(10, 14))
    damage(folder, 0)
    damage(folder, 11)
    planned = json.loads(curate("cache", "--prune", "--dry-run", "--json", *FAKE).out)
    assert (planned["removed"], held(curate)) == (4, {"fake/1": 4, "old/0": 3})
    done = json.loads(curate("cache", "--prune", "--json", *FAKE).out)
    assert (done["removed"], held(curate)) == (4, {"fake/1": 3})
    assert curate("cache", "--verify").code == 0


def test_prune_damaged_leaves_other_engines_alone(curate: Any, folder: Path) -> None:
    """Two recipes with two engines may share a cache."""
    fill(folder, "old/0", range(3))
    damage(folder, 0)
    assert "removed 1 of 3" in curate("cache", "--prune", "damaged", *FAKE).out
    assert held(curate) == {"old/0": 2}


def test_prune_all_empties_the_cache(curate: Any, folder: Path) -> None:
    """If this fails, room on a full disk is not given back."""
    fill(folder, "fake/1", range(2000))
    done = json.loads(curate("cache", "--prune", "all", "--json", *FAKE).out)
    assert (done["removed"], done["pictures"]) == (2000, 0)
    assert done["freed"] > 50_000


def test_a_file_that_is_no_database_is_told_and_pruned(curate: Any, folder: Path) -> None:
    """If this fails, a damaged cache is shown as an empty one, or in a stack trace."""
    folder.mkdir()
    (folder / NAME).write_bytes(b"not a database, but long enough to look like one" * 100)
    for options in ((), ("--verify",)):
        answer = curate("cache", *options)
        assert (answer.code, "damaged as a whole" in answer.out) == (len(options), True)
    assert curate("cache", "--prune", "damaged").code == 0
    assert list(folder.iterdir()) == []


def test_verify_and_prune_are_two_commands(curate: Any) -> None:
    """If one of the two were silently left out, its exit code would lie."""
    assert curate("cache", "--verify", "--prune").code == 2


def test_a_dry_run_of_nothing_is_told(curate: Any) -> None:
    """Without --prune it looked as if --dry-run had been heard."""
    answer = curate("cache", "--dry-run")
    assert (answer.code, "--dry-run goes with --prune" in answer.err) == (2, True)


def test_a_cache_that_is_a_file_is_told(curate: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`holds no readings yet` promises that there will be some."""
    (tmp_path / "file").write_text("", "utf-8")
    monkeypatch.setenv("CURATE_CACHE", str(tmp_path / "file"))
    answer = curate("cache")
    assert (answer.code, "is not a folder" in answer.err) == (2, True)
