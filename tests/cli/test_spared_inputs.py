"""No command writes over a file that it reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest


@pytest.mark.parametrize(
    "arguments",
    [
        "submit test.json pred.csv test.json",
        "submit test.json pred.csv pred.csv",
        "submit test.json pred.csv link.json",
        "evaluate test.json pred.csv --html test.json",
        "evaluate test.json pred.csv --html pred.csv",
        "diff test.json other.json --report test.json",
        "diff test.json other.json --report other.json",
        "thesaurus export --from synonyms --words pred.csv pred.csv",
    ],
)
def test_what_a_command_reads_is_not_written_over(curate: Any, tmp_path: Path, arguments: str) -> None:
    """`curate submit test.json answers.csv test.json` took the only copy of the test set, and said that it was done."""
    rows = [{"id": "a", "text": "x", "label": "退款"}, {"id": "b", "text": "y", "label": "发货"}]
    for name in ("test.json", "other.json"):
        (tmp_path / name).write_text(json.dumps(rows, ensure_ascii=False), "utf-8")
    (tmp_path / "pred.csv").write_text("id,predict\na,退款\nb,发货\n", "utf-8")
    (tmp_path / "link.json").symlink_to("test.json")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    done = curate(*arguments.split())

    assert (done.code, "would overwrite what is read from it" in done.err) == (2, True), done.err
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
