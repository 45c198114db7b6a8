"""Predictions come to their own rows, or the command says why not."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate.dataset.predictions import read_predictions
from curate.errors import InputError
from curate.evaluate.evaluation import Options, evaluate
from curate.evaluate.gold import GoldRow
from curate.evaluate.joining import join

GOLD = [GoldRow(f"u{number}", f"s{number}", "chat", label, None) for number, label in enumerate("abc")]


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_text(text, encoding)
    return path


def joined(path: Path, index: Path | None = None) -> list[str | None]:
    return [one.answer if one else None for one in join(GOLD, read_predictions(path, index)).rows]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("p.csv", "id,predict\ns2,z\ns0,x\n"),
        ("p.jsonl", '\n{"id": "s2", "predict": "z"}\n\n{"id": "s0", "predict": "x"}\n'),
        ("p.json", '[{"source_id": "s2", "output": "z"}, {"source_id": "s0", "output": "x"}]'),
        ("p.jsonl", '{"uid": "u2", "id": "other", "predicted": "z", "answer": "q"}\n{"uid": "u0", "predicted": "x"}'),
    ],
)
def test_rows_are_joined_by_name(tmp_path: Path, name: str, text: str) -> None:
    """If this fails, predictions in another order are scored against the wrong rows."""
    assert joined(write(tmp_path / name, text, "utf-8-sig")) == ["x", None, "z"]


def test_lines_without_ids_are_joined_by_checked_position(tmp_path: Path) -> None:
    """If this fails, LLaMA-Factory's predictions cannot be scored, or are scored although a row is missing."""
    lines = [{"prompt": "?", "predict": answer, "label": f"{answer}\n"} for answer in "abc"]
    text = "\n".join(map(json.dumps, lines))
    assert joined(write(tmp_path / "p.jsonl", text)) == ["a", "b", "c"]
    with pytest.raises(InputError, match="2 predictions without ids for 3 gold rows"):
        joined(write(tmp_path / "p.jsonl", text.rpartition("\n")[0]))
    lines[0], lines[1] = lines[1], lines[0]
    with pytest.raises(InputError, match="prediction 1 was made for the label 'b', but row 1 of the gold data is 'a'"):
        joined(write(tmp_path / "p.jsonl", "\n".join(map(json.dumps, lines))))


def test_an_export_s_index_names_the_lines(tmp_path: Path) -> None:
    """If this fails, rows that an export left out shift all predictions behind them."""
    index = tmp_path / "index.parquet"
    pq.write_table(pa.table({"file": ["t", "v", "v"], "line": [0, 0, 1], "uid": ["u1", "u2", "u0"]}), index)
    text = '{"predict": "z"}\n{"predict": "x"}'
    assert joined(write(tmp_path / "p.jsonl", text), index) == ["x", None, "z"]
    with pytest.raises(InputError, match=r"has 3 predictions; the files of .* have t 1, v 2 lines"):
        joined(write(tmp_path / "p.jsonl", text + '\n{"predict": "y"}'), index)


def test_a_row_that_was_ingested_again_is_found_by_its_source_id(tmp_path: Path) -> None:
    """If this fails, answers to a run cannot be scored against the source that the run was made from."""
    text = '{"uid": "of another run", "source_id": "s1", "predicted": "b"}'
    assert joined(write(tmp_path / "p.jsonl", text)) == [None, "b", None]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "holds no predictions"),
        ('{"id": "s0", "text": "x"}', "none of its columns"),
        ('{"id": "s0", "predict": "x"}\n{"id": "s0", "predict": "y"}', "predicted more than once, s0"),
        ('{"id": "q", "predict": "x"}', r"none of its 1 rows \(q, …\) is in the gold data"),
        ('{"id": "s0", "predict": "x"}\n{bad', r"p\.jsonl:2: not valid JSON"),
        ('{"id": "s0", "predict": "x"}\n7', r"p\.jsonl:2: a prediction must be an object"),
    ],
)
def test_what_cannot_be_joined_is_said(tmp_path: Path, text: str, words: str) -> None:
    """If this fails, a wrong file gives a score of zero instead of an error."""
    with pytest.raises(InputError, match=words):
        joined(write(tmp_path / "p.jsonl", text))


def test_predictions_of_no_row_are_told(tmp_path: Path) -> None:
    """If this fails, a file for another test set goes unnoticed where some ids are the same."""
    path = write(tmp_path / "p.csv", "id,predict\ns0,a\nnobody,x\n")
    assert evaluate(GOLD, read_predictions(path), Options()).notes == ["1 predictions belong to no gold row"]
