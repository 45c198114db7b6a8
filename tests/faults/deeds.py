"""The faults. Each takes the workload, a folder and a random source, does one thing, and says what is wrong after it."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from tests.faults.workload import Workload, contents

Deed = Callable[[Workload, Path, random.Random], str]

CLOCK = """
import random, time
real = time.time
shift = random.Random().uniform(-400, 400) * 86400
time.time = lambda: real() + shift * (1 if int(real() * 3) % 2 else -1)
time.time_ns = lambda: int(time.time() * 1e9)
"""
"""Put into a run as `sitecustomize`: three times a second the clock jumps by up to two years."""

SMALL_DISK = """
set -u
mkdir -p {disk} && mount -t tmpfs -o size={small} tmpfs {disk} || exit 77
{command} >> {disk}.log 2>&1; first=$?
mount -o remount,size=256m {disk}
{command} >> {disk}.log 2>&1; second=$?
cp -r {disk}/out {copy}
echo $first $second
"""
READ_ONLY = """
set -u
mkdir -p {disk} && mount -t tmpfs tmpfs {disk} && mount -o remount,ro {disk} || exit 77
{command} >> {disk}.log 2>&1
echo $?
"""


def killed(workload: Workload, out: Path, chance: random.Random) -> str:
    """Kill -9 the run at a random moment, and run it again until it is done; `KILLS` counts."""
    process = workload.start(out)
    try:
        process.wait(chance.uniform(0.3, 6.0))
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        KILLS.append(1)
    return ""


KILLS: list[int] = []
"""One for each run that was really at work when it was killed."""


def worker_segfault(workload: Workload, out: Path, chance: random.Random) -> str:
    """Send SIGSEGV to a worker at a random moment."""
    process = workload.start(out)
    time.sleep(chance.uniform(1.0, 4.0))
    workers = _children(process.pid)
    if workers:
        os.kill(chance.choice(workers), signal.SIGSEGV)
    process.wait()
    return workload.finish(out)


def _children(parent: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        command = stat.parent / "cmdline"
        if int(fields[1]) == parent and command.exists() and b"spawn_main" in command.read_bytes():
            found.append(int(stat.parent.name))
    return found


def corrupted_shard(workload: Workload, out: Path, chance: random.Random) -> str:
    """Flip a byte of a shard, ledger or export of a finished run; running again makes it whole."""
    shutil.copytree(workload.folder / "calm", out)
    victim = chance.choice(sorted(path for path in out.rglob("*.parquet") if "exports" not in path.parts))
    return _flip(victim, chance) or workload.finish(out)


def corrupted_cache(workload: Workload, out: Path, chance: random.Random) -> str:
    """Flip a byte of the cache of readings; a new run reads again and comes to the same."""
    files = sorted(path for path in workload.cache.rglob("*") if path.is_file() and path.stat().st_size)
    return _flip(chance.choice(files), chance) or workload.finish(out)


def _flip(victim: Path, chance: random.Random) -> str:
    data = bytearray(victim.read_bytes())
    place = chance.randrange(len(data))
    data[place] ^= 1 << chance.randrange(8)
    victim.write_bytes(data)
    return ""


def jumping_clock(workload: Workload, out: Path, chance: random.Random) -> str:
    """The clock jumps by years while the run works; then every file is from another century."""
    site = out.with_suffix(".site")
    site.mkdir()
    (site / "sitecustomize.py").write_text(CLOCK, "utf-8")
    process = workload.start(out, PYTHONPATH=f"{site}:{os.environ.get('PYTHONPATH', '')}:{Path(__file__).parents[2]}")
    try:
        process.wait(chance.uniform(1.0, 5.0))
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for path in out.rglob("*"):
        moment = chance.uniform(0, 4e9)
        os.utime(path, (moment, moment))
    return workload.finish(out)


def two_runs(workload: Workload, out: Path, chance: random.Random) -> str:
    """Start a run twice in one folder; the second is refused with a clear line, the first is not disturbed."""
    first = workload.start(out)
    while not (out / "run.json").exists():
        time.sleep(0.02)
    log = Path(f"{out}.second")
    with open(log, "wb") as told:
        second = subprocess.run(workload.command(out), stdout=told, stderr=subprocess.STDOUT, check=False)
    if second.returncode != 2 or "another run of curate works in" not in log.read_text("utf-8"):
        return f"the second run ended with {second.returncode}: {log.read_text('utf-8')[-200:]}"
    return f"the first run ended with {first.returncode}" if first.wait() else workload.finish(out)


def full_disk(workload: Workload, out: Path, chance: random.Random) -> str:
    """A disk that is full in the middle: exit code 2 and a clear line; with more room the same command goes on."""
    disk, copy = out.with_suffix(".disk"), out
    command = " ".join(workload.command(disk / "out"))
    script = SMALL_DISK.format(disk=disk, copy=copy, command=command, small=f"{chance.randrange(200, 3000)}k")
    answer = _apart(script, workload)
    if answer is None:
        return NOT_HERE
    if answer not in ("2 0", "0 0"):
        return f"exit codes {answer}: {Path(f'{disk}.log').read_text('utf-8')[-300:]}"
    if answer == "2 0" and "the disk is full" not in Path(f"{disk}.log").read_text("utf-8"):
        return "nobody said that the disk is full"
    return "" if contents(copy) == workload.calm else "files differ"


def read_only_disk(workload: Workload, out: Path, chance: random.Random) -> str:
    """An output that cannot be written: exit code 2 and a clear line."""
    disk = out.with_suffix(".disk")
    answer = _apart(READ_ONLY.format(disk=disk, command=" ".join(workload.command(disk / "out"))), workload)
    if answer is None:
        return NOT_HERE
    told = Path(f"{disk}.log").read_text("utf-8")
    return "" if answer == "2" and "Read-only file system" in told else f"exit code {answer}: {told[-200:]}"


NOT_HERE = "cannot be done here: no mount in a name space of its own"


def _apart(script: str, workload: Workload) -> str | None:
    """Run a script that mounts disks, in a name space that ends with it; None where the system forbids that."""
    if shutil.which("unshare") is None:
        return None
    told = {"PYTHONPATH": str(Path(__file__).parents[2]), "CURATE_CACHE": str(workload.cache)}
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **told},
    )
    return None if done.returncode in (1, 77) and not done.stdout.strip() else done.stdout.strip()


def small_memory(workload: Workload, out: Path, chance: random.Random) -> str:
    """Workers that may hold next to nothing: the run stops and says so, or sets rows aside; with more it comes out."""
    code = workload.start(out, "--set", "memory_limit=256", "--set", "max_failed=1000").wait()
    if code not in (0, 1):
        told = Path(f"{out}.log").read_text("utf-8")
        if "memory_limit" not in told:
            return f"exit code {code}: {told[-300:]}"
    return workload.finish(out)
