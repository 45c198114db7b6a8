"""Prompt templates: YAML files with Jinja texts that turn a record into the messages of a conversation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from curate.dataset.files import digest
from curate.errors import RowError, UsageError
from curate.labels.registry import Registry
from curate.records import PLACEHOLDER, Record, escape_placeholders

SHIPPED = Path(__file__).parent / "templates"

CODES = {
    "no_template": "The template has no prompt for the record's task.",
    "no_answer": "The record has no label and does not end with an answer, so there is nothing to learn from it.",
    "roles_do_not_alternate": "The dialogue begins with the agent or has no turn of the user: no trainer takes it.",
    "empty_dialogue": "The dialogue is empty: it has neither text nor pictures.",
}
"""Codes of records that a template cannot turn into a conversation."""


@dataclass(frozen=True)
class Message:
    """One message of a conversation; `role` is system, user or assistant."""

    role: str
    text: str


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class TaskPrompt(_Model):
    """The texts of one task. Jinja variables: dialogue, label, labels, picture_texts, record."""

    system: str | None = None
    """System text; None for none."""

    user: str | None = None
    """The question; None takes the dialogue's own turns as they are."""

    answer: str | None = None
    """The answer to learn; None takes the label, or the agent's last turn where there is no label."""


class TemplateFile(_Model):
    """What a template file may say."""

    name: str
    """Name of the template."""

    description: str = ""
    """One sentence for people."""

    registry: str | None = None
    """Label registry that `labels` is taken from, in prompt order."""

    roles: dict[str, str] = Field(default={"user": "user", "agent": "agent", "system": "system"})
    """Names of the roles in `dialogue`."""

    picture_text: str = ""
    """How text read in a picture is written; Jinja variables: number (from 1) and text."""

    tasks: dict[str, TaskPrompt]
    """Prompts by task; `*` stands for every other task."""


class Template:
    """A template, ready to render.

    Args:
        file: The checked contents of the template file.
    """

    def __init__(self, file: TemplateFile) -> None:
        self.file = file
        self._environment = ImmutableSandboxedEnvironment(
            undefined=jinja2.StrictUndefined, keep_trailing_newline=True, trim_blocks=False, autoescape=False
        )
        self._compiled: dict[str, jinja2.Template] = {}

    @classmethod
    def load(cls, name_or_path: str, folder: Path | None = None) -> Template:
        """Load a shipped template by name, or a YAML file.

        Raises:
            UsageError: there is none, or it does not fit its schema.
        """
        shipped = SHIPPED / f"{name_or_path}.yaml"
        path = shipped if shipped.is_file() else (folder or Path()) / name_or_path
        try:
            value = YAML(typ="safe").load(path.read_text("utf-8"))
            return cls(TemplateFile.model_validate(value))
        except OSError as error:
            names = ", ".join(sorted(item.stem for item in SHIPPED.glob("*.yaml")))
            raise UsageError(
                f"there is no template '{name_or_path}'; shipped are {names}, or give a YAML file"
            ) from error
        except (YAMLError, ValidationError, UnicodeDecodeError) as error:
            raise UsageError(f"{path}: not a valid template: {error}") from error

    def digest(self) -> str:
        """Digest of the template and the registry that it uses."""
        return digest([self.file.model_dump(mode="json"), self.registry.digest() if self.registry else None])

    @cached_property
    def registry(self) -> Registry | None:
        """The label registry that the template names."""
        return Registry.load(self.file.registry) if self.file.registry else None

    def messages(self, record: Record, ocr_characters: int | None) -> list[Message]:
        """Turn a record into messages: optional system, then user and assistant in turn, the answer last.

        Args:
            record: The record.
            ocr_characters: Characters of each picture's text to add at most; None adds none.

        Raises:
            RowError: one of `CODES`.
        """
        prompt = self.file.tasks.get(record.task) or self.file.tasks.get("*")
        if prompt is None:
            raise RowError("no_template", f"template {self.file.name} has no task {record.task}")
        texts = self.picture_texts(record, ocr_characters)
        variables = {
            "dialogue": self._dialogue(record, texts),
            "label": record.label,
            "labels": self._labels(record.task),
            "picture_texts": list(texts.values()),
            "record": record,
        }
        system = self._render(prompt.system, variables) if prompt.system is not None else record.system
        head = [Message("system", system)] if system else []
        if prompt.user is None:
            return head + _conversation(record, texts)
        if record.label is None:
            raise RowError("no_answer")
        answer = self._render(prompt.answer, variables) if prompt.answer is not None else record.label
        return [*head, Message("user", self._render(prompt.user, variables)), Message("assistant", answer)]

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

    def _dialogue(self, record: Record, texts: Mapping[int, str]) -> str:
        lines: list[str] = []
        number = 0
        for turn in record.turns:
            lines.append(f"{self.file.roles.get(turn.role, turn.role)}: {turn.text}")
            for _ in range(turn.text.count(PLACEHOLDER)):
                number += 1
                if number in texts:
                    lines.append(texts[number])
        return "\n".join(lines)

    def _labels(self, task: str) -> str:
        if self.registry is None or task not in self.registry.tasks:
            return "[]"
        return json.dumps(list(self.registry.tasks[task].names), ensure_ascii=False, separators=(",", ":"))

    def _render(self, text: str, variables: Mapping[str, Any]) -> str:
        if text not in self._compiled:
            self._compiled[text] = self._environment.from_string(text)
        return self._compiled[text].render(variables)


def harmless(text: str) -> str:
    """Make text that was read in a picture harmless: no placeholders, no special tokens of a chat template."""
    return escape_placeholders(text).replace("<|", "‹|").replace("|>", "|›")


def _conversation(record: Record, texts: Mapping[int, str]) -> list[Message]:
    """The record's own turns, neighbours of the same role joined, the label as the last answer."""
    messages: list[Message] = []
    number = 0
    for turn in record.turns:
        if turn.role == "system":
            continue
        lines = [turn.text]
        for _ in range(turn.text.count(PLACEHOLDER)):
            number += 1
            lines += [texts[number]] if number in texts else []
        role = "assistant" if turn.role == "agent" else "user"
        text = "\n".join(line for line in lines if line)
        if messages and messages[-1].role == role:
            messages[-1] = Message(role, "\n".join(part for part in (messages[-1].text, text) if part))
        else:
            messages.append(Message(role, text))
    if record.label is not None:
        if messages and messages[-1].role == "assistant":
            messages.pop()
        messages.append(Message("assistant", record.label))
    return _checked(messages)


def _checked(messages: list[Message]) -> list[Message]:
    if not any(message.text for message in messages):
        raise RowError("empty_dialogue")
    if messages[0].role != "user":
        raise RowError("roles_do_not_alternate")
    if messages[-1].role != "assistant" or not messages[-1].text:
        raise RowError("no_answer")
    return messages
