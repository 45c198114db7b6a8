"""Calling a command of curate in this process, for its JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest

from curate.cli.main import invoke


def call(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, Any]:
    """Exit code, and what is said on stdout, or on stderr where it is an error."""
    code = invoke([str(argument) for argument in (*arguments, "--json")])
    said = capsys.readouterr()
    return code, json.loads(said.out or said.err.splitlines()[-1])
