"""The contract of what a recipe asks for once its rows are done: its data card brought up to date, for example."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

Asked = TypeVar("Asked")


@dataclass(frozen=True)
class Said:
    """What came of it."""

    key: str
    """The recipe's key."""
    line: str
    """One line for the screen."""
    ok: bool = True
    """Whether the run ends well."""
    facts: dict[str, Any] = field(default_factory=dict)
    """For `run.json` and `--json`."""


class Afterwards(ABC, Generic[Asked]):
    """One key of a recipe, from `registry.AFTERWARDS`, made with that key's value."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked

    @abstractmethod
    def check(self) -> None:
        """Make sure, before anything runs, that it can be done.

        Raises:
            UsageError: it cannot.
        """

    @abstractmethod
    def do(self, run: Path) -> Said:
        """Do it. All steps and exports of the run are finished, and `run.json` says so."""
