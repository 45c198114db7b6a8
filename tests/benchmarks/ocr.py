"""How fast and how well are pictures read, beside what people use today?

    python -m tests.benchmarks.ocr [--pages FOLDER] [--repeats N] [--only NAME,NAME]

Reads the demo's pages (or a folder of NAME.jpg with NAME.json) with each contender in a process of its own, in turn,
several times over, and prints a Markdown table. Ratios are of CPU seconds, round by round, the median of the rounds.
PaddleOCR runs in an environment of its own, which is made on the first call.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "support"))

from ocr_truth import Page, agreement, demo_pages, pages_of, total  # noqa: E402

from tests.benchmarks.figures import Figure  # noqa: E402

NAMES = ("curate", "curate f32", "rapidocr loop", "rapidocr loop, openvino", "paddleocr")
BASE = "rapidocr loop"


def measure(name: str, pages: Sequence[Page], folder: Path, models: Path | None) -> dict[str, Any]:
    """Read all pages with one contender in a new process."""
    listing, result = folder / "pages.json", folder / "result.json"
    listing.write_text(json.dumps([str(page.path) for page in pages]), "utf-8")
    python = Path(sys.executable)
    if name == "paddleocr":
        from paddle_models import paddle_python

        python = paddle_python()
    command = [python, "-m", "tests.benchmarks.ocr_contenders", name, listing, result]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        [*command, *([models] if models else [])], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(f"{name} failed:\n{done.stderr[-3000:]}")
    value: dict[str, Any] = json.loads(result.read_text("utf-8"))
    return value


def table(pages: Sequence[Page], rounds: dict[str, list[dict[str, Any]]]) -> str:
    """One line a contender; the middle of its rounds."""
    rows = [
        "| program | CPU s / image | images / s | CPU, loop = 1 | peak MiB | recall | precision | error rate |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, results in rounds.items():
        score = total([agreement(page.texts, read) for page, read in zip(pages, results[0]["texts"], strict=True)])
        cpu = statistics.median(result["cpu"] for result in results) / len(pages)
        speed = len(pages) / statistics.median(result["wall"] for result in results)
        ratios = [result["cpu"] / base["cpu"] for result, base in zip(results, rounds.get(BASE, results), strict=True)]
        rows.append(
            f"| {name} | {cpu:.2f} | {speed:.2f} | 1/{1 / statistics.median(ratios):.1f} "
            f"| {max(result['peak_mib'] for result in results):.0f} "
            f"| {score.recall:.4f} | {score.precision:.4f} | {score.error_rate:.4f} |"
        )
    return "\n".join(rows)


def compare(pages: Sequence[Page], names: Sequence[str], rounds: int) -> dict[str, list[dict[str, Any]]]:
    """Read all pages with every contender in turn, several times over."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        models = None
        if "paddleocr" in names:
            from paddle_models import paddle_models

            models = paddle_models(folder / "models")
        for number in range(rounds):
            for contender in names:
                found[contender].append(measure(contender, pages, folder, models))
                print(f"round {number + 1}: {contender}", file=sys.stderr)
    return found


def figures(rounds: int, quick: bool) -> list[Figure]:
    """Rows for the table of all benchmarks: processor time beside every peer, and how much of the text is found."""
    pages = demo_pages()[: 3 if quick else None]
    found = compare(pages, NAMES, rounds)
    spent = {name: [result["cpu"] / len(pages) for result in results] for name, results in found.items()}
    peaks = {name: [result["peak_mib"] for result in results] for name, results in found.items()}
    recall = {
        name: [
            total([agreement(page.texts, read) for page, read in zip(pages, result["texts"], strict=True)]).recall
            for result in results
        ]
        for name, results in found.items()
    }
    what = f"the stage `ocr`: {len(pages)} pages"
    return [
        *(Figure(what, "CPU s a page", spent["curate"], peer, spent[peer], headline=True) for peer in NAMES[2:]),
        Figure(f"{what}, `precision: f32`", "CPU s a page", spent["curate f32"], BASE, spent[BASE]),
        Figure(what, "peak MiB", peaks["curate"], BASE, peaks[BASE]),
        Figure(what, "share of characters found", recall["curate"], BASE, recall[BASE], "higher", headline=True),
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=Path, help="folder of NAME.jpg and NAME.json; else the demo's pages")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", help="names of contenders, comma-separated")
    parser.add_argument("--most", type=int, help="read only so many pages")
    options = parser.parse_args(arguments)
    pages = (pages_of(options.pages) if options.pages else demo_pages())[: options.most]
    names = options.only.split(",") if options.only else NAMES
    rounds = compare(pages, names, options.repeats)
    print(f"{len(pages)} pages, {options.repeats} rounds, {os.cpu_count()} processors, {platform.machine()}\n")
    print(table(pages, rounds))


if __name__ == "__main__":
    main()
