"""What is paid before anything is done: help, plan, a finished run that is checked again, a killed run that goes on.

    python -m tests.benchmarks --only start

The peers: Data-Juicer's `--help`, and for runs the same run done from the beginning.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from tests.benchmarks.cost import CURATE, ROOT, Cost, environment, measure
from tests.benchmarks.denoise import PINS
from tests.benchmarks.figures import Bar, Figure
from tests.benchmarks.growth import write_source

_TIMES = 7
"""A start of a tenth of a second is disturbed by anything: of so many in a row the least is taken."""


def figures(rounds: int, quick: bool) -> list[Figure]:
    """Rows for the table of all benchmarks."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        return [*_starts(folder, rounds), *_finished(folder, rounds, 5_000 if quick else 100_000)]


def _least(command: list[str], folder: Path, **variables: str) -> Cost:
    costs = [measure(command, folder, memory=False, **variables) for _ in range(_TIMES)]
    return min(costs, key=lambda one: one.processor)


def _starts(folder: Path, rounds: int) -> list[Figure]:
    juicer = [str(environment("denoise", PINS) / "bin" / "dj-process"), "--help"]
    helps, plans, peers = [], [], []
    for _ in range(rounds):
        helps.append(_least([*CURATE, "--help"], folder))
        plans.append(_least([*CURATE, "run", "demo", "--dry-run"], folder))
        peers.append(measure(juicer, folder, memory=False, PYTHONPATH=""))
    peer = f"`dj-process --help` of Data-Juicer {PINS[0].partition('==')[2]}"
    found = []
    for unit, of in (("CPU ms", "processor"), ("ms", "wall")):
        values, beside = ([1000 * getattr(one, of) for one in side] for side in (helps, peers))
        bar = Bar("figure", "<=", 150)
        found.append(Figure("`curate --help`", unit, values, peer, beside, bar=bar, headline=True))
    return [*found, Figure("`curate run demo --dry-run`", "s", [one.wall for one in plans], headline=True)]


def _finished(folder: Path, rounds: int, records: int) -> list[Figure]:
    """A run of ingest and denoise: whole, checked again, and killed half-way and continued."""
    write_source(folder / "in.json", records)
    command = [*CURATE, "denoise", "in.json", "out", "-q"]
    whole, again, killed = [], [], []
    for _ in range(rounds):
        shutil.rmtree(folder / "out", ignore_errors=True)
        whole.append(measure(command, folder, memory=False).wall)
        again.append(min(measure(command, folder, memory=False).wall for _ in range(3)))
        shards = len(list((folder / "out").glob("01-*/rows/*.parquet")))
        shutil.rmtree(folder / "out")
        spent = _killed(command, folder, shards // 2)
        killed.append(spent + measure(command, folder, memory=False).wall)
    what = f"run of {records:,} records"
    return [
        Figure(
            f"finished {what}, checked again",
            "s",
            again,
            "the run from the beginning",
            whole,
            bar=Bar("figure", "<=", 2),
            headline=True,
        ),
        Figure(
            f"{what}, killed in the middle of its last step and continued",
            "s",
            killed,
            "the run without a kill",
            whole,
            headline=True,
        ),
    ]


def _killed(command: list[str], folder: Path, shards: int) -> float:
    """Run until so many shards of the last step are written, then kill everything; give the seconds."""
    began = time.monotonic()
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    while process.poll() is None and len(list((folder / "out").glob("01-*/rows/part-*.parquet"))) < shards:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    if process.wait() != -signal.SIGKILL:
        raise SystemExit(f"the run ended with {process.returncode} before it could be killed")
    return time.monotonic() - began
