"""A finished run whose last steps cannot be read any more: nobody takes an earlier step for its result."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def run(curate: Any, good_chats: Path, tmp_path: Path) -> Path:
    assert curate("split", str(good_chats), "out", "--train", "0.5", "--val", "0.5").code == 0
    return tmp_path / "out"


@pytest.mark.parametrize(("text", "said"), [("{", "is damaged"), (None, "is missing")])
def test_why_says_what_it_cannot_tell(curate: Any, run: Path, text: str | None, said: str) -> None:
    """A life that ends before the step that dropped the row sends the reader to the wrong place."""
    _damage(run, text)
    done = curate("why", "c0", "--run", "out")

    assert done.code == 0
    assert f"the rest is not told: out/01-split/stage.json {said}; run the recipe of this run again" in done.out
    assert said in json.loads(curate("why", "c0", "--run", "out", "--json").out)["broken"]
    assert f"not all steps are listed: out/01-split/stage.json {said}" in curate("ls", "out").err


@pytest.mark.parametrize(
    "command", ["show out", "export out set", "diff out", "report out", "card out", "denoise out d"]
)
@pytest.mark.parametrize("text", ["{", None])
def test_an_earlier_step_is_not_taken_for_the_result(curate: Any, run: Path, command: str, text: str | None) -> None:
    """The export of a split run whose manifest was lost held no val and trained on all rows, with exit code 0."""
    _damage(run, text)
    done = curate(*command.split())

    assert done.code == 2
    assert "01-split/stage.json" in done.err
    assert "or give an earlier step: " in done.err


def test_an_earlier_step_can_be_named_and_the_run_mended(curate: Any, run: Path, good_chats: Path) -> None:
    """What can still be read must stay readable, and the advice must help."""
    _damage(run, "{")
    assert curate("show", "out@ingest", "-n", "0").code == 0

    curate("split", str(good_chats), "out", "--train", "0.5", "--val", "0.5")
    assert curate("show", "out", "-n", "0").code == 0
    assert "broken" not in json.loads(curate("why", "c0", "--run", "out", "--json").out)


def test_a_stopped_run_shows_what_it_has(curate: Any, run: Path) -> None:
    """A step that was never finished is no damage: the last finished one is what there is."""
    facts = json.loads((run / "run.json").read_text("utf-8"))
    (run / "run.json").write_text(json.dumps({**facts, "status": "interrupted"}), "utf-8")
    _damage(run, None)

    assert curate("show", "out", "-n", "0").code == 0
    assert "not told" not in curate("why", "c0", "--run", "out").out


def _damage(run: Path, text: str | None) -> None:
    file = run / "01-split" / "stage.json"
    if text is None:
        file.unlink()
    else:
        file.write_text(text, "utf-8")
