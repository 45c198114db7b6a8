"""Answers as a model learns them: the label alone, or with its coarse group before it (EcomMIR).

This is the one place that asks the label registry for groups. A stage that has written `coarse-fine` into the
record's label already is met by `coarse_fine: false`, the default.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Literal

from curate.labels.hierarchy import path_of
from curate.labels.registry import Registry

LabelOrder = Literal["registry", "allowed", "sorted", "shuffled", "none"]
"""Which labels a prompt lists, in which order; `shuffled` draws anew for every record, from its uid."""


def coarse_fine(registry: Registry | None, task: str, label: str) -> str:
    """The label with its group before it; as it is where it has no group, or begins with it already."""
    known = registry.tasks[task].labels if registry is not None and task in registry.tasks else ()
    return next((path_of(one) for one in known if one.name == label), label)


def description(registry: Registry | None, task: str, label: str | None) -> str:
    """What the registry says of a label; nothing where it does not know it."""
    if registry is None or task not in registry.tasks:
        return ""
    return next((one.description for one in registry.tasks[task].labels if one.name == label), "")


def listed(registry: Registry | None, task: str, order: LabelOrder, draw: str) -> list[str]:
    """The labels of a task as a prompt lists them; `draw` decides the order where it is shuffled."""
    if registry is None or task not in registry.tasks or order == "none":
        return []
    known = registry.tasks[task]
    names: Sequence[str] = known.allowed if order == "allowed" else known.names
    if order == "sorted":
        return sorted(names)
    if order == "shuffled":
        return random.Random(draw).sample(list(names), len(names))  # noqa: S311  no secret is drawn
    return list(names)
