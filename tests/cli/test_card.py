"""`curate card` as it is typed."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from card_support import write_dataset

from curate.cli.main import invoke


class Terminal(io.StringIO):
    """Somebody who types."""

    def isatty(self) -> bool:
        return True


def test_a_card_is_made_checked_and_listed(curate: Any, tmp_path: Path) -> None:
    """The whole way of a card: an exit code for CI at its end."""
    write_dataset(tmp_path / "shop")
    made = curate("card", "shop")
    assert (made.code, made.out.splitlines()[0]) == (0, "data_cards/shop.md  made")
    assert "0 of 18 questions answered; open: description, why" in made.out
    checked = curate("card", "shop", "--check")
    assert checked.code == 1
    assert "data_cards/shop.md for internal: 5 errors" in checked.out
    assert json.loads(curate("card", "ls", "--json").out)[0]["state"] == "current"
    assert curate("card", "diff", "data_cards/shop.md", "data_cards/shop.facts.json").out == "the facts are the same\n"


def test_json_is_one_document_and_nothing_else(curate: Any, tmp_path: Path) -> None:
    """Programs read it."""
    write_dataset(tmp_path / "shop")
    facts = json.loads(curate("card", "shop", "--json").out)
    findings = json.loads(curate("card", "--json", "shop", "--check", "--for", "neurips").out)

    assert facts["rows"] == 12
    assert findings["ok"] is False
    assert {"level", "place", "message"} == set(findings["findings"][0])


def test_asking_saves_each_answer_at_once(curate: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is called away after two of eighteen questions keeps two answers."""
    write_dataset(tmp_path / "shop")
    curate("card", "shop")
    monkeypatch.setattr("sys.stdin", Terminal("Dialogues.\nOf a shop.\n\n\nResearch.\n"))
    assert curate("card", "shop", "--ask").code == 0
    text = (tmp_path / "data_cards" / "shop.md").read_text("utf-8")

    assert "what is this dataset? -->\nDialogues.\nOf a shop.\n\n## Why" in text
    assert "who paid? -->\n*(not answered yet)*\n" in text
    assert "should nobody do with it? -->\nResearch.\n" in text
    assert curate("card", "shop").out.splitlines()[1].startswith("  12 rows, 2 of 18 questions answered")


def test_nobody_is_asked_without_a_terminal(curate: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A question in CI waits for ever."""
    write_dataset(tmp_path / "shop")
    monkeypatch.setattr("sys.stdin", io.StringIO("x\n"))
    answer = curate("card", "shop", "--ask")

    assert answer.code == 2
    assert "--ask needs a terminal" in answer.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("card", "nothing"), "there is no dataset nothing"),
        (("card", "data_cards/none.md"), "name its dataset, or say --check or --ask"),
        (("card", "diff", "a.md", "b.md"), "there are no facts beside a.md"),
        (("card", "shop", "--evaluation", "shop/0.png"), "is not what `curate evaluate --json` prints"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(
    arguments: tuple[str, ...], message: str, curate: Any, tmp_path: Path
) -> None:
    """Exit code 2, and what to do."""
    write_dataset(tmp_path / "shop")
    answer = curate(*arguments)

    assert answer.code == 2
    assert message in answer.err


def test_an_evaluation_goes_into_the_card(curate: Any, tmp_path: Path) -> None:
    """A score without what it was computed of cannot be compared."""
    write_dataset(tmp_path / "shop")
    overall = {"rows": 12, "f1": 0.81234, "f1_interval": [0.7, 0.9], "accuracy": 0.8, "macro_f1": 0.75}
    (tmp_path / "round1.json").write_text(json.dumps({"overall": overall, "signature": "f1:weighted|v1"}))
    assert curate("card", "shop", "--evaluation", "round1.json").code == 0
    assert curate("card", "shop").code == 0
    text = (tmp_path / "data_cards" / "shop.md").read_text("utf-8")

    assert "| round1 | 12 | 0.8123 | 0.7000 | 0.9000 | 0.8000 | 0.7500 |" in text
    assert invoke(["card", "shop", "-q"]) == 0
