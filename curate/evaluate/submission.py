"""The file that a challenge takes: one line a test row, in test order, every answer one that is allowed."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from curate.dataset.predictions import Prediction, Predictions
from curate.errors import InputError
from curate.evaluate.gold import GoldRow
from curate.evaluate.joining import join
from curate.labels.answers import parse_answer
from curate.labels.registry import Registry

Layout = Literal["official", "minimal"]
"""`official` writes the columns of the baseline's script, `minimal` only `id` and `predict`."""

_TOLD = 10


@dataclass(frozen=True)
class Submission:
    """A checked submission."""

    text: str
    rows: int
    by_task: dict[str, int]
    steps: dict[str, int]
    """Rows by the step that found the label in the answer."""


def make_submission(
    rows: Sequence[GoldRow],
    predictions: Predictions,
    registry: Registry,
    layout: Layout = "official",
    parse: bool = False,
) -> Submission:
    """Make the file's text.

    Args:
        rows: The test rows in test order.
        predictions: What was answered.
        registry: Labels that each task may be answered with.
        layout: Which columns.
        parse: Look for the label in each answer, instead of taking the answer as it is.

    Raises:
        InputError: a row has no answer, or one that is not allowed for its task; all of them are named.
    """
    found = join(rows, predictions).rows
    problems: list[str] = []
    answers: list[str] = []
    steps: dict[str, int] = {}
    for row, prediction in zip(rows, found, strict=True):
        answer, step, problem = _answer(row, prediction, registry, parse)
        answers.append(answer)
        steps[step] = steps.get(step, 0) + 1
        if problem:
            problems.append(f"{row.source_id}: {problem}")
    if problems:
        more = f"\n… and {len(problems) - _TOLD} more" if len(problems) > _TOLD else ""
        hint = "" if parse else "\n--parse finds labels in answers that hold more than the label"
        listing = "\n".join(problems[:_TOLD])
        raise InputError(f"{len(problems)} of {len(rows)} rows cannot be submitted:\n{listing}{more}{hint}")
    by_task: dict[str, int] = {}
    for row in rows:
        by_task[row.task] = by_task.get(row.task, 0) + 1
    return Submission(_text(rows, answers, layout), len(rows), by_task, steps)


def _answer(
    row: GoldRow, prediction: Prediction | None, registry: Registry, parse: bool
) -> tuple[str, str, str | None]:
    task = registry.tasks.get(row.task)
    if task is None:
        return "", "", f"the registry {registry.name} does not know its task {row.task}"
    if prediction is None or prediction.answer is None:
        return "", "", "it has no prediction"
    if parse:
        parsed = parse_answer(prediction.answer, task)
        if parsed.label is None:
            return "", parsed.step, "no label can be found in its answer"
        return parsed.label, parsed.step, None
    if prediction.answer in task.allowed:
        return prediction.answer, prediction.step or "exact", None
    elsewhere = [name for name, other in registry.tasks.items() if prediction.answer in other.names]
    if prediction.answer in task.names:
        problem = f"'{prediction.answer}' must not be answered"
    elif elsewhere:
        problem = f"'{prediction.answer}' is a label of {elsewhere[0]}, not of {row.task}"
    else:
        problem = f"'{prediction.answer[:40]}' is no label of {row.task}"
    return "", "", problem


def _text(rows: Sequence[GoldRow], answers: Sequence[str], layout: Layout) -> str:
    stream = io.StringIO(newline="")
    if layout == "minimal":
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["id", "predict"])
        writer.writerows([row.source_id, answer] for row, answer in zip(rows, answers, strict=True))
        return stream.getvalue()
    columns: list[str] = []
    records: list[dict[str, Any]] = []
    for row in rows:
        record = json.loads(row.raw)
        records.append(record)
        columns += [name for name in record if name not in columns]
    table = csv.DictWriter(stream, [*columns, "predict"], lineterminator="\n", restval="")
    table.writeheader()
    for record, answer in zip(records, answers, strict=True):
        # A list stands as Python prints it, because that is what pandas writes in the baseline's script.
        table.writerow({**{name: _cell(value) for name, value in record.items()}, "predict": answer})
    return stream.getvalue()


def _cell(value: Any) -> str:
    return value if isinstance(value, str) else repr(value) if value is not None else ""
