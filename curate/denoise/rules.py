"""Denoising rules: YAML files with a schema; every rule brings examples that it must hit and must spare."""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from curate.dataset.files import digest
from curate.errors import UsageError

SHIPPED = Path(__file__).parent / "rules"

Level = Literal["characters", "sentence", "word", "dialogue", "ocr"]
LEVELS: tuple[Level, ...] = ("characters", "sentence", "word", "dialogue", "ocr")


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Hit(_Model):
    """An example that a rule must change."""

    text: str
    """The text; for rules on dialogues one line a turn, `user: …` or `agent: …`."""

    gives: str
    """What it must become."""


class _Rule(_Model):
    """What all rules have."""

    id: str = Field(pattern=r"^[a-z][a-z-]*$")
    """Name of the rule, also its code in the ledger."""

    level: Level
    """When it is applied."""

    role: Literal["user", "agent", "both"] = "both"
    """Whose turns it looks at."""

    on: bool = True
    """Whether it is on unless an option says otherwise."""

    why: str
    """What the rule does, for people."""

    hits: tuple[Hit, ...] = Field(min_length=1)
    """Examples that it must change."""

    spares: tuple[str, ...] = Field(min_length=1)
    """Examples that it must leave alone."""


def _compile(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise ValueError(f"not a valid pattern: {pattern}: {error}") from error


class Step(_Model):
    """A pattern with a replacement of its own."""

    pattern: str
    """Regular expression of Python."""

    by: str
    """What stands there instead."""


class ReplaceRule(_Rule):
    """Replaces what a pattern finds, wherever it stands."""

    kind: Literal["replace"]

    find: tuple[str | Step, ...]
    """Regular expressions of Python, applied one after the other; each may say for itself what it is replaced by."""

    replace: str = ""
    """What stands there instead; `\\g<1>` is the first group."""

    last: bool = False
    """Applied after the words, because word rules look at the blanks that this rule takes away."""

    @cached_property
    def patterns(self) -> tuple[tuple[re.Pattern[str], str], ...]:
        """The compiled patterns, each with what stands there instead."""
        return tuple(
            (_compile(step), self.replace) if isinstance(step, str) else (_compile(step.pattern), step.by)
            for step in self.find
        )

    @model_validator(mode="after")
    def _compiles(self) -> ReplaceRule:
        _ = self.patterns
        return self


class SentenceRule(_Rule):
    """Drops a sentence in which a pattern is found, unless the guard is found too."""

    kind: Literal["sentence"]

    find: tuple[str, ...]
    """Regular expressions; any of them is enough. The sentence comes without blanks and end marks around it."""

    guard: str | None = None
    """A regular expression that saves the sentence."""

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """All patterns as one."""
        return _compile("|".join(f"(?:{pattern})" for pattern in self.find))

    @cached_property
    def guard_pattern(self) -> re.Pattern[str] | None:
        """The compiled guard."""
        return _compile(self.guard) if self.guard else None

    @model_validator(mode="after")
    def _compiles(self) -> SentenceRule:
        _ = self.pattern, self.guard_pattern
        return self


class WordRule(_Rule):
    """Drops words that the segmenter cuts as such, where what stands around them fits."""

    kind: Literal["word"]

    words: tuple[str, ...]
    """The words."""

    before: str = ""
    """Regular expression that must match at the end of what stands before the word; empty: anything."""

    after: str = ""
    """Regular expression that must match at the beginning of what stands behind the word; empty: anything."""

    @cached_property
    def around(self) -> tuple[re.Pattern[str], re.Pattern[str]]:
        """The compiled surroundings."""
        return _compile(f"(?:{self.before})$"), _compile(self.after)

    @model_validator(mode="after")
    def _compiles(self) -> WordRule:
        _ = self.around
        return self


class BuiltInRule(_Rule):
    """A rule that needs more than patterns; `curate.denoise` has its code under the same id."""

    kind: Literal["built-in"]


Rule = Annotated[ReplaceRule | SentenceRule | WordRule | BuiltInRule, Field(discriminator="kind")]

BUILT_IN: dict[str, Level] = {
    "symbol-only": "sentence",
    "short": "sentence",
    "empty-agent": "dialogue",
    "empty-user": "dialogue",
    "repeated-agent": "dialogue",
    "trailing-agent": "dialogue",
    "merge-user": "dialogue",
    "status-bar": "ocr",
    "low-score": "ocr",
    "repeated-line": "ocr",
}
"""Rules with code, and their level."""


class RuleFile(_Model):
    """A file of rules; within a level they are applied in the order of the file."""

    name: str
    """Name of the file."""

    title: str
    """What it is for."""

    language: str
    """Language of the texts, as in `zh`."""

    segmenter_words: tuple[str, ...] = ()
    """Words that the segmenter must keep whole."""

    rules: tuple[Rule, ...]
    """The rules."""

    @model_validator(mode="after")
    def _consistent(self) -> RuleFile:
        ids = [rule.id for rule in self.rules]
        twice = sorted({one for one in ids if ids.count(one) > 1})
        if twice:
            raise ValueError(f"rule {twice[0]} stands twice")
        for rule in self.rules:
            if rule.kind == "built-in" and BUILT_IN.get(rule.id) != rule.level:
                raise ValueError(f"rule {rule.id}: there is no built-in rule of this name on level {rule.level}")
        return self

    def digest(self) -> str:
        """Digest of everything in the file."""
        return digest(self.model_dump(mode="json", exclude={"rules": {"__all__": {"hits", "spares", "why"}}}))


def load_rules(name_or_path: str) -> RuleFile:
    """Load a shipped rule file by name, or a YAML file.

    Raises:
        UsageError: there is none, or it does not fit its schema; the message says where.
    """
    shipped = SHIPPED / f"{name_or_path}.yaml"
    path = shipped if shipped.is_file() else Path(name_or_path)
    try:
        return RuleFile.model_validate(YAML(typ="safe").load(path.read_text("utf-8")))
    except OSError as error:
        names = ", ".join(sorted(item.stem for item in SHIPPED.glob("*.yaml")))
        raise UsageError(f"there are no rules '{name_or_path}'; shipped are {names}, or give a YAML file") from error
    except (YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not valid YAML: {error}") from error
    except ValidationError as error:
        told = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()[:5])
        raise UsageError(f"{path}: {told}") from error
