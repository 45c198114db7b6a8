"""What processes of the cache's tests do; importable by name, so that spawned processes find it."""

from __future__ import annotations

import hashlib
import time
from multiprocessing.synchronize import Event
from pathlib import Path

from curate.ocr.cache import Reading, ReadingCache
from curate.ocr.claims import Claims
from curate.records import Line


def sha(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def reading(text: str) -> Reading:
    return Reading(10, 20, (Line(text, 0.5, (0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0)),))


def fill(folder: str, worker: int) -> None:
    cache = ReadingCache(Path(folder))
    for number in range(25):
        cache.put([(sha(worker * 1000 + number), reading(str(number)))], "e")
    cache.close()


def fill_for_ever(folder: str) -> None:
    cache, number = ReadingCache(Path(folder)), 0
    while True:
        cache.put([(sha(number + step), reading("x" * 500)) for step in range(10)], "e")
        number += 10


def hold_claim(folder: str, ready: Event) -> None:
    """Hold the claim on picture 1 until killed."""
    claims = Claims(Path(folder), "engine")
    claims.wait(sha(1))
    ready.set()
    time.sleep(600)
