"""The public door: what `curate` offers to Python."""

from __future__ import annotations

import subprocess
import sys

import curate


def test_every_public_name_is_there_and_sorted() -> None:
    """A name in the documentation that cannot be imported is the first thing a new user meets."""
    assert curate.__all__ == sorted(curate.__all__)
    for name in curate.__all__:
        assert getattr(curate, name) is not None


def test_importing_curate_is_light() -> None:
    """`import curate` in a notebook must not load OCR engines."""
    code = "import curate, sys; print(sorted({'numpy', 'pyarrow', 'pydantic', 'cv2'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
