"""What rules may not take away, and what all entries of a rule file have in common."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from curate.denoise.patterns import either

Level = Literal["characters", "sentence", "word", "dialogue", "ocr"]
LEVELS: tuple[Level, ...] = ("characters", "sentence", "word", "dialogue", "ocr")


class Model(BaseModel):
    """Base of everything in a rule file: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Keep(Model):
    """What no rule on sentences or lines may take away: a clause or line in which a pattern is found survives."""

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    """Name of the kind of thing."""

    levels: tuple[Literal["sentence", "ocr"], ...] = ("sentence", "ocr")
    """Where it counts."""

    against: tuple[str, ...] = ()
    """Ids of the rules that it counts against; empty: all of these levels."""

    why: str
    """What it is."""

    find: tuple[str, ...]
    """Regular expressions; any of them is enough."""

    finds: tuple[str, ...] = Field(min_length=1)
    """Examples in which it must be found."""

    spares: tuple[str, ...] = Field(min_length=1)
    """Examples in which it must not be found."""

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """All patterns as one."""
        return either(self.find)

    @model_validator(mode="after")
    def _compiles(self) -> Keep:
        _ = self.pattern
        return self

    def counts(self, level: Level, rule: str) -> bool:
        """Whether it speaks against a rule of a level."""
        return level in self.levels and (not self.against or rule in self.against)

    def saves(self, text: str, level: Level, rule: str) -> bool:
        """Whether a text must survive a rule of a level."""
        return self.counts(level, rule) and self.pattern.search(text) is not None
