"""The results of the benchmarks on disk: one JSON file, and the Markdown tables that are made from it."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from curate.dataset.files import write_bytes, write_json
from curate.pipeline.machine import processors
from tests.benchmarks import growth_chart

RESULTS = Path(__file__).parent / "results"
README = Path(__file__).parents[2] / "README.md"
BEGIN, END = "<!-- measured: written by python -m tests.benchmarks --readme -->", "<!-- /measured -->"
_TOLD = ("albumentations", "aiohttp", "numpy", "openvino", "onnxruntime", "polars", "pyarrow", "rapidocr", "rjieba")


def machine() -> dict[str, Any]:
    """Cores, memory and system; nothing that names the machine."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processors": processors(),
        "memory_gib": round(memory / 2**30),
        "system": platform.system(),
        "architecture": platform.machine(),
        "python": platform.python_version(),
        "versions": {name: text for name in ("curate", *_TOLD) if (text := _version(name))},
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def read(folder: Path) -> dict[str, Any]:
    """The results that are there; those of a benchmark that is run again are replaced, the others stay."""
    path = folder / "benchmarks.json"
    found: dict[str, Any] = json.loads(path.read_bytes()) if path.exists() else {"benchmarks": {}}
    return found


def write(folder: Path, results: Mapping[str, Any]) -> None:
    """Write `benchmarks.json`, `benchmarks.md` and, where numbers of records grew, `growth.svg`."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "benchmarks.json", results)
    write_bytes(folder / "benchmarks.md", (tables(results) + "\n").encode())
    growth = results["benchmarks"].get("growth")
    if growth:
        write_bytes(folder / "growth.svg", growth_chart.draw(growth["figures"]).encode())


def tables(results: Mapping[str, Any], headlines: bool = False) -> str:
    """All results as Markdown; with `headlines` one table of what the README shows."""
    blocks = []
    lines: list[str] = []
    for name, one in results["benchmarks"].items():
        rows = [line(figure) for figure in one["figures"] if figure["headline"] or not headlines]
        if headlines:
            lines += rows
            continue
        conditions = f"{one['seconds']:,.0f} s, {one['rounds']} rounds, load {one['load']:g} when it began, {_told(one['machine'])}"
        blocks.append(
            "\n".join([f"## {name}\n", conditions + (", small sizes" if one["quick"] else "") + "\n", *_HEAD, *rows])
        )
    return "\n".join([*_HEAD, *lines]) if headlines else "# Benchmarks\n\n" + "\n\n".join(blocks)


_HEAD = (
    "| what | median (min – max) | unit | beside it | times better | bar |",
    "|---|--:|---|---|--:|---|",
)


def line(figure: Mapping[str, Any]) -> str:
    """One figure as a line of a table."""
    spread = figure["spread"]
    value = number(spread["median"])
    if len(figure["values"]) > 1:
        value += f" ({number(spread['min'])} – {number(spread['max'])})"
    what = figure["name"] + (f", {figure['records']:,} records" if figure["records"] else "")
    beside = times = bar = ""
    if figure["peer"]:
        beside = figure["peer"]
        times = f"{figure['times_better']['median']:.2f}"
    if figure["bar"]:
        sign = {"<=": "≤", ">=": "≥"}[figure["bar"]["sign"]]
        unit = " times" if figure["bar"]["of"] == "ratio" else ""
        bar = f"{sign} {number(figure['bar']['number'])}{unit}: {'yes' if figure['reached'] else '**no**'}"
    return f"| {what} | {value} | {figure['unit']} | {beside} | {times} | {bar} |"


def number(value: float) -> str:
    """A number with three digits that count."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _told(machine: Mapping[str, Any]) -> str:
    return f"{machine['processors']} cores, {machine['memory_gib']} GiB, Python {machine['python']}"


def section(results: Mapping[str, Any]) -> str:
    """What stands in the README between the marks."""
    measured: Sequence[Mapping[str, Any]] = list(results["benchmarks"].values())
    machines = "; ".join(dict.fromkeys(_told(one["machine"]) for one in measured))
    loads = [one["load"] for one in measured]
    small = [name for name, one in results["benchmarks"].items() if one["quick"]]
    told = f"On {machines}; load of other programs when the benchmarks began {min(loads):g} to {max(loads):g}."
    if small:
        told += f" Small sizes: {', '.join(small)}."
    return f"{BEGIN}\n\n{told}\n\n{tables(results, headlines=True)}\n\n{END}"


def renewed(readme: str, results: Mapping[str, Any]) -> str:
    """The README with the results in their place.

    Raises:
        SystemExit: the marks are not there.
    """
    head, begin, rest = readme.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"README.md has no place for the results, {BEGIN} … {END}")
    return head + section(results) + tail
