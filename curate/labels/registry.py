"""A label registry: which labels a task has, in prompt order, with aliases and the ones that must not be predicted.

Labels are opaque: they are compared as they are, never trimmed, folded or normalised, because scoring is an
exact match and two MIRE labels differ from their twins only in the kind of their brackets.
"""

from __future__ import annotations

import difflib
from collections import Counter
from functools import cached_property
from importlib.resources import files
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from curate.dataset.files import digest
from curate.dataset.yaml_file import NotYaml, complaints, load_yaml
from curate.errors import RowError, UsageError

SHIPPED = ("mire", "jddc", "feedback")
"""Registries that come with curate."""

_COMPARED = 64
"""Characters of an unknown label that are compared with the known ones."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Label(_Model):
    """One label of a task."""

    name: str = Field(min_length=1)
    """The label itself, character for character as scoring expects it."""

    description: str = ""
    """What the label means, for prompts and for people."""

    aliases: tuple[str, ...] = ()
    """Other spellings that mean this label."""

    coarse: str | None = None
    """The group that the label belongs to, where labels have two levels."""

    allowed: bool = True
    """Whether a model may answer it; a label that is not allowed may still occur in gold data."""


class Task(_Model):
    """The labels of one task, in prompt order."""

    title: str = ""
    """What is classified, in a few words."""

    fallback: str | None = None
    """The label to take where a model gave no usable answer."""

    labels: tuple[Label, ...] = Field(min_length=1)
    """All labels, in the order of the prompt."""

    @model_validator(mode="after")
    def _unambiguous(self) -> Task:
        spellings = Counter(name for label in self.labels for name in (label.name, *label.aliases))
        twice = sorted(name for name, times in spellings.items() if times > 1)
        if twice:
            raise ValueError(f"these names or aliases stand for more than one label: {', '.join(twice)}")
        if self.fallback is not None and self.fallback not in {label.name for label in self.labels}:
            raise ValueError(f"fallback '{self.fallback}' is not one of the labels")
        return self

    @cached_property
    def names(self) -> tuple[str, ...]:
        """All labels in prompt order."""
        return tuple(label.name for label in self.labels)

    @cached_property
    def allowed(self) -> tuple[str, ...]:
        """The labels that a model may answer, in prompt order."""
        return tuple(label.name for label in self.labels if label.allowed)

    @cached_property
    def canonical(self) -> dict[str, str]:
        """Every name and alias, with the label that it stands for."""
        return {spelling: label.name for label in self.labels for spelling in (label.name, *label.aliases)}

    def nearest(self, label: str) -> list[str]:
        """The three labels that look most like `label`."""
        return difflib.get_close_matches(label[:_COMPARED], self.names, n=3, cutoff=0.0)


class Registry(_Model):
    """The labels of all tasks of a dataset. `Registry.load("mire")` gives the one that comes with curate."""

    name: str
    """What recipes call it."""

    title: str = ""
    """What it is, in a few words."""

    tasks: dict[str, Task]
    """The tasks by name."""

    @classmethod
    def load(cls, name_or_path: str | Path) -> Registry:
        """Load a shipped registry by its name, or a YAML file.

        Raises:
            UsageError: there is no such registry or file, or it does not fit the schema.
        """
        text = _text(name_or_path)
        try:
            return cls.model_validate(load_yaml(text))
        except ValidationError as error:
            problems = "; ".join(complaints(error))
            raise UsageError(f"label registry {name_or_path} does not fit its schema: {problems}") from error
        except NotYaml as error:
            raise UsageError(f"label registry {name_or_path} is not valid YAML: {error}") from error

    def resolve(self, task: str, label: str) -> str:
        """Give the label that `label` (itself or an alias) stands for in `task`.

        Raises:
            RowError: unknown_task, or unknown_label with the nearest labels.
        """
        if task not in self.tasks:
            raise RowError("unknown_task", f"the registry {self.name} knows {', '.join(self.tasks)}")
        found = self.tasks[task].canonical.get(label)
        if found is None:
            raise RowError("unknown_label", f"nearest: {', '.join(self.tasks[task].nearest(label))}")
        return found

    def place(self, task: str, label: str) -> tuple[str, str]:
        """Find the task of a label whose source does not name one of this registry's tasks.

        Gives `task` and the label where the registry knows the task, else the only task that has the label.

        Raises:
            RowError: as `resolve`.
        """
        if task in self.tasks:
            return task, self.resolve(task, label)
        having = [name for name, entry in self.tasks.items() if label in entry.canonical]
        if len(having) == 1:
            return having[0], self.resolve(having[0], label)
        nearest = [name for entry in self.tasks.values() for name in entry.nearest(label)]
        ranked = difflib.get_close_matches(label[:_COMPARED], nearest, n=3, cutoff=0.0)
        raise RowError("unknown_label", f"nearest: {', '.join(ranked)}")

    def labels(self, task: str) -> tuple[str, ...]:
        """All labels of a task in prompt order."""
        return self.tasks[task].names

    def digest(self) -> str:
        """Hash of everything in the registry, for fingerprints."""
        return digest(self.model_dump(mode="json"))


def _text(name_or_path: str | Path) -> str:
    if str(name_or_path) in SHIPPED:
        return (files("curate.labels") / f"{name_or_path}.yaml").read_text(encoding="utf-8")
    path = Path(name_or_path)
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = "is not UTF-8" if isinstance(error, UnicodeDecodeError) else f"cannot be read: {error.strerror}"
        close = difflib.get_close_matches(str(name_or_path), SHIPPED, n=1)
        hint = f" Did you mean '{close[0]}'?" if close else f" Shipped registries: {', '.join(SHIPPED)}."
        raise UsageError(f"label registry {name_or_path} {reason}.{hint}") from error
