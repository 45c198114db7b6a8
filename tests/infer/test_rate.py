"""The client's own work for a row stays small beside what sending its bytes costs anybody."""

from __future__ import annotations

import statistics

import pytest

from tests.benchmarks.infer import BARE, OURS, measure

MOST = 8.0
"""CPU time of a row, as a multiple of bare sockets that send finished requests; 3.7 when this was written, 14 before."""


@pytest.mark.slow
def test_a_picture_of_a_megabyte_costs_little_cpu_time() -> None:
    """If this fails, the client is what a fast server waits for."""
    found = measure(rows=1200, size=1_000_000, latency=0.05, concurrency=64, turns=3)
    ratios = [ours.cpu_seconds / bare.cpu_seconds for ours, bare in zip(found[OURS], found[BARE], strict=True)]
    assert statistics.median(ratios) < MOST, ratios
