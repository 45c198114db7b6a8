"""A row as a conversation, whichever format it came in, and the checks that do not depend on the consumer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from curate.export.chatml import IMAGE_PAD
from curate.export.tokens import REGION_MARKS, SPECIAL


@dataclass
class Conversation:
    """Questions and answers in turn."""

    questions: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    system: str | None = None
    images: list[Any] = field(default_factory=list)

    @property
    def texts(self) -> list[str]:
        """All texts of user and assistant."""
        return [*self.questions, *self.answers]


def special_tokens(texts: Sequence[str]) -> tuple[set[str], bool]:
    """Special tokens written in texts, apart from those that mark regions; and whether one breaks a training step.

    A written <|image_pad|> is counted as a picture's token; <|video_pad|> only behind <|vision_start|>.
    """
    found = {match.group() for text in texts for match in SPECIAL.finditer(text)}
    breaks = IMAGE_PAD in found or any("<|vision_start|><|video_pad|>" in text for text in texts)
    return found - REGION_MARKS, breaks


def as_list(value: Any) -> list[Any]:
    """Pictures of a row as a list, as trainers take them: nothing for null, one for a single value."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
