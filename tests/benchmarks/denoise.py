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
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from tests.benchmarks import denoise_data
from tests.benchmarks.cost import Cost, environment, measure
from tests.benchmarks.figures import Figure

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


def run_peer(folder: Path) -> Cost:
    """Data-Juicer on the table of utterances."""
    target = folder / "peer"
    shutil.rmtree(target, ignore_errors=True)
    config = folder / "peer.yaml"
    config.write_text(CONFIG.format(source=folder / "texts.parquet", target=target / "out.parquet"))
    command = [str(environment("denoise", PINS) / "bin" / "dj-process"), "--config", str(config)]
    return measure(command, folder, PIP_NO_INDEX="1", UV_OFFLINE="1", PYTHONPATH="")


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
    return measure(command, folder)


def run_stage(folder: Path, options: dict[str, Any]) -> Cost:
    """The stage alone, in one process."""
    out = folder / "stage"
    shutil.rmtree(out, ignore_errors=True)
    rows = next((folder / "data").glob("00-*/rows"))
    command = [sys.executable, "-m", "tests.benchmarks.denoise_stage", str(rows), str(out), json.dumps(options)]
    return measure(command, folder)


def prepare(folder: Path, utterances: int, repeats: bool) -> None:
    """Write the texts, and read them into a dataset of curate."""
    folder.mkdir()
    denoise_data.write(folder, utterances, repeats)
    command = [sys.executable, "-m", "curate.cli.main", "ingest", str(folder / "chats.jsonl"), str(folder / "data")]
    measure([*command, "--set", f"input.shard_rows={SHARD_ROWS}", "--quiet"], folder)


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


def figures(rounds: int, quick: bool) -> list[Figure]:
    """Rows for the table of all benchmarks: the command beside Data-Juicer, on texts that repeat and on such that do not."""
    found: list[Figure] = []
    utterances = 20_000 if quick else 200_000
    for name, repeats in (("many repeats", True), ("no text twice", False)):
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place) / "texts"
            prepare(folder, utterances, repeats)
            turns = [(run_peer(folder), run_curate(folder, EQUAL), run_curate(folder, ALL)) for _ in range(rounds)]
        peers, equal, every = zip(*turns, strict=True)
        what, peer = f"{utterances:,} utterances, {name}", f"Data-Juicer {PINS[0].partition('==')[2]}, five operators"
        for rules, costs in (("equal rules", equal), ("all rules", every)):
            for unit, of in (("s", "wall"), ("CPU s", "processor"), ("MiB of all processes", "tree")):
                values, beside = ([getattr(cost, of) for cost in side] for side in (costs, peers))
                title = f"`curate denoise`, {rules}: {what}"
                found.append(
                    Figure(title, unit, values, peer, beside, headline=of == "processor" or (of == "tree" and repeats))
                )
    return found


def main() -> None:
    """Measure and print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--utterances", type=int, default=400_000)
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    environment("denoise", PINS)
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
