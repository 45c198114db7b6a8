"""What the benchmarks give to the table: one figure a line, with its spread, a peer beside it and a bar."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Bar:
    """What a figure has to reach."""

    of: Literal["figure", "ratio"]
    sign: Literal["<=", ">="]
    number: float

    def holds(self, value: float) -> bool:
        """Whether a value reaches it."""
        return value <= self.number if self.sign == "<=" else value >= self.number


@dataclass(frozen=True)
class Figure:
    """One thing that was measured, once in each round."""

    name: str
    unit: str
    values: Sequence[float]
    peer: str = ""
    """What was measured beside it, in the same rounds."""
    peer_values: Sequence[float] = ()
    better: Literal["lower", "higher"] = "lower"
    bar: Bar | None = None
    headline: bool = False
    """Whether the README shows it."""
    records: int | None = None
    """Of how many records it is, where it stands in a row of growing numbers."""

    @property
    def ratios(self) -> list[float]:
        """How many times better than the peer, round by round; empty where there is none."""
        pairs = zip(self.values, self.peer_values, strict=True) if self.peer_values else ()
        return [peer / own if self.better == "lower" else own / peer for own, peer in pairs]

    @property
    def reached(self) -> bool | None:
        """Whether the middle of the rounds reaches the bar; None where there is none."""
        if self.bar is None:
            return None
        return self.bar.holds(statistics.median(self.values if self.bar.of == "figure" else self.ratios))

    def as_dict(self) -> dict[str, Any]:
        """Give it as JSON: every round, and the spread."""
        return {
            "name": self.name,
            "unit": self.unit,
            "better": self.better,
            "headline": self.headline,
            "records": self.records,
            "values": [round(value, 4) for value in self.values],
            "spread": spread(self.values),
            "peer": self.peer or None,
            "peer_values": [round(value, 4) for value in self.peer_values],
            "times_better": spread(self.ratios) if self.peer_values else None,
            "bar": {"of": self.bar.of, "sign": self.bar.sign, "number": self.bar.number} if self.bar else None,
            "reached": self.reached,
        }


def spread(values: Sequence[float]) -> dict[str, float]:
    """The least, the middle and the most."""
    return {
        "min": round(min(values), 4),
        "median": round(statistics.median(values), 4),
        "max": round(max(values), 4),
    }
