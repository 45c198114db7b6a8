"""How fast, and in how much memory? `curate diff` against datacompy's pandas comparison of the same two tables.

    python -m tests.benchmarks.diff [--rows 1000000] [--rounds 1]

Each program is a whole process, one after the other in one run, from two Parquet files: `curate diff A B --key id` with
its JSON and HTML reports, and datacompy 1.1's `PandasCompare` joined on `id` with its text report, in an environment of
its own, made once under `CURATE_CONFORMANCE` (default `~/.cache/curate-conformance`). What both found is held against
what was planted. Seconds are of the wall clock and of all processors together; memory is the largest resident set.

Measured on two shared cores, 1,000,000 x 1,000,000 rows, one round: datacompy 54.9 s (56.5 processor s, 3,675 MiB),
`curate diff` 12.2 s (17.6 processor s, 838 MiB): 4.5 times as fast, in 0.23 of the memory. The aim of 8 times is not
reached. Where about 16 processor seconds go (times are noisy): surveying both files 4.7, reading changed rows again
3.4, comparing 50,000 of them 2.3, distributions 1.4, imports 1.1, pairing 0.9, hashing both files 0.5, leaks 0.5, the
two reports 0.2.

What was tried besides: keeping the changed rows of B while B is surveyed (saves 1.7 processor s of reading, costs 0.5
and, at 1,049 MiB for the scans alone, the memory bar); reading changed rows with Polars instead of Arrow (0.3 s less a
file, but taken rows hold on to the pages they came from); whole files scanned at once (973 MiB; by row groups 891);
Arrow's `read_dictionary` (not there for nested columns read in batches). Weighing numbers beside comparing instead of
beside reading is in: 1.3 processor s that were added since cost no time on the wall. Looking for leaks on two threads is
not: it took 150 MiB more. `--fast`, which reads nothing twice and compares nothing, is 6 times as fast: what is left for
8 times is the survey itself, whose hashes cost nearly what decoding both files costs.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.cost import Cost, environment, measure
from tests.benchmarks.figures import Bar, Figure

PINS = ("datacompy==1.1.0", "pandas==3.0.6", "pyarrow==26.0.1")

PEER = """
import sys
import pandas as pd
from datacompy import PandasCompare
a, b = (pd.read_parquet(name) for name in sys.argv[1:3])
found = PandasCompare(a, b, join_columns="id")
open(sys.argv[3], "w").write(found.report())
changed = (~found.intersect_rows[[c for c in found.intersect_rows if c.endswith("_match")]].all(axis=1)).sum()
print(len(found.df1_unq_rows), len(found.df2_unq_rows), int(changed))
"""


def run_curate(folder: Path, planted: dict[str, int], *options: str) -> Cost:
    """The command; what it found must be what was planted."""
    reports = ("--report", "report.json", "--report", "report.html")
    command = [sys.executable, "-m", "curate.cli.main", "diff", "a.parquet", "b.parquet", "--key", "id"]
    cost = measure([*command, *reports, "-q", *options], folder)
    rows = json.loads((folder / "report.json").read_bytes())["rows"]
    for name in ("removed", "added", "changed"):
        assert rows[name] == planted[name], (name, rows[name], planted[name])
    return cost


def run_peer(folder: Path, planted: dict[str, int]) -> Cost:
    """Datacompy on the same files."""
    cost = measure(
        [str(environment("diff", PINS) / "bin" / "python"), "-c", PEER, "a.parquet", "b.parquet", "peer.txt"],
        folder,
        PYTHONPATH="",
    )
    found = [int(word) for word in cost.out.split()[-3:]]
    assert found == [planted["removed"], planted["added"], planted["changed"]], found
    return cost


def make(folder: Path, rows: int) -> dict[str, int]:
    """Write the tables, in a process of its own: Linux counts the memory of a parent as its children's largest."""
    program = "import json, pathlib, sys; from tests.benchmarks.diff_data import write; "
    program += "print(json.dumps(write(pathlib.Path(sys.argv[1]), int(sys.argv[2]))))"
    found: dict[str, int] = json.loads(measure([sys.executable, "-c", program, str(folder), str(rows)], folder).out)
    return found


def figures(rounds: int, quick: bool) -> list[Figure]:
    """Rows for the table of all benchmarks."""
    rows = 50_000 if quick else 1_000_000
    with tempfile.TemporaryDirectory(prefix="diff-") as name:
        folder = Path(name)
        planted = make(folder, rows)
        turns = [
            (run_peer(folder, planted), run_curate(folder, planted), run_curate(folder, planted, "--fast"))
            for _ in range(rounds)
        ]
    peers, whole, fast = zip(*turns, strict=True)
    peer = f"datacompy {PINS[0].partition('==')[2]}, pandas"
    found = []
    for what, costs in (("`curate diff`", whole), ("`curate diff --fast`", fast)):
        for unit, of, times in (("s", "wall", 8), ("CPU s", "processor", None), ("MiB", "largest", 4)):
            values, beside = ([getattr(cost, of) for cost in side] for side in (costs, peers))
            bar = Bar("ratio", ">=", times) if times and costs is whole else None
            name = f"{what}: {rows:,} by {rows:,} rows"
            found.append(Figure(name, unit, values, peer, beside, bar=bar, headline=costs is whole))
    return found


def main() -> None:
    """Measure and print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    environment("diff", PINS)
    folder = Path(tempfile.mkdtemp(prefix="diff-"))
    try:
        planted = make(folder, options.rows)
        print(f"{options.rows:,} x {options.rows:,} rows, 8 columns; planted {planted}", flush=True)
        print("\n| | wall s | times | processor s | times | MiB | share |\n|---|--:|--:|--:|--:|--:|--:|")
        for _ in range(options.rounds):
            ours, fast = run_curate(folder, planted), run_curate(folder, planted, "--fast")
            peer = run_peer(folder, planted)
            for name, cost in (("datacompy, pandas", peer), ("curate diff", ours), ("curate diff --fast", fast)):
                times = f"{cost.wall:.1f} | {peer.wall / cost.wall:.1f} | {cost.processor:.1f} | "
                times += f"{peer.processor / cost.processor:.1f}"
                print(f"| {name} | {times} | {cost.largest:,.0f} | {cost.largest / peer.largest:.2f} |", flush=True)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
