"""What `pip install` brings is what the code needs."""

from __future__ import annotations

import configparser
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).parents[1]


def _setup() -> configparser.ConfigParser:
    read = configparser.ConfigParser()
    read.read(ROOT / "setup.cfg", "utf-8")
    return read


def test_every_data_file_of_the_package_is_installed() -> None:
    """A template that is missing from the wheel is found by the first user, not by the tests of a checkout."""
    patterns = _setup()["options.package_data"]["curate"].split()
    files = [
        path.relative_to(ROOT / "curate").as_posix()
        for path in sorted((ROOT / "curate").rglob("*"))
        if path.is_file() and path.suffix not in (".py", ".pyc")
    ]

    assert [name for name in files if not any(fnmatch(name, pattern) for pattern in patterns)] == []


def test_every_package_is_installed() -> None:
    """A folder of code that is not named in setup.cfg is not in the wheel."""
    named = set(_setup()["options"]["packages"].split())
    there = {".".join(path.parent.relative_to(ROOT).parts) for path in (ROOT / "curate").rglob("__init__.py")}

    assert there - named == set()
