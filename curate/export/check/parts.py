"""Messages whose content is text or a list of parts, as TRL and OpenAI-compatible servers take them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from curate.export.check.conversation import Conversation
from curate.records import PLACEHOLDER


@dataclass(frozen=True)
class Part:
    """A stretch of text, or a picture."""

    kind: str
    """`text`, or the type that a picture part has."""
    value: Any
    """The text, or the part itself."""


def of_message(message: Mapping[str, Any]) -> Iterator[Part]:
    """The parts of a message's content."""
    content = message.get("content")
    if isinstance(content, str):
        yield Part("text", content)
        return
    for part in content if isinstance(content, list) else []:
        kind = part.get("type") if isinstance(part, Mapping) else None
        yield Part("text", part.get("text") or "") if kind == "text" else Part(str(kind), part)


def laid(messages: Sequence[Mapping[str, Any]]) -> Conversation:
    """Messages as questions and answers, a placeholder for each picture part; literal placeholders are spaced out.

    Neighbours of one role are put together: what counts here is the number of tokens.
    """
    talk = Conversation()
    for message in messages:
        text = "".join(
            part.value.replace(PLACEHOLDER, "< image>") if part.kind == "text" else PLACEHOLDER
            for part in of_message(message)
        )
        role = message.get("role")
        if role == "system" and not talk.questions:
            talk.system = (talk.system or "") + text
        elif role == "assistant":
            if len(talk.questions) == len(talk.answers):
                talk.questions.append("")
            talk.answers.append(text)
        elif len(talk.questions) > len(talk.answers):
            talk.questions[-1] += text
        else:
            talk.questions.append(text)
    if len(talk.questions) > len(talk.answers):
        talk.answers.append("")
    return talk


def texts(messages: Sequence[Mapping[str, Any]]) -> list[str]:
    """All texts of messages."""
    return [part.value for message in messages for part in of_message(message) if part.kind == "text"]
