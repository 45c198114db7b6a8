"""Labels of two levels: answers written as `coarse-fine`, the way back, and metrics rolled up to the coarse level."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from curate.errors import RowError
from curate.labels.registry import Label, Task

JOINT = "-"
"""Between the two levels of an answer."""

Level = Literal["fine", "path", "coarse"]


def path_of(label: Label) -> str:
    """Write a label with its group in front: `功能使用咨询-能否调光`.

    A label without a group, or one whose name begins with its group already (`物流页面-物流列表页面`), is its own path.
    """
    if label.coarse is None or label.name.startswith(f"{label.coarse}{JOINT}"):
        return label.name
    return f"{label.coarse}{JOINT}{label.name}"


def coarse_of(label: Label) -> str:
    """The group of a label; a label without one stands for itself."""
    return label.coarse or label.name


def answers(task: Task) -> tuple[str, ...]:
    """Everything that a record of the task may carry as its label: fine labels, paths, groups."""
    found = [*task.names, *map(path_of, task.labels), *map(coarse_of, task.labels)]
    return tuple(dict.fromkeys(found))


def fine(task: Task, answer: str) -> str:
    """Map an answer back to the fine label: a label, one of its aliases, or a path of either.

    Raises:
        RowError: label_path_inconsistent where the fine part is a label, but not one of the group before it;
            unknown_label for everything else, with the nearest labels.
    """
    if answer in task.canonical:
        return task.canonical[answer]
    by_name = {label.name: label for label in task.labels}
    for spelling, name in task.canonical.items():
        if not answer.endswith(f"{JOINT}{spelling}"):
            continue
        group = answer.removesuffix(f"{JOINT}{spelling}")
        if group == by_name[name].coarse:
            return name
        if group in {label.coarse for label in task.labels}:
            right = by_name[name].coarse or "no group"
            raise RowError("label_path_inconsistent", f"{name} belongs to {right}, not to {group}")
    raise RowError("unknown_label", f"nearest: {', '.join(task.nearest(answer))}")


def at_level(task: Task, answer: str, level: Level) -> str:
    """Write an answer of any level at another one.

    Raises:
        RowError: as `fine`; label_not_fine where a group alone is asked for its fine label or path.
    """
    groups = {coarse_of(label) for label in task.labels}
    if answer in groups and answer not in task.canonical:
        if level == "coarse":
            return answer
        raise RowError("label_not_fine", "a group alone does not say which of its labels is meant")
    name = fine(task, answer)
    label = next(label for label in task.labels if label.name == name)
    return {"fine": name, "path": path_of(label), "coarse": coarse_of(label)}[level]


def roll_up(task: Task, labels: Iterable[str]) -> list[str]:
    """Give the groups of labels or answers, for metrics at the coarse level; what is no label stays as it is.

    An answer that a model made up is wrong at the coarse level too, so it must not become a group by accident.
    """
    found = []
    for label in labels:
        try:
            found.append(at_level(task, label, "coarse"))
        except RowError:
            found.append(label)
    return found
