"""Roles and picture placeholders of conversations, the same for every dialect."""

from __future__ import annotations

from typing import Any

from curate.errors import RowError
from curate.ingest.parts import Turns, kind
from curate.records import PLACEHOLDER, escape_placeholders

ROLES = {
    **dict.fromkeys(
        ("user", "human", "customer", "client", "buyer", "question", "prompter", "用户", "买家", "顾客"), "user"
    ),
    **dict.fromkeys(("assistant", "gpt", "agent", "bot", "model", "chatgpt", "chatbot", "bing", "bard", "ai"), "agent"),
    **dict.fromkeys(("answer", "seller", "waiter", "客服", "卖家", "助手"), "agent"),
    **dict.fromkeys(("system", "developer", "系统"), "system"),
}
"""Role names seen in public data sets, in lower case."""

_TOOLS = ("tool", "tool_call", "tool_response", "function", "function_call", "observation")


def role(name: Any) -> str:
    """Translate a role name.

    Raises:
        RowError: bad_role, or bad_field where it is not a string.
    """
    if not isinstance(name, str):
        raise RowError("bad_field", f"role: a string is needed, this is {kind(name)}")
    known = ROLES.get(name) or ROLES.get(name.strip().lower())
    if known is not None:
        return known
    if name.strip().lower() in _TOOLS:
        raise RowError("bad_role", "tool calls cannot be read")
    raise RowError("bad_role", f"known roles: {', '.join(ROLES)}")


def lift_system(turns: Turns, system: str | None = None) -> tuple[Turns, str | None]:
    """Take a leading system turn out of the conversation; it wins over a `system` field."""
    if turns and turns[0][0] == "system":
        system, turns = turns[0][1], turns[1:]
    return turns, None if system is None else escape_placeholders(system)


def settle(turns: Turns, images: int, *, typed: bool = False) -> Turns:
    """Make the `<image>` in the turns as many as there are pictures, where it is clear which are meant.

    Where none is there, all pictures go before the first user text, as ms-swift and TRL do. Where too many are
    there, those that stand alone in a turn are taken for pictures if they are as many as the pictures, and the
    others were typed. `<video>` and `<audio>` are always typed.

    Args:
        turns: Role and text.
        images: Number of pictures.
        typed: Whether all may have been typed where there is no picture.

    Raises:
        RowError: image_count_mismatch.
    """
    if not any("<" in text for _, text in turns):
        found = 0
    else:
        turns = [(who, _escape_others(text)) for who, text in turns]
        found = sum(text.count(PLACEHOLDER) for _, text in turns)
    if found == images:
        return turns
    if found == 0:
        return _prepend(turns, images)
    alone = sum(text.count(PLACEHOLDER) for _, text in turns if _is_alone(text))
    if alone == images and (images or typed):
        return [(who, text if _is_alone(text) else escape_placeholders(text)) for who, text in turns]
    raise RowError("image_count_mismatch", f"{found} {PLACEHOLDER} in the text, {images} pictures")


def _escape_others(text: str) -> str:
    if "<video>" in text or "<audio>" in text:
        return PLACEHOLDER.join(escape_placeholders(part) for part in text.split(PLACEHOLDER))
    return text


def _is_alone(text: str) -> bool:
    return PLACEHOLDER in text and not text.replace(PLACEHOLDER, "").strip()


def _prepend(turns: Turns, images: int) -> Turns:
    for number, (who, text) in enumerate(turns):
        if who == "user":
            return [*turns[:number], (who, PLACEHOLDER * images + text), *turns[number + 1 :]]
    raise RowError("image_count_mismatch", f"no {PLACEHOLDER} and no user turn in the text, {images} pictures")
