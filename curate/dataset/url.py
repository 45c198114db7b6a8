"""Paths that stand for URLs: `Path("s3://bucket/folder")` loses one slash, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

_URL = re.compile(r"([a-z][a-z0-9+.-]+):/+(.*)", re.DOTALL)


def url_of(path: str | Path) -> str | None:
    """Give the URL that a path stands for; None where it is a path of this machine."""
    found = _URL.fullmatch(path if isinstance(path, str) else path.as_posix())
    return f"{found[1]}://{found[2].rstrip('/')}" if found else None
