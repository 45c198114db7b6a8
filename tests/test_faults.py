"""The campaign of faults in small: each fault once; `python -m tests.faults` does all of it."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.faults.__main__ import campaign
from tests.faults.workload import Workload


@pytest.mark.slow
def test_nothing_is_lost_whatever_happens_to_a_run(tmp_path: Path) -> None:
    """People leave runs alone for a night, and nights are long."""
    counts = campaign(Workload(tmp_path), kills=4, share=0.01, chance=random.Random(7))
    assert {name: count["wrong"] for name, count in counts.items()} == dict.fromkeys(counts, 0)
    assert all(count["done"] or "skipped" in count for count in counts.values())
