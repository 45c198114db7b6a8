"""What became of a batch: the tables that are written of it, and the counts that must add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa


@dataclass
class Outcome:
    """What became of a batch: the four tables that are written, and the counts that must add up."""

    rows: pa.Table
    ledger: pa.Table
    dropped: pa.Table
    failed: pa.Table
    counts: Counts
    tally: Counter[str]
    """What `Batch.tally` came to."""


@dataclass
class Counts:
    """`rows_in = kept + dropped + failed` and `rows_out = kept + added`, for every shard and every stage."""

    rows_in: int = 0
    kept: int = 0
    dropped: int = 0
    failed: int = 0
    added: int = 0
    changed: int = 0
    codes: dict[str, dict[str, int]] = field(default_factory=dict)
    """Rows by action and code."""

    @property
    def rows_out(self) -> int:
        """Rows that go on to the next stage."""
        return self.kept + self.added

    def add(self, other: Counts) -> None:
        """Add the counts of another shard to these."""
        for name in ("rows_in", "kept", "dropped", "failed", "added", "changed"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for action, codes in other.codes.items():
            mine = self.codes.setdefault(action, {})
            for code, rows in codes.items():
                mine[code] = mine.get(code, 0) + rows

    def as_dict(self) -> dict[str, Any]:
        """Give the counts for a manifest, codes in a stable order."""
        codes = {action: dict(sorted(rows.items())) for action, rows in sorted(self.codes.items())}
        return {
            "rows_in": self.rows_in,
            "kept": self.kept,
            "dropped": self.dropped,
            "failed": self.failed,
            "added": self.added,
            "changed": self.changed,
            "rows_out": self.rows_out,
            "codes": codes,
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Counts:
        """Read the counts back from a manifest."""
        return cls(**{name: value[name] for name in cls.__dataclass_fields__})


def join(outcomes: Sequence[Outcome]) -> Outcome:
    """Join the outcomes of consecutive batches to one."""
    counts = Counts()
    tally: Counter[str] = Counter()
    for outcome in outcomes:
        counts.add(outcome.counts)
        tally.update(outcome.tally)
    tables = {
        name: pa.concat_tables([getattr(outcome, name) for outcome in outcomes]).combine_chunks()
        for name in ("rows", "ledger", "dropped", "failed")
    }
    return Outcome(**tables, counts=counts, tally=tally)
