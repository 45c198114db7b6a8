"""What steps, exports and runs tell when they are done."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from curate.pipeline.afterwards import Said
from curate.pipeline.outcome import Counts


@dataclass
class StepResult:
    """What a finished step tells: its counts, how long it took, and whether it was found done."""

    title: str
    folder: str
    counts: Counts
    seconds: float
    reused: bool
    why: str
    unit: str = "rows"
    tally: dict[str, int] = field(default_factory=dict)
    """What the stage told of its work in this run, by name (`pictures_read`)."""

    def as_dict(self) -> dict[str, Any]:
        """Give the entry for `run.json`."""
        return {
            "title": self.title,
            "folder": self.folder,
            "reused": self.reused,
            "why": self.why,
            "seconds": round(self.seconds, 3),
            **({"tally": self.tally} if self.tally else {}),
            **self.counts.as_dict(),
        }


@dataclass
class ExportResult:
    """What an export wrote, and what it left out and why."""

    title: str
    folder: Path
    facts: dict[str, Any]
    left_out: dict[str, int]
    reused: bool
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """Give the entry for `run.json`; the folder by name, below `exports`."""
        return {
            "title": self.title,
            "folder": f"exports/{self.folder.name}",
            "reused": self.reused,
            "seconds": round(self.seconds, 3),
            "left_out": self.left_out,
            **self.facts,
        }


@dataclass
class RunResult:
    """What a run did: the steps, the exports, and whether rows failed."""

    out: Path
    steps: list[StepResult] = field(default_factory=list)
    exports: list[ExportResult] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    """What came of the recipe's keys that are about the finished rows."""
    status: str = "finished"

    @property
    def failed_rows(self) -> int:
        """Rows that were set aside in any step because they are bad; what an export leaves out is in its own counts."""
        return sum(step.counts.failed for step in self.steps)

    def as_dict(self) -> dict[str, Any]:
        """Give what `run.json` and `--json` say of the run."""
        return {
            "status": self.status,
            "failed_rows": self.failed_rows,
            "steps": [step.as_dict() for step in self.steps],
            "exports": [export.as_dict() for export in self.exports],
            **{said.key: said.facts for said in self.said},
        }
