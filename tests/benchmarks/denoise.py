"""How fast, and in how much memory? `curate denoise` against the nearest operators of Data-Juicer on the same texts.

    python -m tests.benchmarks.denoise [--utterances 400000] [--rounds 1]

Each program runs as a whole process tree of its own, two worker processes each, from Parquet to Parquet, one after the
other in one run: Data-Juicer's `dj-process` on a table of utterances (`clean_links_mapper`, `clean_email_mapper`,
`whitespace_normalization_mapper`, `remove_specific_chars_mapper`, `text_length_filter`), and the command
`curate denoise DATASET OUT` on the same utterances as dialogues, with the same five rules (`denoise_equal.yaml`) and
with all rules of zh-ecommerce. What is timed of curate holds everything that the engine does beside the rules: reading
the dataset in, checking every record, hashes, ledger, checksums, fsync. `stage` is the same stage over the same shards
in one process through the engine's `run_shard`, without the start of the command, the copy that ingest makes and the
pool of processes; its imports are counted.

Data-Juicer lives in an environment of its own, made once under `CURATE_CONFORMANCE` (default
`~/.cache/curate-conformance`); it wants to install packages while it runs, which it may not.

Seconds are of the wall clock and of all processors together; memory is the largest resident set of any one process, and
the largest sum of proportional set sizes of the whole tree (pages that processes share are counted once).
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from tests.benchmarks import denoise_data

ROOT = Path(__file__).parents[2]
PINS = ("py-data-juicer==1.6.1", "aiohttp==3.14.5", "ray==2.60.0", "torch==2.13.0")
SHARD_ROWS = 3072
_LINK = re.compile(r"https?://|www\.", re.IGNORECASE)

CONFIG = """
project_name: peer
dataset_path: {source}
export_path: {target}
np: 2
use_cache: false
open_tracer: false
open_monitor: false
turbo: true
process:
  - clean_links_mapper: {{}}
  - clean_email_mapper: {{}}
  - whitespace_normalization_mapper: {{}}
  - remove_specific_chars_mapper: {{}}
  - text_length_filter: {{min_len: 4, max_len: 1000}}
"""


@dataclass
class Cost:
    """What a process tree took: seconds of wall clock, of all processors; MiB of one process and of the tree."""

    wall: float
    processor: float
    largest: float
    tree: float


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


def measure(command: list[str], folder: Path, **environment: str) -> Cost:
    """Run a command in a process group of its own."""
    began = time.monotonic()
    with open(folder / "log.txt", "w", encoding="utf-8") as log:
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment},
            start_new_session=True,
        )
        memory = _Memory(process.pid)
        memory.start()
        _, status, used = os.wait4(process.pid, 0)
    process.returncode = code = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - began
    memory.done.set()
    memory.join()
    if code:
        raise SystemExit(f"{' '.join(command)} ended with {code}:\n{(folder / 'log.txt').read_text()[-3000:]}")
    return Cost(wall, used.ru_utime + used.ru_stime, memory.largest / 1024, memory.tree / 1024)


def peer_environment() -> Path:
    """The environment of Data-Juicer; made where it is missing."""
    cache = Path(os.environ.get("CURATE_CONFORMANCE", "~/.cache/curate-conformance")).expanduser()
    folder = cache / ("denoise-" + "-".join(PINS).replace("==", "_"))
    if not (folder / "ready").exists():
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([str(folder / "bin" / "pip"), "install", "-q", *PINS], check=True)
        (folder / "ready").touch()
    return folder


def run_peer(folder: Path) -> Cost:
    """Data-Juicer on the table of utterances."""
    target = folder / "peer"
    shutil.rmtree(target, ignore_errors=True)
    config = folder / "peer.yaml"
    config.write_text(CONFIG.format(source=folder / "texts.parquet", target=target / "out.parquet"))
    command = [str(peer_environment() / "bin" / "dj-process"), "--config", str(config)]
    return measure(command, folder, PIP_NO_INDEX="1", UV_OFFLINE="1")


ALL: dict[str, Any] = {"rules": "zh-ecommerce"}
EQUAL: dict[str, Any] = {"rules": str(Path(__file__).parent / "denoise_equal.yaml"), "unit": "char", "min_words": 4}
"""Options of the stage; `text_length_filter` drops what has fewer than four characters."""


def run_curate(folder: Path, options: dict[str, Any]) -> Cost:
    """The command on the dataset."""
    out = folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    command = [sys.executable, "-m", "curate.cli.main", "denoise", str(folder / "data"), str(out)]
    command += [part for name, value in options.items() for part in ("--set", f"{name}={value}")]
    command += ["--workers", "2", "--set", f"input.shard_rows={SHARD_ROWS}", "--quiet"]
    return measure(command, folder, PYTHONPATH=str(ROOT))


def run_stage(folder: Path, options: dict[str, Any]) -> Cost:
    """The stage alone, in one process."""
    out = folder / "stage"
    shutil.rmtree(out, ignore_errors=True)
    rows = next((folder / "data").glob("00-*/rows"))
    command = [sys.executable, "-m", "tests.benchmarks.denoise_stage", str(rows), str(out), json.dumps(options)]
    return measure(command, folder, PYTHONPATH=str(ROOT))


def prepare(folder: Path, utterances: int, repeats: bool) -> None:
    """Write the texts, and read them into a dataset of curate."""
    folder.mkdir()
    denoise_data.write(folder, utterances, repeats)
    command = [sys.executable, "-m", "curate.cli.main", "ingest", str(folder / "chats.jsonl"), str(folder / "data")]
    measure([*command, "--set", f"input.shard_rows={SHARD_ROWS}", "--quiet"], folder, PYTHONPATH=str(ROOT))


def links(folder: Path) -> dict[str, str]:
    """How many records still have a link, and in how many what stood behind the link was eaten; of both programs."""
    source = pq.read_table(folder / "texts.parquet")
    had = {row["id"]: row["text"] for row in source.to_pylist() if _LINK.search(row["text"])}
    peer = {row["id"]: row["text"] for row in pq.read_table(folder / "peer" / "out.parquet").to_pylist()}
    left = sum(bool(_LINK.search(peer.get(name, ""))) for name in had)
    eaten = sum(denoise_data.TAIL not in peer.get(name, "") for name in had)
    told = {"Data-Juicer": f"{left:,} of {len(had):,} still have a link, {eaten:,} lost what stood behind it"}
    left = tails = 0
    for file in sorted((folder / "out").glob("01-*/rows/*.parquet")):
        for turns in pq.read_table(file, columns=["turns"])["turns"].to_pylist():
            text = "\n".join(turn["text"] for turn in turns)
            left += len(_LINK.findall(text))
            tails += text.count(denoise_data.TAIL)
    told["curate"] = f"{left:,} of {len(had):,} still have a link, {len(had) - tails:,} lost what stood behind it"
    return told


def main() -> None:
    """Measure and print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--utterances", type=int, default=400_000)
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    peer_environment()
    folder = Path(tempfile.mkdtemp(prefix="denoise-"))
    try:
        print(f"{options.utterances:,} utterances; Data-Juicer {PINS[0].partition('==')[2]}, two processes each")
        for name, repeats in (("many repeats", True), ("no text twice", False)):
            prepare(folder / name.replace(" ", "-"), options.utterances, repeats)
            _table(folder / name.replace(" ", "-"), name, options.rounds)
    finally:
        shutil.rmtree(folder)


def _table(folder: Path, name: str, rounds: int) -> None:
    print(f"\n| {name} | wall s | times | processor s | times | MiB of one | share | MiB of all | share |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|--:|")
    for _ in range(rounds):
        peer = run_peer(folder)
        _row("Data-Juicer, 5 operators", peer, peer)
        _row("curate denoise, equal rules", run_curate(folder, EQUAL), peer)
        told = links(folder)
        _row("curate denoise, all rules", run_curate(folder, ALL), peer)
        _row("stage, equal rules", run_stage(folder, EQUAL), peer)
        _row("stage, all rules", run_stage(folder, ALL), peer)
    print("\nlinks: " + json.dumps(told, ensure_ascii=False), flush=True)


def _row(what: str, cost: Cost, peer: Cost) -> None:
    ratios = f"{peer.wall / cost.wall:.1f} | {cost.processor:.1f} | {peer.processor / cost.processor:.1f}"
    memory = f"{cost.largest:,.0f} | {cost.largest / peer.largest:.2f} | {cost.tree:,.0f} | {cost.tree / peer.tree:.2f}"
    print(f"| {what} | {cost.wall:.1f} | {ratios} | {memory} |", flush=True)


if __name__ == "__main__":
    main()
