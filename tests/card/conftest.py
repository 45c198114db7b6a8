"""What tests of cards share."""

from __future__ import annotations

from pathlib import Path

import pytest
from card_support import write_dataset


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """A folder of records."""
    return write_dataset(tmp_path / "shop")
