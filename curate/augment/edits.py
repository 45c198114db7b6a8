"""What one operation changed, told without the text around it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Edit:
    """One change: which operation, in which turn, at which character of the text before it, and what for what."""

    operation: str
    turn: int
    at: int
    what: str
    """Words of the shipped lists, never more of the text than they are."""

    def __str__(self) -> str:
        return f"{self.operation} {self.turn}:{self.at} {self.what}".rstrip()


def told(edits: Iterable[Edit]) -> str:
    """The edits in one line, in order."""
    return "; ".join(map(str, edits))
