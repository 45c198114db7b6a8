"""Options that exclude each other, or that would do nothing, are refused before anything is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("label chats.jsonl out --hierarchy --coarse", "--hierarchy, --coarse and --back exclude each other"),
        ("label chats.jsonl out --hierarchy --back", "--hierarchy, --coarse and --back exclude each other"),
        ("label chats.jsonl", "OUT is missing"),
        ("augment-text chats.jsonl out --per-record 2 --target-per-label 5", "--target-per-label exclude each other"),
        ("augment-image chats.jsonl out --pipeline trivial --compose x.json", "excludes --pipeline trivial"),
        ("run demo --engine local --ray-address auto -o out", "--ray-address goes with --engine ray"),
        ("export --check out --template mire", "of the options it takes --for and --set"),
        ("export --check out --hub hub", "of the options it takes --for and --set"),
        ("export out --hub hub --format alpaca", "it takes no option of a training set"),
        ("card out --for hub", "give --check too"),
        ("card out --check --ask", "--check writes nothing"),
        ("card out --force --move-edits", "give one of the two"),
        ("diff chats.jsonl chats.jsonl --row c0 --by-stage", "--row and --by-stage exclude each other"),
        ("diff chats.jsonl chats.jsonl --strict", "--strict goes with --fail-on RULE"),
        ("diff chats.jsonl chats.jsonl --tol scrore=abs:1", "there is no column 'scrore'"),
        ("diff chats.jsonl chats.jsonl --ignore-columns *", "leaves no column to compare"),
        ("show chats.jsonl c0 -n 5", "RECORD and --rows exclude each other"),
        ("report work -o page.pdf", "ends in .html"),
        ("filter chats.jsonl out --min x=1 --min x=2", "there is a limit for x already"),
        ("infer chats.jsonl out --model m --server http://u:p@h -n", "no name or password"),
        ("infer chats.jsonl out --model m --server http://h --adapter a -n", "go with --engine vllm"),
    ],
)
def test_an_option_that_would_be_ignored_is_refused(
    curate: Any, chats: Path, tmp_path: Path, arguments: str, said: str
) -> None:
    """Whoever gives an option believes that it counts; one of two that clash won without a word."""
    good = tmp_path / "chats.jsonl"
    good.write_text("\n".join(line for line in good.read_text("utf-8").splitlines() if line != "{bad"), "utf-8")
    done = curate(*arguments.split())

    assert (done.code, said in done.err) == (2, True), done.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["chats.jsonl"]


def test_a_command_that_nobody_names_shows_how_it_is_called(curate: Any) -> None:
    """`curate card card DATASET`, as the help had it, is no command."""
    assert curate("card", "out", "--help").out.startswith("Usage: curate card [OPTIONS] DATASET")
    assert curate("card", "out", "--nothere").err.endswith("help: curate card --help\n")
