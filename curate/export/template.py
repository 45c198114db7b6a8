"""Prompt templates: Jinja texts that turn a record into the messages of a conversation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

from curate.dataset.files import digest
from curate.errors import RowError, UsageError
from curate.export import answers, template_file
from curate.export.dialogue import Message, as_messages, as_text, harmless
from curate.export.template_file import TaskPrompt, TemplateFile
from curate.labels.registry import Registry
from curate.records import Record

CODES = {
    "no_template": "The template has no prompt for the record's task.",
    "no_answer": "The record has no label and does not end with an answer, so there is nothing to learn from it.",
    "roles_do_not_alternate": "The dialogue begins with the agent or has no turn of the user: no trainer takes it.",
    "empty_dialogue": "The dialogue is empty: it has neither text nor pictures.",
}
"""Codes of records that a template cannot turn into a conversation."""


@dataclass(frozen=True)
class Wanted:
    """What a conversation is wanted for."""

    ocr_characters: int | None = None
    """Characters of each picture's text to add at most; None adds none."""
    rationale: bool = False
    """Whether the reason follows as a second turn."""
    answered: bool = True
    """Whether there must be an answer; a row for prediction can do without."""
    coarse_fine: bool = False
    """Whether the answer is `coarse-fine`."""
    seed: int = 0
    """Seed of the order of shuffled labels."""


class Template:
    """A template, ready to render.

    Args:
        file: The checked contents of the template file.
        folder: Where it lies; the registry that it names may lie beside it.
    """

    def __init__(self, file: TemplateFile, folder: Path | None = None) -> None:
        self.file = file
        self._folder = folder
        self._environment = ImmutableSandboxedEnvironment(
            undefined=jinja2.StrictUndefined, keep_trailing_newline=True, trim_blocks=False, autoescape=False
        )
        self._compiled: dict[str, jinja2.Template] = {}

    @classmethod
    def load(cls, name_or_path: str) -> Template:
        """Load a shipped template by name, or a YAML file; raises as `template_file.load`."""
        path = Path(name_or_path)
        return cls(template_file.load(name_or_path), path.parent if path.is_file() else None)

    def digest(self) -> str:
        """Digest of the template and the registry that it uses."""
        return digest([self.file.model_dump(mode="json"), self.registry.digest() if self.registry else None])

    @cached_property
    def registry(self) -> Registry | None:
        """The label registry that the template names."""
        named = self.file.registry
        if not named:
            return None
        beside = self._folder / named if self._folder else None
        return Registry.load(beside if beside and beside.is_file() else named)

    @property
    def speaks_as_system(self) -> bool:
        """Whether a conversation may have a system text: then every row has the column."""
        return "*" in self.file.tasks or any(prompt.system is not None for prompt in self.file.tasks.values())

    @property
    def has_many_turns(self) -> bool:
        """Whether a conversation may have more than one question."""
        return any(prompt.user is None for prompt in self.file.tasks.values())

    def messages(self, record: Record, wanted: Wanted) -> list[Message]:
        """Turn a record into messages: optional system, then user and assistant in turn, an answer last.

        Raises:
            RowError: one of `CODES`.
        UsageError: a text of the template does not render.
        """
        prompt = self.file.prompt(record.task)
        if prompt is None:
            raise RowError("no_template", f"template {self.file.name} has no task {record.task}")
        texts = self.picture_texts(record, wanted.ocr_characters)
        values = self._values(record, texts, wanted)
        system = self._render(prompt.system, values) if prompt.system is not None else record.system
        messages = [Message("system", system)] if system else []
        answer = self._answer(prompt, record, values)
        if prompt.user is None:
            messages += as_messages(record, texts, answer, wanted.answered)
        elif not answer and wanted.answered:
            raise RowError("no_answer")
        else:
            messages += [Message("user", self._render(prompt.user, values)), Message("assistant", answer or "")]
        return messages + (self._rationale(prompt, values) if wanted.rationale else [])

    def picture_texts(self, record: Record, ocr_characters: int | None) -> dict[int, str]:
        """The line to add for each picture that has text, by the picture's number from 1."""
        if ocr_characters is None or not self.file.picture_text:
            return {}
        found: dict[int, str] = {}
        for number, image in enumerate(record.images, start=1):
            text = " ".join((image.ocr.text if image.ocr else "").split())
            if text:
                safe = harmless(text[:ocr_characters])
                found[number] = self._render(self.file.picture_text, {"number": number, "text": safe})
        return found

    def _values(self, record: Record, texts: Mapping[int, str], wanted: Wanted) -> dict[str, Any]:
        labels = answers.listed(self.registry, record.task, self.file.label_order, f"{wanted.seed} {record.uid}")
        label = record.label
        if wanted.coarse_fine:
            labels = [answers.coarse_fine(self.registry, record.task, one) for one in labels]
            label = label if label is None else answers.coarse_fine(self.registry, record.task, label)
        return {
            "dialogue": as_text(record, texts, self.file.roles),
            "label": label,
            "labels": json.dumps(labels, ensure_ascii=False, separators=(",", ":")),
            "description": answers.description(self.registry, record.task, record.label),
            "picture_texts": list(texts.values()),
            "record": record,
            "raw": _Raw(record.raw),
        }

    def _answer(self, prompt: TaskPrompt, record: Record, values: Mapping[str, Any]) -> str | None:
        if record.label is None:
            return None
        return self._render(prompt.answer, values) if prompt.answer is not None else str(values["label"])

    def _rationale(self, prompt: TaskPrompt, values: Mapping[str, Any]) -> list[Message]:
        if prompt.rationale is None:
            return []
        reason = self._render(prompt.rationale.answer, values).strip()
        question = self._render(prompt.rationale.user, values)
        return [Message("user", question), Message("assistant", reason)] if reason else []

    def _render(self, text: str, values: Mapping[str, Any]) -> str:
        try:
            if text not in self._compiled:
                self._compiled[text] = self._environment.from_string(text)
            return self._compiled[text].render(values)
        except jinja2.TemplateError as error:
            raise UsageError(f"template {self.file.name}: {error}, in: {text.strip()[:80]}") from error


class _Raw:
    """The source's own record for templates, read only when it is asked for; a key that is not there is empty."""

    def __init__(self, text: str) -> None:
        self._text = text

    @cached_property
    def _record(self) -> Mapping[str, Any]:
        try:
            value = json.loads(self._text)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}

    def __getitem__(self, key: str) -> Any:
        return self._record.get(key, "")
