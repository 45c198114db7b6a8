"""Everything that is known of two tables after their rows were paired; what the parts of a report are made from."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from curate.diff.columns import Layout
from curate.diff.compare import Pairs
from curate.diff.kept import rank_of
from curate.diff.options import DiffOptions
from curate.diff.report import Note
from curate.diff.survey import KEY, Survey
from curate.diff.table import Table
from curate.diff.tables import Matching

Rows = npt.NDArray[np.int64]
Bits = npt.NDArray[np.bool_]


@dataclass
class State:
    """Two tables and their pairs."""

    a: Table
    b: Table
    survey_a: Survey
    survey_b: Survey
    layout: Layout
    pairs: Pairs
    matching: Matching
    match_names: list[str]
    """`by` of each rung, as `Pairs.by` counts them."""
    left_a: Rows
    left_b: Rows
    """Row numbers without a partner, ascending."""
    options: DiffOptions
    steps: list[Path] = field(default_factory=list)
    """Steps of a run between A and B."""
    notes: list[Note] = field(default_factory=list)

    def places(self, side: int, rows: Rows) -> Rows:
        """Places in the survey of a side of some row numbers."""
        return (self.survey_a, self.survey_b)[side].places(rows)

    def names(self, side: int, rows: Rows) -> list[str]:
        """What rows are called: uid, else key, else the side and the number of the row."""
        survey = (self.survey_a, self.survey_b)[side]
        columns = self._name_columns
        if not columns:
            return [f"{'ab'[side]}:{row}" for row in rows.tolist()]
        shown = survey.rows[self.places(side, rows)].select(pl.col(KEY + name).cast(pl.String) for name in columns)
        fallback = (f"{'ab'[side]}:{row}" for row in rows.tolist())
        return [
            other if any(part is None for part in row) else ",".join(row)
            for row, other in zip(shown.iter_rows(), fallback, strict=True)
        ]

    @cached_property
    def _name_columns(self) -> list[str]:
        if self.a.as_records and self.b.as_records:
            return ["uid"]
        if self.matching.mode == "uid":
            return [name for name in ("_curate.uid", "uid") if KEY + name in self.survey_a.rows.columns][:1]
        return list(self.matching.key)

    def pair_names(self, places: Rows) -> list[str]:
        """Names of pairs, by their place: those that their rows have in B."""
        return self.names(1, self.pairs.b[places])

    def facets(self, side: int, rows: Rows) -> list[dict[str, str]]:
        """Categories of some rows."""
        survey = (self.survey_a, self.survey_b)[side]
        places = self.places(side, rows)
        columns = {name: facet.names(places) for name, facet in survey.facets.items()}
        return [
            {name: value for name, values in columns.items() if (value := values[place]) is not None}
            for place in range(len(rows))
        ]

    def marked(self, side: int, rows: Rows) -> Bits:
        """Bits over the survey of a side, set for some row numbers."""
        bits = np.zeros(len((self.survey_a, self.survey_b)[side]), bool)
        bits[self.places(side, rows)] = True
        return bits

    def flagged(self, side: int, measure: str) -> Bits:
        """Rows of a side's survey of which a measure that is a flag holds."""
        survey = (self.survey_a, self.survey_b)[side]
        values = survey.measures.get(measure)
        found: Bits = np.zeros(len(survey), bool) if values is None else values > 0
        return found

    def newly(self, measure: str) -> Bits:
        """Rows of B of which a flag holds, while it did not of their partner in A."""
        was = np.zeros(len(self.survey_b), bool)
        was[self.places(1, self.pairs.b)] = self.flagged(0, measure)[self.places(0, self.pairs.a)]
        return self.flagged(1, measure) & ~was

    def sampled(self, side: int, rows: Rows, wanted: int) -> Rows:
        """Choose rows by hash(seed, name), so that a row stays a sample when others change."""
        ranked = sorted(
            (rank_of(name, self.options.seed), row)
            for name, row in zip(self.names(side, rows), rows.tolist(), strict=True)
        )
        return np.array([row for _, row in ranked[:wanted]], np.int64)

    @cached_property
    def moved_split(self) -> Bits:
        """Whether both versions of a pair are in a split, and in different ones."""
        one, other = self.survey_a.facets.get("split"), self.survey_b.facets.get("split")
        if one is None or other is None:
            return np.zeros(len(self.pairs), bool)
        values = {value: place for place, value in enumerate(dict.fromkeys([*one.values, *other.values]))}
        left, right = (
            np.array([values[value] for value in facet.values])[facet.codes[self.places(side, rows)]]
            for side, (facet, rows) in enumerate(((one, self.pairs.a), (other, self.pairs.b)))
        )
        none = values[None]
        found: Bits = (left != right) & (left != none) & (right != none)
        return found

    @cached_property
    def derived(self) -> Bits:
        """For each row of `left_b` whether it is a copy of a row of A or B."""
        if not (self.a.as_records and self.b.as_records) or not len(self.left_b):
            return np.zeros(len(self.left_b), bool)
        parents = self.b.frame(self.left_b, ["parent"])["parent"]
        known = pl.concat([self.survey_a.rows[KEY + "uid"], self.survey_b.rows[KEY + "uid"]])
        found: Bits = (parents.is_not_null() & parents.is_in(known.implode())).to_numpy()
        return found
