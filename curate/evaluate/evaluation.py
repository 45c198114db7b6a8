"""One evaluation: gold and predictions joined, scored together and task by task, with what went wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

import curate
from curate.dataset.predictions import Prediction, Predictions
from curate.errors import InputError
from curate.evaluate import bootstrap
from curate.evaluate.bootstrap import Difference, Interval
from curate.evaluate.calibration import Bin, calibration, expected_error
from curate.evaluate.gold import GoldRow
from curate.evaluate.joining import join
from curate.evaluate.mistakes import Mistake, mistakes
from curate.evaluate.scores import (
    NO_ANSWER,
    ClassScore,
    Confusion,
    Scores,
    as_rows,
    class_scores,
    confusion,
    scores,
)
from curate.labels.answers import parse_answer
from curate.labels.hierarchy import answers as all_answers
from curate.labels.hierarchy import roll_up
from curate.labels.registry import Registry

WORST = 20
"""Mistakes that are named."""


@dataclass(frozen=True)
class Part:
    """The scores of one task, or of all rows."""

    name: str
    rows: int
    answered: int
    """Rows that have a prediction."""
    scores: Scores
    interval: Interval
    """Of the weighted F1."""
    confusion: Confusion
    classes: list[ClassScore]
    coarse: Scores | None = None
    """The same, with labels replaced by the group that they belong to."""
    calibration: list[Bin] = field(default_factory=list)
    """How often predictions of about one confidence are right; empty where they have none."""

    def as_dict(self) -> dict[str, Any]:
        """Give the part for a report."""
        return {
            "rows": self.rows,
            "answered": self.answered,
            "coverage": self.answered / self.rows,
            **self.scores.as_dict(),
            "f1_interval": [self.interval.low, self.interval.high],
            "coarse": self.coarse.as_dict() if self.coarse else None,
            "calibration": [asdict(one) for one in self.calibration],
            "calibration_error": expected_error(self.calibration) if self.calibration else None,
            "classes": as_rows(self.classes),
            "confusions": [
                {"gold": gold, "predicted": predicted, "rows": rows}
                for gold, predicted, rows in self.confusion.pairs(WORST)
            ],
        }


@dataclass(frozen=True)
class Evaluation:
    """Everything that is told of predictions."""

    signature: str
    """What was computed, so that two scores can be compared, or be seen not to be comparable."""
    overall: Part
    tasks: list[Part]
    steps: dict[str, int]
    """Rows by the step that found the label in the answer; empty where answers were taken as they are."""
    notes: list[str] = field(default_factory=list)
    """What a reader should know: rows without labels, predictions that belong to no row."""
    comparison: dict[str, Difference] = field(default_factory=dict)
    """Weighted F1 of these predictions less that of others, overall and by task."""
    mistakes: list[Mistake] = field(default_factory=list)
    """Some rows with another answer than their label, for the page."""
    wrong: int = 0
    """How many there are."""

    def as_dict(self) -> dict[str, Any]:
        """Give the report, version 1."""
        return {
            "version": 1,
            "signature": self.signature,
            "overall": self.overall.as_dict(),
            "tasks": {part.name: part.as_dict() for part in self.tasks},
            "steps": self.steps,
            "notes": self.notes,
            "comparison": {name: asdict(value) for name, value in self.comparison.items()},
        }


@dataclass(frozen=True)
class Options:
    """What is computed."""

    registry: Registry | None = None
    """For the macro mean, for groups of labels and for parsing."""
    parse: bool = False
    """Look for the label in each answer, instead of taking the answer as it is."""
    seed: int = 0
    """Of the bootstrap."""
    draws: int = bootstrap.DRAWS


def evaluate(
    gold: Sequence[GoldRow], predictions: Predictions, options: Options, other: Predictions | None = None
) -> Evaluation:
    """Score predictions, and compare them with `other` on the same rows.

    Raises:
        InputError: they do not belong together, or no gold row has a label.
    """
    found, key, notes = join(gold, predictions)
    labelled = [number for number, row in enumerate(gold) if row.label is not None]
    if not labelled:
        raise InputError("no row of the gold data has a label")
    if len(labelled) < len(gold):
        notes.append(f"{len(gold) - len(labelled)} rows without a label are not scored")
    rows = [gold[number] for number in labelled]
    answers = _answers(rows, [found[number] for number in labelled], options)
    rivals = None
    if other is not None:
        theirs, _, more = join(gold, other)
        notes += [f"{other.path}: {note}" for note in more]
        rivals = _answers(rows, [theirs[number] for number in labelled], options)
    parts, comparison = [], {}
    for name in ["overall", *sorted({row.task for row in rows})]:
        chosen = [n for n, row in enumerate(rows) if name in ("overall", row.task)]
        part, difference = _part(name, [rows[n] for n in chosen], *_pick(chosen, answers, rivals), options)
        parts.append(part)
        if difference is not None:
            comparison[name] = difference
    steps = Counter(answer.step for answer in answers if answer.step)
    signature, shown = _signature(rows, key, options), mistakes(rows, answers, rivals)
    return Evaluation(signature, parts[0], parts[1:], dict(steps), notes, comparison, *shown)


def _pick(
    chosen: Sequence[int], answers: Sequence[Prediction], rivals: Sequence[Prediction] | None
) -> tuple[list[Prediction], list[Prediction] | None]:
    return [answers[n] for n in chosen], [rivals[n] for n in chosen] if rivals is not None else None


def _answers(rows: Sequence[GoldRow], found: Sequence[Prediction | None], options: Options) -> list[Prediction]:
    """The label that each row was given; a row without a prediction gets none."""
    answers = []
    for row, prediction in zip(rows, found, strict=True):
        one = prediction or Prediction(None)
        task = options.registry.tasks.get(row.task) if options.registry else None
        if options.parse and task is not None and one.answer is not None:
            parsed = parse_answer(one.answer, task)
            one = Prediction(parsed.label, one.confidence, parsed.step)
        answers.append(one)
    return answers


def _part(
    name: str,
    rows: Sequence[GoldRow],
    answers: Sequence[Prediction],
    rivals: Sequence[Prediction] | None,
    options: Options,
) -> tuple[Part, Difference | None]:
    gold = [row.label or "" for row in rows]
    predicted = _labels(answers)
    counted = confusion(gold, predicted)
    systems = [predicted] if rivals is None else [predicted, _labels(rivals)]
    drawn = bootstrap.weighted_f1_draws(gold, systems, options.seed, options.draws)
    known = _known(rows, options.registry)
    part = Part(
        name,
        len(rows),
        sum(answer.answer is not None for answer in answers),
        scores(counted, known),
        bootstrap.interval(drawn[0]),
        counted,
        class_scores(counted),
        _coarse(rows, predicted, options.registry),
        calibration([answer.confidence for answer in answers], [a == b for a, b in zip(gold, predicted, strict=True)]),
    )
    if rivals is None:
        return part, None
    apart = part.scores.f1 - scores(confusion(gold, systems[1]), known).f1
    return part, bootstrap.difference(apart, np.asarray(drawn[0]), np.asarray(drawn[1]))


def _labels(answers: Sequence[Prediction]) -> list[str]:
    return [NO_ANSWER if answer.answer is None else answer.answer for answer in answers]


def _known(rows: Sequence[GoldRow], registry: Registry | None) -> set[str] | None:
    tasks = {row.task for row in rows}
    if registry is None or not tasks <= set(registry.tasks):
        return None
    return {label for task in tasks for label in registry.labels(task)}


def _coarse(rows: Sequence[GoldRow], predicted: Sequence[str], registry: Registry | None) -> Scores | None:
    """Scores with each label replaced by its group; None where no label of these rows has one."""
    if registry is None:
        return None
    tasks = {name: registry.tasks[name] for name in {row.task for row in rows} if name in registry.tasks}
    if not any(label.coarse for task in tasks.values() for label in task.labels):
        return None
    known = {
        name: dict(zip(all_answers(task), roll_up(task, all_answers(task)), strict=True))
        for name, task in tasks.items()
    }
    gold = [known.get(row.task, {}).get(row.label or "", row.label or "") for row in rows]
    given = [known.get(row.task, {}).get(label, label) for row, label in zip(rows, predicted, strict=True)]
    return scores(confusion(gold, given))


def _signature(rows: Sequence[GoldRow], key: str, options: Options) -> str:
    answers = "parsed" if options.parse else "as they are"
    macro = options.registry.name if options.registry else "gold labels"
    return (
        f"weighted F1 | rows {len(rows)} | join {key} | answers {answers} | macro {macro} "
        f"| bootstrap {options.draws}, seed {options.seed} | curate {curate.__version__}"
    )
