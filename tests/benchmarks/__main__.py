"""All side-by-side measurements with one command; one JSON file and one Markdown table come out.

    python -m tests.benchmarks [--only NAME] [--quick] [--rounds N] [--readme]

Each benchmark runs curate and its peers in turn, round by round, so that both meet the same machine. What is measured
again takes the place of what stood in the results; the rest stays as it was. Peers live in environments of their own
below `CURATE_CONFORMANCE`, made on the first call.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from curate.dataset.files import write_bytes
from tests.benchmarks import report

BENCHMARKS = {
    "start": "what is paid before the first row, and when a run goes on",
    "demo": "the whole way, with and without the cache",
    "ocr": "reading pages, beside RapidOCR and PaddleOCR",
    "denoise": "cleaning dialogues, beside Data-Juicer",
    "diff": "comparing datasets, beside datacompy",
    "augment": "copies of texts and pictures, beside albumentations",
    "infer": "asking a server, beside bare sockets",
    "growth": "a thousand to a million records",
}
"""Names of modules of this package, in the order of the table; each has `figures(rounds, quick)`."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what was asked for and write the results."""
    names = "\n".join(f"  {name:<10}{what}" for name, what in BENCHMARKS.items())
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks",
        description=__doc__,
        epilog=f"benchmarks:\n{names}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", action="append", choices=list(BENCHMARKS), help="one benchmark; repeat for more")
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that everything runs")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured  [default: 3]")
    parser.add_argument("--out", type=Path, default=report.RESULTS, help="folder of the results")
    parser.add_argument("--readme", action="store_true", help="write the README's table from the results")
    parser.add_argument("--no-measuring", action="store_true", help="only write tables from results that are there")
    options = parser.parse_args(arguments)
    if options.rounds < 1:
        parser.error("--rounds must be at least 1")
    results = report.read(options.out)
    for name in () if options.no_measuring else options.only or BENCHMARKS:
        results["benchmarks"][name] = _measured(name, options.rounds, options.quick)
        results["benchmarks"] = {one: results["benchmarks"][one] for one in BENCHMARKS if one in results["benchmarks"]}
        report.write(options.out, results)
    report.write(options.out, results)
    print(report.tables(results))
    if options.readme:
        write_bytes(report.README, report.renewed(report.README.read_text("utf-8"), results).encode())


def _measured(name: str, rounds: int, quick: bool) -> dict[str, Any]:
    print(f"{name}: {BENCHMARKS[name]}", file=sys.stderr, flush=True)
    load, began = os.getloadavg()[0], time.monotonic()
    figures = importlib.import_module(f"tests.benchmarks.{name}").figures(rounds, quick)
    return {
        "rounds": rounds,
        "quick": quick,
        "seconds": round(time.monotonic() - began, 1),
        "load": round(load, 1),
        "machine": report.machine(),
        "figures": [figure.as_dict() for figure in figures],
    }


if __name__ == "__main__":
    main()
