"""The cache of readings: shared, compact, never in the way."""

from __future__ import annotations

import multiprocessing
import sqlite3
import time
from pathlib import Path

from cache_writers import fill, fill_for_ever, reading, sha
from hypothesis import given
from hypothesis import strategies as st

from curate.ocr.cache import NAME, Reading, ReadingCache, _pack, _unpack
from curate.records import Line

numbers = st.floats(0, 10_000).map(lambda value: round(value, 1))
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
lines = st.builds(Line, texts, st.floats(0, 1).map(lambda value: round(value, 4)), st.tuples(*[numbers] * 8))


@given(st.lists(lines, max_size=5))
def test_a_reading_comes_back_as_it_was(found: list[Line]) -> None:
    """If this fails, a resumed run writes other bytes than one without a cache."""
    kept = Reading(1, 2, tuple(found))
    assert _unpack(_pack(kept)) == kept


def test_an_engine_sees_its_own_readings_only(tmp_path: Path) -> None:
    """If this fails, a new engine gives the old one's text."""
    cache = ReadingCache(tmp_path)
    cache.put([(sha(1), reading("old"))], "engine 1")
    assert cache.get(sha(1), "engine 1") == reading("old")
    assert cache.get(sha(1), "engine 2") is None


def test_a_damaged_entry_is_read_again_and_swept_out(tmp_path: Path) -> None:
    """If this fails, one flipped bit stops a run or puts rubbish into the data."""
    cache = ReadingCache(tmp_path)
    cache.put([(sha(1), reading("good")), (sha(2), reading("bad"))], "e")
    with sqlite3.connect(tmp_path / NAME) as other:
        other.execute("UPDATE reading SET value = x'00' WHERE picture = ?", (bytes.fromhex(sha(2)),))
    assert cache.get(sha(2), "e") is None
    assert (cache.verify(), cache.holdings()[0].pictures) == (1, 1)


def test_a_file_that_is_no_database_is_set_aside(tmp_path: Path) -> None:
    """If this fails, a damaged cache file stops every run until somebody deletes it."""
    (tmp_path / NAME).write_bytes(b"not a database, but long enough to look like one" * 100)
    cache = ReadingCache(tmp_path)
    cache.put([(sha(1), reading("text"))], "e")
    assert cache.get(sha(1), "e") == reading("text")


def test_a_folder_that_cannot_be_made_switches_the_cache_off(tmp_path: Path) -> None:
    """If this fails, a read-only home folder stops the run."""
    (tmp_path / "file").write_text("in the way")
    cache = ReadingCache(tmp_path / "file" / "cache")
    cache.put([(sha(1), reading("text"))], "e")
    assert cache.get(sha(1), "e") is None


def test_pruning_keeps_the_engine_in_use(tmp_path: Path) -> None:
    """If this fails, `curate cache` cannot free the room that old engines take, or frees too much."""
    cache = ReadingCache(tmp_path)
    cache.put([(sha(n), reading("a")) for n in range(3)], "old")
    cache.put([(sha(1), reading("b"))], "new")
    assert cache.prune(keep="new") == 3
    assert [(held.signature, held.pictures) for held in cache.holdings()] == [("new", 1)]
    assert cache.prune(older_than=-10) == 1


def test_processes_write_at_the_same_time(tmp_path: Path) -> None:
    """If this fails, readings are lost or a worker dies when several write."""
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=fill, args=(str(tmp_path), worker)) for worker in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert ReadingCache(tmp_path).holdings()[0].pictures == 75


def test_a_killed_process_leaves_a_sound_cache(tmp_path: Path) -> None:
    """If this fails, kill -9 in the middle of a run loses what was read, or breaks the next run."""
    worker = multiprocessing.get_context("spawn").Process(target=fill_for_ever, args=(str(tmp_path),))
    worker.start()
    cache = ReadingCache(tmp_path)
    deadline = time.monotonic() + 60
    while not any(held.pictures >= 100 for held in cache.holdings()):
        assert worker.is_alive() and time.monotonic() < deadline
        time.sleep(0.05)
    worker.kill()
    worker.join()
    after = ReadingCache(tmp_path)
    assert after.verify() == 0
    assert after.holdings()[0].pictures % 10 == 0
    after.put([(sha(-1), reading("next run"))], "e")
    assert after.get(sha(-1), "e") == reading("next run")
