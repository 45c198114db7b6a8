"""What a denoising rule is: the schema of rule files. Every rule brings examples that it must hit and must spare."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Annotated, Literal

from pydantic import Field, model_validator

from curate.denoise.keep import Level, Model
from curate.denoise.patterns import check_replacement, compiled, either

Role = Literal["user", "agent", "both"]


OptionName = Literal[
    "min_words", "unit", "min_digits", "separator", "min_score",
    "boilerplate_share", "boilerplate_documents", "boilerplate_lift",
]  # fmt: skip
"""Options of the stage that a rule may name."""
FILLED_IN: tuple[OptionName, ...] = ("min_words", "min_digits")
"""Options whose value can stand in a pattern, as `<<min_digits>>`."""


class Hit(Model):
    """An example that a rule must change."""

    text: str
    """The text; for rules on dialogues one line a turn, `user: …` or `agent: …`; for lines read in pictures one
    line each, `HEIGHT TEXT [SCORE]`, where HEIGHT is the line's place as a share of the picture's height."""

    gives: str
    """What it must become."""


class AnyRule(Model):
    """What all rules have."""

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    """Name of the rule, also its code in the ledger."""

    level: Level
    """When it is applied."""

    role: Role = "both"
    """Whose turns it looks at; turns of the system are never touched."""

    on: bool = True
    """Whether it is on unless an option says otherwise."""

    what: str
    """What the rule does, in one sentence; it explains the rule's code in the ledger."""

    why: str
    """What the noise costs, and what the rule is careful about."""

    keeps: bool = True
    """Whether what stands under `keep` survives this rule (only rules on sentences and lines can take it away)."""

    options: tuple[OptionName, ...] = ()
    """Options of the stage that change what the rule does."""

    before: str | None = None
    """In a file that extends another one: the id of the rule that this one is put in front of."""

    hits: tuple[Hit, ...] = Field(min_length=1)
    """Examples that it must change."""

    spares: tuple[str, ...] = Field(min_length=1)
    """Examples that it must leave alone."""

    def looks_at(self, role: str) -> bool:
        """Whether the rule is for turns of this role."""
        return self.role == role or (self.role == "both" and role in ("user", "agent"))


class Step(Model):
    """A pattern with a replacement of its own."""

    pattern: str
    """Regular expression of Python."""

    by: str
    """What stands there instead."""


class ReplaceRule(AnyRule):
    """Replaces what patterns find, wherever it stands."""

    kind: Literal["replace"]

    find: tuple[str | Step, ...]
    """Regular expressions of Python, applied one after the other; each may say for itself what it is replaced by.
    `<<min_digits>>` stands for the value of that option."""

    replace: str = ""
    """What stands there instead; `\\g<1>` is the first group."""

    last: bool = False
    """Applied after the words, because word rules look at the blanks that this rule takes away."""

    def steps(self, values: dict[str, object] | None = None) -> tuple[tuple[str, str], ...]:
        """Each pattern with what stands there instead; `values` of options are filled in."""
        pairs = [(step, self.replace) if isinstance(step, str) else (step.pattern, step.by) for step in self.find]
        return tuple((self._filled(pattern, values), by) for pattern, by in pairs)

    def _filled(self, pattern: str, values: dict[str, object] | None) -> str:
        for name in [option for option in self.options if option in FILLED_IN]:
            pattern = pattern.replace(f"<<{name}>>", str((values or {}).get(name, 1)))
        return pattern

    @model_validator(mode="after")
    def _compiles(self) -> ReplaceRule:
        for pattern, by in self.steps():
            if "<<" in pattern:
                named = " or ".join(FILLED_IN)
                raise ValueError(f"{pattern}: what stands in << >> must be {named}, and be named in `options`")
            check_replacement(compiled(pattern), by)
        return self


class SentenceRule(AnyRule):
    """Drops a sentence in which a pattern is found, unless the guard is found too."""

    kind: Literal["sentence"]

    find: tuple[str, ...]
    """Regular expressions; any of them is enough. The sentence comes without blanks and end marks around it."""

    guard: str | None = None
    """A regular expression that saves the sentence."""

    whole: bool = False
    """Whether clauses go along in which nothing was found, as in the set phrases of robots. Clauses with a digit or
    Latin letter stay in any case."""

    clauses: bool = True
    """Whether a clause of a longer sentence goes too that would go if it were a sentence."""

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """All patterns as one."""
        return either(self.find)

    @cached_property
    def guard_pattern(self) -> re.Pattern[str] | None:
        """The compiled guard."""
        return compiled(self.guard) if self.guard else None

    @model_validator(mode="after")
    def _compiles(self) -> SentenceRule:
        _ = self.pattern, self.guard_pattern
        return self


class WordRule(AnyRule):
    """Drops words that the segmenter cuts as such, where what stands around them fits."""

    kind: Literal["word"]

    words: tuple[str, ...]
    """The words."""

    left: str = ""
    """Regular expression that must match at the end of what stands before the word; empty: anything."""

    right: str = ""
    """Regular expression that must match at the beginning of what stands behind the word; empty: anything."""

    @cached_property
    def around(self) -> tuple[re.Pattern[str], re.Pattern[str]]:
        """The compiled surroundings."""
        compiled(self.left)
        return compiled(f"(?:{self.left})$"), compiled(self.right)

    @model_validator(mode="after")
    def _compiles(self) -> WordRule:
        _ = self.around
        return self


class LineRule(AnyRule):
    """Drops a line that was read in a picture, where its whole text fits and it lies in the right place."""

    kind: Literal["line"]

    find: tuple[str, ...]
    """Regular expressions; the whole text of the line must match one of them."""

    top: float = Field(default=0, ge=0, le=1)
    """The line must end within this share of the picture's height from the top …"""

    bottom: float = Field(default=0, ge=0, le=1)
    """… or begin within this share from the bottom; both 0: anywhere."""

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """All patterns as one."""
        return either(self.find)

    @model_validator(mode="after")
    def _compiles(self) -> LineRule:
        _ = self.pattern
        return self


class BuiltInRule(AnyRule):
    """A rule that needs more than patterns; `curate.denoise` has its code under the same id."""

    kind: Literal["built-in"]


Rule = Annotated[ReplaceRule | SentenceRule | WordRule | LineRule | BuiltInRule, Field(discriminator="kind")]

BUILT_IN: dict[str, Level] = {
    "symbol-only": "sentence",
    "short": "sentence",
    "empty-agent": "dialogue",
    "empty-user": "dialogue",
    "repeated-agent": "dialogue",
    "trailing-agent": "dialogue",
    "merge-user": "dialogue",
    "low-score": "ocr",
    "repeated-line": "ocr",
    "boilerplate": "ocr",
}
"""Rules with code, and their level."""

KIND_LEVELS: dict[str, tuple[Level, ...]] = {
    "replace": ("characters",),
    "sentence": ("sentence",),
    "word": ("word",),
    "line": ("ocr",),
}
"""Levels on which rules of a kind can stand."""
