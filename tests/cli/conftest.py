"""What tests of the command line share: the command called in this process, in a folder of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from curate.cli.main import invoke


class Answer(NamedTuple):
    """What a command answered."""

    code: int
    out: str
    err: str


Curate = Callable[..., Answer]


@pytest.fixture
def curate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Curate:
    """Call a command in the test's folder, as in a pipe."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)

    def call(*arguments: str) -> Answer:
        capsys.readouterr()
        code = invoke(list(arguments))
        return Answer(code, *capsys.readouterr())

    return call


@pytest.fixture
def chats(tmp_path: Path) -> Path:
    """Five good records, one whose id is taken, and one that is no JSON."""
    path = tmp_path / "chats.jsonl"
    lines = [
        json.dumps(
            {
                "id": f"c{n % 5}",
                "messages": [
                    {"role": "user", "content": f"第{n}款灯可以调光吗"},
                    {"role": "assistant", "content": "可以调节三档亮度"},
                ],
            },
            ensure_ascii=False,
        )
        for n in range(6)
    ]
    path.write_text("\n".join([*lines, "{bad"]), "utf-8")
    return path


@pytest.fixture
def good_chats(chats: Path) -> Path:
    """The good records alone."""
    path = chats.with_name("good.jsonl")
    path.write_text("\n".join(chats.read_text("utf-8").splitlines()[:5]), "utf-8")
    return path
