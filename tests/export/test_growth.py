"""Exports of any size need the memory of a few rows."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

_PROGRAM = Path(__file__).parents[1] / "benchmarks" / "export_growth.py"


@pytest.mark.slow
@pytest.mark.parametrize("target", ["sharegpt", "trl"])
def test_ten_times_the_records_need_no_more_memory(target: str) -> None:
    """A set of a million rows must be written on the machine that read it."""
    spec = importlib.util.spec_from_file_location("export_growth", _PROGRAM)
    assert spec is not None and spec.loader is not None
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    few, many = 1_000, 10_000
    _, small, _ = program.measure(target, few)
    _, large, pictures = program.measure(target, many)

    assert large < small + 120
    assert pictures == (0 if target == "trl" else program.PICTURES)
