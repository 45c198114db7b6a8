"""What the validator says: findings, and a verdict for each row and file."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from curate.dataset.vision import Bounds

Effect = Literal["accepts", "drops", "stops", "crashes"]
"""What the consumer does: takes the row, leaves it out with at most a warning, ends before the first step, or ends
at a training step."""

EFFECTS: tuple[Effect, ...] = ("accepts", "drops", "crashes", "stops")
"""From the mildest on; what stops a run hides that it would have crashed later."""


@dataclass(frozen=True)
class Rule:
    """One rule of a consumer."""

    code: str
    effect: Effect
    error: bool
    """Whether an export that breaks it is not valid; else it is a warning."""
    meaning: str
    fix: str


@dataclass(frozen=True)
class Finding:
    """A broken rule and where."""

    file: str
    row: int | None
    """Number of the row in its file, from 0; None where the whole file is meant."""
    id: str
    """The row's own id, where it has one."""
    rule: Rule
    message: str
    """What is wrong, with the numbers."""

    @property
    def code(self) -> str:
        """The rule's code."""
        return self.rule.code

    @property
    def effect(self) -> Effect:
        """What the consumer does with the row or file."""
        return self.rule.effect

    @property
    def place(self) -> str:
        """File and row, for people."""
        named = f" ({self.id})" if self.id else ""
        return self.file if self.row is None else f"{self.file} row {self.row}{named}"

    def as_dict(self) -> dict[str, Any]:
        """Give the finding for `--json`."""
        return {
            "file": self.file,
            "row": self.row,
            "id": self.id or None,
            "code": self.code,
            "effect": self.effect,
            "level": "error" if self.rule.error else "warning",
            "message": self.message,
            "fix": self.rule.fix,
        }


@dataclass
class FileReport:
    """What the consumer makes of one file, or one entry of dataset_info.json."""

    name: str
    rows: int = 0
    effects: dict[int, Effect] = field(default_factory=dict)
    """Effects of rows that are not simply accepted."""
    whole: Effect | None = None
    """Effect of something that concerns the file as a whole."""
    image_tokens: int = 0
    """Picture tokens of all rows that are accepted, the marks around pictures not counted."""
    longest: int = 0
    """Tokens of the longest accepted row."""
    counted: bool = True
    """Whether it holds rows; a configuration does not."""

    @property
    def kept(self) -> int:
        """Rows that the consumer learns from, if it comes that far."""
        return self.rows - sum(effect == "drops" for effect in self.effects.values())

    @property
    def verdict(self) -> Effect:
        """What becomes of a run with this file: the gravest effect; a file without a row left stops it."""
        accepted: Effect = "accepts"
        found = [accepted, *self.effects.values(), *([self.whole] if self.whole else [])]
        worst = max(found, key=EFFECTS.index)
        return "stops" if self.counted and self.kept <= 0 and worst != "crashes" else worst

    def as_dict(self) -> dict[str, Any]:
        """Give the verdict for `--json`."""
        return {
            "file": self.name,
            "verdict": self.verdict,
            "rows": self.rows,
            "kept": self.kept,
            "image_tokens": self.image_tokens,
            "longest": self.longest,
        }


@dataclass
class Report:
    """Everything that the validator found."""

    consumer: str
    wanted: str
    """What the consumer looks for in a folder."""
    files: list[FileReport] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def errors(self) -> list[Finding]:
        """Findings that make the export invalid."""
        return [one for one in self.findings if one.rule.error]

    @property
    def warnings(self) -> list[Finding]:
        """Findings that leave the export valid."""
        return [one for one in self.findings if not one.rule.error]

    def counts(self) -> dict[str, int]:
        """Findings by code."""
        return dict(sorted(Counter(one.code for one in self.findings).items()))

    def as_dict(self) -> dict[str, Any]:
        """Give the report for `--json`."""
        return {
            "for": self.consumer,
            "valid": not self.errors,
            "files": [file.as_dict() for file in self.files],
            "counts": self.counts(),
            "findings": [one.as_dict() for one in self.findings],
        }


@dataclass(frozen=True)
class Settings:
    """What the consumer will be told; what is None is taken from the folder's own configurations, or its default."""

    cutoff_len: int | None = None
    bounds: Bounds | None = None
    tokenizer: Path | None = None
    answer_len: int | None = None
    images_per_row: int | None = None
    decode: bool = True
    """Whether pictures are decoded whole, not only their headers read."""
    final: Path | None = None
    """Where the folder will be; absolute paths below it are looked up in the folder."""
