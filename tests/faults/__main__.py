"""Do everything to a run that may happen to one, and count what is lost: `python -m tests.faults [--kills 200]`."""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.faults import deeds
from tests.faults.workload import Workload

TIMES: dict[str, tuple[deeds.Deed, int]] = {
    "a worker gets SIGSEGV": (deeds.worker_segfault, 20),
    "a byte of a shard flips": (deeds.corrupted_shard, 20),
    "a byte of the cache flips": (deeds.corrupted_cache, 10),
    "the clock jumps": (deeds.jumping_clock, 5),
    "two runs in one folder": (deeds.two_runs, 3),
    "the disk is full": (deeds.full_disk, 10),
    "the output is read-only": (deeds.read_only_disk, 1),
    "workers may hold next to nothing": (deeds.small_memory, 1),
}


def main() -> int:
    """Do it, print a table, give the exit code: 1 where anything was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="how often a run at work is killed")
    parser.add_argument("--share", type=float, default=1.0, help="how much of the other faults is done")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="write the counts here")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="faults-"))
    began = time.monotonic()
    try:
        counts = campaign(Workload(folder), options.kills, options.share, random.Random(options.seed))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for name, count in counts.items():
        print(f"{name:34} {count['done']:>4} done  {count['wrong']:>3} wrong  {count.get('skipped', '')}")
    print(f"in {time.monotonic() - began:.0f} s")
    if options.json:
        options.json.write_text(json.dumps(counts, indent=2), "utf-8")
    return int(any(count["wrong"] for count in counts.values()))


def campaign(workload: Workload, kills: int, share: float, chance: random.Random) -> dict[str, dict[str, int | str]]:
    """All faults; give what was done and what went wrong by fault."""
    counts = {"kill -9": _killed(workload, kills, chance)}
    for name, (deed, times) in TIMES.items():
        count: dict[str, int | str] = {"done": 0, "wrong": 0}
        for number in range(max(1, round(times * share))):
            out = workload.folder / f"{deed.__name__}-{number}"
            answer = deed(workload, out, chance)
            if answer == deeds.NOT_HERE:
                count["skipped"] = answer
                break
            _count(count, name, answer)
            shutil.rmtree(out, ignore_errors=True)
        counts[name] = count
    return counts


def _killed(workload: Workload, kills: int, chance: random.Random) -> dict[str, int | str]:
    """Kill runs until enough were killed at work; whatever was killed is run to its end and compared."""
    count: dict[str, int | str] = {"done": 0, "wrong": 0, "runs": 0}
    deeds.KILLS.clear()
    while len(deeds.KILLS) < kills:
        count["runs"] = int(count["runs"]) + 1
        out = workload.folder / f"killed-{count['runs']}"
        for _ in range(chance.randrange(1, 8)):
            if len(deeds.KILLS) < kills:
                deeds.killed(workload, out, chance)
        _count(count, "kill -9", workload.finish(out))
        shutil.rmtree(out)
    count["done"] = len(deeds.KILLS)
    return count


def _count(count: dict[str, int | str], name: str, answer: str) -> None:
    count["done"] = int(count["done"]) + 1
    if answer:
        count["wrong"] = int(count["wrong"]) + 1
        print(f"{name}: {answer}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
