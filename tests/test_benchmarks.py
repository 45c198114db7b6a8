"""The table of benchmarks says what was measured, and the README says what the table says."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.benchmarks import report
from tests.benchmarks.__main__ import BENCHMARKS, main
from tests.benchmarks.figures import Bar, Figure

RESULTS = report.read(report.RESULTS)


def test_the_readme_shows_the_measured_table() -> None:
    """A figure that somebody typed by hand, or that is older than the results, is worth nothing."""
    text = report.README.read_text("utf-8")

    assert report.renewed(text, RESULTS) == text


def test_the_tables_and_the_plot_are_those_of_the_results(tmp_path: Path) -> None:
    """Three files that are committed must tell one story."""
    report.write(tmp_path, RESULTS)

    for name in ("benchmarks.json", "benchmarks.md", "growth.svg"):
        assert (tmp_path / name).read_text("utf-8") == (report.RESULTS / name).read_text("utf-8")
    ElementTree.parse(tmp_path / "growth.svg")  # our own file


@pytest.mark.parametrize("name", BENCHMARKS)
def test_every_benchmark_gives_figures_and_has_results(name: str) -> None:
    """A benchmark that the command does not run is never run."""
    module = importlib.import_module(f"tests.benchmarks.{name}")

    assert callable(module.figures)
    assert RESULTS["benchmarks"][name]["figures"]


def test_results_do_not_name_the_machine() -> None:
    """Names of hosts and folders have no place in a repository."""
    assert set(report.machine()) == {"processors", "memory_gib", "system", "architecture", "python", "versions"}
    assert "/" not in "".join(json.dumps(one["machine"]) for one in RESULTS["benchmarks"].values())


def test_a_ratio_says_how_many_times_better_round_by_round() -> None:
    """Less time and more throughput must both come out above one."""
    assert Figure("a", "s", (1, 2), "b", (4, 4)).ratios == [4, 2]
    assert Figure("a", "rows / s", (10, 30), "b", (5, 10), "higher").ratios == [2, 3]
    assert Figure("a", "s", (1,)).ratios == []


def test_a_bar_is_judged_by_the_middle_and_a_miss_is_shown() -> None:
    """A lucky round must not pass for the result, and a miss must be seen."""
    figure = Figure("a", "s", (1, 5, 6), bar=Bar("figure", "<=", 4))

    assert figure.reached is False
    assert "**no**" in report.line(figure.as_dict())
    assert Figure("a", "s", (1, 5, 6), "b", (2, 20, 24), bar=Bar("ratio", ">=", 3)).reached is True


def test_wrong_names_and_rounds_are_refused(tmp_path: Path) -> None:
    """A typing error must not start half an hour of measuring."""
    for arguments in (["--only", "nothing"], ["--rounds", "0"]):
        with pytest.raises(SystemExit):
            main([*arguments, "--out", str(tmp_path)])
    assert list(tmp_path.iterdir()) == []
