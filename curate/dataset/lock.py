"""One run at a time in one folder. The lock dies with the process, so a killed run never leaves one behind."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from curate.errors import OutputError

try:
    import fcntl
except ImportError:  # Windows has no flock on folders; there nothing guards against a second run
    fcntl = None  # type: ignore[assignment]


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Hold a folder for this process.

    Raises:
        OutputError: another process works in it.
    """
    if fcntl is None:
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise OutputError(
                f"another run of curate works in {folder}; wait for it, or choose another folder"
            ) from error
        yield
    finally:
        os.close(descriptor)
