"""Every command in the README is run, in its order, in one folder, as a newcomer would."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).parent.parent / "README.md"

SETUP = ("git clone", "cd curate", "python -m venv", ". .venv", "pip install", "pytest")
"""Lines that put curate on a machine; CI runs them in a fresh clone and a fresh environment."""


def commands() -> list[str]:
    """The command lines of all console blocks, but for those that install."""
    blocks = re.findall(r"```(?:console|bash)\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    lines = [
        line.removeprefix("$ ").strip()
        for block in blocks
        for line in block.splitlines()
        if line.startswith("$ ") or "console" not in block
    ]
    found = []
    for line in lines:
        told = line.partition("   #")[0].strip()
        if told.startswith("curate ") or told.startswith("python "):
            found.append(told)
    return [line for line in found if not line.startswith(SETUP)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a command `curate` on the path."""
    folder = tmp_path_factory.mktemp("readme 读我")
    tool = folder / "bin" / "curate"
    tool.parent.mkdir()
    tool.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m curate.cli.main "$@"\n')
    tool.chmod(0o755)
    return folder


def test_the_readme_has_commands() -> None:
    """A test that finds nothing to run proves nothing."""
    assert len(commands()) >= 10


def test_every_command_of_the_readme_runs(folder: Path) -> None:
    """A command in a README that fails is the end of the visit."""
    environment = {
        **os.environ,
        "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "COLUMNS": "110",
    }
    for command in commands():
        done = subprocess.run(
            command, shell=True, cwd=folder, capture_output=True, text=True, env=environment, check=False
        )

        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
