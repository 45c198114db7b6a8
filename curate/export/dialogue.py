"""A record's own turns as the messages of a conversation, with the text that was read in its pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from curate.errors import RowError
from curate.records import PLACEHOLDER, Record, escape_placeholders


@dataclass(frozen=True)
class Message:
    """One message of a conversation; `role` is system, user or assistant."""

    role: str
    text: str


def harmless(text: str) -> str:
    """Make text that was read in a picture harmless: no placeholders, no special tokens of a chat template."""
    return escape_placeholders(text).replace("<|", "‹|").replace("|>", "|›")


def as_text(record: Record, texts: Mapping[int, str], roles: Mapping[str, str]) -> str:
    """The dialogue as one text: a line a turn, behind it the lines of the pictures sent in it."""
    lines: list[str] = []
    number = 0
    for turn in record.turns:
        lines.append(f"{roles.get(turn.role, turn.role)}: {turn.text}")
        for _ in range(turn.text.count(PLACEHOLDER)):
            number += 1
            if number in texts:
                lines.append(texts[number])
    return "\n".join(lines)


def as_messages(record: Record, texts: Mapping[int, str], answer: str | None, answered: bool) -> list[Message]:
    """The record's own turns, empty ones left away, neighbours of the same role joined, `answer` as the last one.

    Args:
        record: The record.
        texts: Lines to add, by the number of their picture.
        answer: The answer to learn; None takes the agent's last turn.
        answered: Whether there must be an answer; else a missing one is empty.

    Raises:
        RowError: empty_dialogue, roles_do_not_alternate or no_answer.
    """
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
        if not text.strip():
            continue  # an agent that says nothing is nothing to learn
        if messages and messages[-1].role == role:
            messages[-1] = Message(role, "\n".join(part for part in (messages[-1].text, text) if part))
        else:
            messages.append(Message(role, text))
    if not messages:
        raise RowError("empty_dialogue")
    if answer is not None:
        if messages[-1].role == "assistant":
            messages.pop()
        messages.append(Message("assistant", answer))
    elif messages[-1].role == "user" and not answered:
        messages.append(Message("assistant", ""))
    if messages[0].role != "user":
        raise RowError("roles_do_not_alternate")
    if messages[-1].role != "assistant" or (answered and not messages[-1].text):
        raise RowError("no_answer")
    return messages
