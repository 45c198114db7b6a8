"""Reads predictions, whoever wrote them, and brings them to the rows that they belong to."""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq

from curate.errors import InputError

KEYS = {"uid": "uid", "source_id": "source_id", "id": "source_id"}
"""Columns that name a row, and what they hold."""

ANSWERS = ("predicted", "predict", "prediction", "output", "response", "answer")
"""Columns that hold what a model said, the surest first: `predicted` is a label that was parsed already."""

FILE = "predictions.parquet"
"""What `curate infer` writes into its folder."""

REPORT = "infer.json"
"""How it was asked, beside it: engine, model, options, counts."""


@dataclass(frozen=True)
class Prediction:
    """What a model said to one row."""

    answer: str | None
    """None where there is none."""
    confidence: float | None = None
    step: str | None = None
    """The step that found the label in the model's answer, where somebody parsed it before."""


@dataclass(frozen=True)
class Predictions:
    """The predictions of a file, in its order."""

    path: Path
    rows: list[Prediction]
    names: dict[str, list[str]]
    """The row that each belongs to, by uid, by source_id, or both; empty where only the order can tell."""
    labels: list[str | None]
    """The right labels that stand in the file, to check the order by; None where there is none."""


def read_predictions(path: Path, index: Path | None = None) -> Predictions:
    """Read predictions: a folder or Parquet file of `curate infer`, JSON, JSONL or CSV.

    Args:
        path: The file or folder.
        index: `index.parquet` of the export that was predicted on, for files without ids (LLaMA-Factory's
            `generated_predictions.jsonl`): it names the row of each line.

    Raises:
        InputError: it cannot be read, holds no predictions, or a confidence that is none; the message names the place.
    """
    file = path / FILE if path.is_dir() else path
    rows = _rows(file)
    if not rows:
        raise InputError(f"{file} holds no predictions")
    answer = next((name for name in ANSWERS if any(name in row for row in rows)), None)
    if answer is None:
        raise InputError(
            f"{file}: none of its columns ({', '.join(sorted(rows[0]))}) is one of {', '.join(ANSWERS)}, "
            "where a model's answer stands"
        )
    names: dict[str, list[str]] = {}
    for column, kind in KEYS.items():
        if kind not in names and all(row.get(column) not in (None, "") for row in rows):
            names[kind] = [str(row[column]) for row in rows]
    if index is not None:
        names = {"uid": _indexed(index, file, len(rows))}
    surest = next(iter(names.values()), [])
    twice = [name for name, times in Counter(surest).items() if times > 1]
    if twice:
        raise InputError(f"{file}: {len(twice)} rows are predicted more than once, {twice[0]} among them")
    labels = [None if row.get("label") is None else str(row["label"]).rstrip("\n") for row in rows]
    return Predictions(
        file, [_prediction(row, answer, f"{file}, prediction {n}") for n, row in enumerate(rows, 1)], names, labels
    )


def _prediction(row: Mapping[str, Any], answer: str, place: str) -> Prediction:
    said, step = row.get(answer), row.get("step")
    return Prediction(
        None if said is None else str(said),
        _confidence(row.get("confidence"), place),
        str(step) if step is not None else None,
    )


def _confidence(value: Any, place: str) -> float | None:
    """A probability, which CSV writes as text; None where there is none.

    Raises:
        InputError: it is something else; percents would pass every threshold.
    """
    if value is None or value == "":
        return None
    try:
        found = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        found = math.nan
    if not 0 <= found <= 1:
        raise InputError(f"{place}: a confidence is a number from 0 to 1, not {str(value)[:40]!r}")
    return found


def _rows(file: Path) -> list[dict[str, Any]]:
    try:
        if file.suffix == ".parquet":
            return list(pq.read_table(file).to_pylist())
        text = file.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        raise InputError(f"{file}: there is no such file") from error
    except UnicodeDecodeError as error:
        raise InputError(
            f"{file}: not UTF-8 at byte {error.start}. Save it as UTF-8, or convert it with iconv"
        ) from error
    except (OSError, ValueError) as error:
        raise InputError(f"{file}: {error}") from error
    if file.suffix == ".csv":
        try:
            return [dict(row) for row in csv.DictReader(io.StringIO(text, newline=""), restkey="")]
        except csv.Error as error:
            raise InputError(f"{file}: not valid CSV: {error}") from error
    return _json(file, text)


def _json(file: Path, text: str) -> list[dict[str, Any]]:
    """A JSON array, or JSON lines; lines that are empty are passed over."""
    if text.lstrip().startswith("["):
        parts: Sequence[tuple[int, str]] = [(0, text)]
    else:
        parts = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    rows: list[dict[str, Any]] = []
    for number, part in parts:
        try:
            value = orjson.loads(part)
        except orjson.JSONDecodeError as error:
            raise InputError(f"{file}:{number or error.lineno}: not valid JSON: {error.msg}") from error
        for row in value if isinstance(value, list) else [value]:
            if not isinstance(row, dict):
                raise InputError(f"{file}:{number or 1}: a prediction must be an object, not {type(row).__name__}")
            rows.append(row)
    return rows


def _indexed(index: Path, file: Path, rows: int) -> list[str]:
    """The uids of an export's lines: of the one file in it that has as many lines as there are predictions."""
    try:
        lines = pq.read_table(index).to_pylist()
        files: dict[str, list[str]] = {}
        for line in lines:
            files.setdefault(str(line["file"]), []).append(str(line["uid"]))
    except (OSError, ValueError, KeyError) as error:
        if not index.exists():
            raise InputError(f"{index}: there is no such file") from error
        raise InputError(f"{index}: this is not the index.parquet of an export ({error})") from error
    fitting = [name for name, uids in files.items() if len(uids) == rows]
    if len(fitting) != 1:
        told = ", ".join(f"{name} {len(uids)}" for name, uids in files.items())
        raise InputError(
            f"{file} has {rows} predictions; the files of {index} have {told} lines, so none or several fit"
        )
    return files[fitting[0]]
