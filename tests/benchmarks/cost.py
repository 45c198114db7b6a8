"""What a program costs: it runs in a process group of its own, and peers in environments of their own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
CURATE = [sys.executable, "-m", "curate.cli.main"]
"""The command line, as this tree has it."""


@dataclass
class Cost:
    """What a process tree took: seconds of the wall clock, of all processors; MiB of one process and of the tree."""

    wall: float
    processor: float
    largest: float
    tree: float
    out: str
    """What it said, on stdout and stderr."""


class _Memory(threading.Thread):
    """Notes the memory of a process group: the largest process, and the largest sum of proportional set sizes."""

    def __init__(self, group: int) -> None:
        super().__init__(daemon=True)
        self.group = group
        self.largest = self.tree = 0
        self.done = threading.Event()

    def run(self) -> None:
        while not self.done.wait(0.05):
            group = [path for path in Path("/proc").glob("[0-9]*") if self._is_member(path)]
            self.largest = max([self.largest, *(_kibibytes(path / "status", "VmHWM") for path in group)])
            self.tree = max(self.tree, sum(_kibibytes(path / "smaps_rollup", "Pss") for path in group))

    def _is_member(self, process: Path) -> bool:
        try:
            return os.getpgid(int(process.name)) == self.group
        except OSError:
            return False


def _kibibytes(path: Path, name: str) -> int:
    try:
        found = re.search(rf"^{name}:\s+(\d+)", path.read_text(), re.MULTILINE)
    except OSError:  # the process has ended
        return 0
    return int(found[1]) if found else 0


def measure(command: Sequence[str], folder: Path, *, memory: bool = True, **environment: str) -> Cost:
    """Run a command in a folder and in a process group of its own.

    Args:
        command: Program and arguments.
        folder: Where it runs.
        memory: Whether its memory is looked at, which takes some of the processors' time.
        environment: Variables beside those of this process.
    """
    log = folder / "log.txt"
    began = time.monotonic()
    with open(log, "w", encoding="utf-8") as stream:
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdout=stream,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
            start_new_session=True,
        )
        watch = _Memory(process.pid)
        if memory:
            watch.start()
        _, status, used = os.wait4(process.pid, 0)
    process.returncode = code = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - began
    if memory:
        watch.done.set()
        watch.join()
    out = log.read_text("utf-8", "replace")
    if code:
        raise SystemExit(f"{' '.join(command)[:300]} ended with {code}:\n{out[-3000:]}")
    return Cost(wall, used.ru_utime + used.ru_stime, watch.largest / 1024, watch.tree / 1024, out)


def environment(name: str, pins: Sequence[str]) -> Path:
    """The environment of a peer, made by its pins where it is missing, and kept for the next time."""
    cache = Path(os.environ.get("CURATE_CONFORMANCE", "~/.cache/curate-conformance")).expanduser()
    folder = cache / (f"{name}-" + "-".join(pins).replace("==", "_"))
    if not (folder / "ready").exists():
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([str(folder / "bin" / "pip"), "install", "-q", *pins], check=True)
        (folder / "ready").touch()
    return folder
