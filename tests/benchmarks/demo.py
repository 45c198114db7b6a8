"""The whole way, `curate run demo`: every picture read, and once more with what the cache keeps.

python -m tests.benchmarks --only demo
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from tests.benchmarks.cost import CURATE, Cost, measure
from tests.benchmarks.figures import Figure


def figures(rounds: int, quick: bool) -> list[Figure]:
    """Rows for the table of all benchmarks; the demo is small, so that `quick` changes nothing but the rounds."""
    cold, warm = [], []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _run(folder, folder / "cache")
        for _ in range(1 if quick else rounds):
            cold.append(_run(folder, "off"))
            warm.append(_run(folder, folder / "cache"))
    found = []
    for unit, of in (("s", "wall"), ("CPU s", "processor")):
        without, kept = ([getattr(one, of) for one in side] for side in (cold, warm))
        found.append(Figure("`curate run demo`, no picture read before", unit, without, headline=True))
        found.append(
            Figure("`curate run demo`, all pictures in the cache", unit, kept, "the cold run", without, headline=True)
        )
    return [
        *found,
        Figure("`curate run demo`, no picture read before", "MiB of a process", [one.largest for one in cold]),
    ]


def _run(folder: Path, cache: Path | str) -> Cost:
    shutil.rmtree(folder / "work", ignore_errors=True)
    return measure([*CURATE, "run", "demo", "-q"], folder, CURATE_CACHE=str(cache))
