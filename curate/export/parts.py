"""Messages whose text is split at the placeholders into parts, as chat templates and servers take them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from curate.export.dialogue import Message
from curate.records import PLACEHOLDER

Part = dict[str, Any]


def split(messages: Sequence[Message], picture: Callable[[], Part], text: Callable[[str], Part]) -> list[Part]:
    """Give messages of role and content, the content as a list of parts; pictures are asked for in order."""
    return [{"role": one.role, "content": list(_parts(one.text, picture, text))} for one in messages]


def _parts(value: str, picture: Callable[[], Part], text: Callable[[str], Part]) -> Iterator[Part]:
    for place, part in enumerate(value.split(PLACEHOLDER)):
        if place:
            yield picture()
        if part or value == "":
            yield text(part)
