"""What of an evaluation its readers must not see, by mode; taken out before any renderer gets it.

Labels are values of categories, and answers of a model may be any text. The scores stay: they were computed before.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, replace

import numpy as np

from curate.evaluate.evaluation import Evaluation, Part
from curate.evaluate.mistakes import Mistake
from curate.evaluate.scores import NO_ANSWER, Confusion, class_scores
from curate.labels.registry import Registry
from curate.report.redaction import LEAST, Fields, Mode, redact

OTHERS = "(other answers)"
"""Stands for answers that are no label and that few rows have."""
_FIELDS = Fields(values=frozenset(("label",)), names=frozenset(("name", "notes")))
_MISTAKE = Fields(
    texts=frozenset(("text",)),
    values=frozenset(("label", "answer")),
    names=frozenset(("uid", "source_id", "task", "path")),
)


def redacted(found: Evaluation, mode: Mode, registry: Registry | None = None) -> Evaluation:
    """Give an evaluation that holds only what a mode allows; see `curate.report.redaction`.

    Args:
        found: The evaluation.
        mode: What may be seen.
        registry: Whose labels may be shown however rare they are; those of the gold data may, too.
    """
    if mode == "none":
        return found
    names = {part.name: named(part.name, mode) for part in found.tasks}
    parts = [_part(part, names.get(part.name, part.name), mode, registry) for part in (found.overall, *found.tasks)]
    hidden = _hidden(found.overall.confusion, _declared(found.overall, registry))
    notes = [str(redact({"notes": note}, mode, _FIELDS)["notes"]) for note in found.notes]
    if hidden:
        rows = sum(int(found.overall.confusion.predicted[place]) for place in hidden)
        notes.append(f"{rows} answers that are no label are counted together; --redact none shows them")
    answers = {found.overall.confusion.labels[place] for place in hidden}
    mistakes = [_mistake(one, answers, mode) for one in found.mistakes]
    comparison = {names.get(name, name): value for name, value in found.comparison.items()}
    return replace(found, overall=parts[0], tasks=parts[1:], notes=notes, comparison=comparison, mistakes=mistakes)


def _mistake(one: Mistake, others: Collection[str], mode: Mode) -> Mistake:
    answer = OTHERS if one.answer in others else one.answer
    return Mistake(**redact({**asdict(one), "answer": answer}, mode, _MISTAKE))


def named(name: str, mode: Mode) -> str:
    """The name of a file or a task as a mode allows it."""
    return str(redact({"name": name}, mode, _FIELDS)["name"])


def _part(part: Part, name: str, mode: Mode, registry: Registry | None) -> Part:
    counted = part.confusion
    others = _hidden(counted, _declared(part, registry))
    shown = _distinct([OTHERS if n in others else _label(label, mode) for n, label in enumerate(counted.labels)])
    labels = sorted(set(shown))
    place = {label: number for number, label in enumerate(labels)}
    where = np.array([place[label] for label in shown])
    counts = np.zeros((len(labels), len(labels)), dtype=np.int64)
    np.add.at(counts, (where[:, None], where[None, :]), counted.counts)
    confusion = Confusion(tuple(labels), counts)
    return replace(part, name=name, confusion=confusion, classes=class_scores(confusion))


def _label(label: str, mode: Mode) -> str:
    return label if label == NO_ANSWER else str(redact({"label": label}, mode, _FIELDS)["label"])


def _declared(part: Part, registry: Registry | None) -> set[str]:
    """Labels of the gold data and of the registry."""
    known = {label for task in (registry.tasks if registry else ()) for label in registry.labels(task)}  # type: ignore[union-attr]
    right = {label for label, rows in zip(part.confusion.labels, part.confusion.support, strict=True) if rows}
    return {NO_ANSWER, *known, *right}


def _hidden(counted: Confusion, declared: Collection[str]) -> set[int]:
    """Places of answers that are no label and that few rows have."""
    told = enumerate(zip(counted.labels, counted.predicted.tolist(), strict=True))
    return {place for place, (label, rows) in told if label not in declared and rows < LEAST}


def _distinct(shown: list[str]) -> list[str]:
    """Keep labels apart that look the same once they are masked; else one would be taken for the other."""
    seen: dict[str, int] = {}
    told = []
    for label in shown:
        seen[label] = seen.get(label, 0) + 1
        told.append(label if label == OTHERS or seen[label] == 1 else f"{label} {seen[label]}")
    return told
