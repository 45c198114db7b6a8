"""The rows that a report shows."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from curate.diff.compare import Rows
from curate.diff.details import MOST_CHANGES, change_of, content_of, pictures_between
from curate.diff.drift import rounded
from curate.diff.kept import LEADING, Shown
from curate.diff.ledgers import reasons_of
from curate.diff.measures import REPEATED
from curate.diff.sample import ImagePair, Match, Reason, RowSample
from curate.diff.segments import visible
from curate.diff.state import State
from curate.diff.survey import KEY
from curate.diff.table import Table
from curate.diff.walk import Difference

TEXT_CHARACTERS = 600
"""Characters of a text around its edits that are shown."""


class Samples:
    """Builds samples; each call reads its rows from the tables."""

    def __init__(self, state: State, longest: int | None = TEXT_CHARACTERS) -> None:
        self._state = state
        self._longest = longest
        self._words = state.options.text_diff == "word"
        self._columns = state.layout.columns
        self.sources = [column.source for column in self._columns]
        """Columns that are read of rows on one side."""
        self._repeated = state.newly(REPEATED)[state.places(1, state.pairs.b)]
        self._pictured = [column for column in self._columns if column.compared_as == "image"]

    def changed(self, shown: Shown) -> tuple[RowSample, ...]:
        """Matched rows with their differences, by their place among the pairs, sorted by name."""
        if not shown:
            return ()
        places = np.array(sorted(shown), np.int64)
        rows_a, rows_b = self._state.pairs.a[places], self._state.pairs.b[places]
        before, after = self._pictures_of(self._state.a, rows_a), self._pictures_of(self._state.b, rows_b)
        names, facets = self._state.names(1, rows_b), self._state.facets(1, rows_b)
        reasons, ids = self._reasons(1, rows_b), self._source_ids(rows_b, 1)
        found = [
            self._pair(int(place), names[n], facets[n], reasons[n], ids[n], shown[int(place)], before[n], after[n])
            for n, place in enumerate(places)
        ]
        return tuple(sorted(found, key=lambda row: row.uid))

    def _pictures_of(self, table: Table, rows: Rows) -> list[dict[str, Any]]:
        """The cells of pictures of some rows, in their order; nothing is read where there are no pictures."""
        if not self._pictured:
            return [{}] * len(rows)
        found = table.read(np.unique(rows), [column.source for column in self._pictured])
        return [found[row] for row in rows.tolist()]

    def one_sided(self, side: int, frame: pl.DataFrame) -> tuple[RowSample, ...]:
        """Removed rows (side 0) or added ones (side 1), as they were read, sorted by name."""
        if not len(frame):
            return ()
        table = (self._state.a, self._state.b)[side]
        values = table.values(frame, self.sources)
        chosen = np.array(list(values), np.int64)
        names, facets = self._state.names(side, chosen), self._state.facets(side, chosen)
        reasons, ids = self._reasons(side, chosen), self._source_ids(chosen, side)
        derived = set(self._state.left_b[self._state.derived].tolist()) if side else set()
        found = []
        for place, row in enumerate(chosen.tolist()):
            failed = any(reason.action == "failed" for reason in reasons[place])
            found.append(
                RowSample(
                    uid=visible(names[place]),
                    source_id=ids[place],
                    row_a=None if side else row,
                    row_b=row if side else None,
                    status="added" if side else "removed",
                    flags=("derived",) if row in derived else ("failed",) if failed and not side else (),
                    facets=_shown(facets[place]),
                    reasons=reasons[place],
                    images=self._pictures(values[row], side),
                    content=content_of(values[row], self._columns, self._longest),
                )
            )
        return tuple(sorted(found, key=lambda row: row.uid))

    def _pair(
        self,
        place: int,
        name: str,
        facets: dict[str, str],
        reasons: tuple[Reason, ...],
        source_id: str | None,
        differences: list[Difference],
        before: dict[str, Any],
        after: dict[str, Any],
    ) -> RowSample:
        state, pairs = self._state, self._state.pairs
        most = MOST_CHANGES if self._longest is not None else len(differences)
        score = float(pairs.score[place])
        flags = {
            "moved_split": state.moved_split[place],
            "digits": pairs.digits[place],
            "image_mismatch": pairs.broken[place],
            "repeated_roles": self._repeated[place],
        }
        return RowSample(
            uid=visible(name),
            source_id=source_id,
            key=self._key(place),
            row_a=int(pairs.a[place]),
            row_b=int(pairs.b[place]),
            status="changed" if differences else "same",
            match=Match(
                by=state.match_names[pairs.by[place]],
                score=None if np.isnan(score) else rounded(score),
            ),
            flags=tuple(flag for flag, is_set in flags.items() if is_set),  # type: ignore[misc]
            facets=_shown(facets),
            classes=tuple(dict.fromkeys(one.change for one in differences)),
            reasons=reasons,
            changes=tuple(change_of(one, self._longest, self._words) for one in _worst_first(differences)[:most]),
            more_changes=max(0, len(differences) - most),
            images=tuple(
                pair
                for column in self._pictured
                for pair in pictures_between(before[column.source], after[column.source], column, state.a, state.b)
            ),
        )

    def _key(self, place: int) -> dict[str, str] | None:
        if self._state.matching.mode != "key":
            return None
        rows = self._state.places(1, self._state.pairs.b[[place]])
        shown = self._state.survey_b.rows[rows]
        return {visible(name): visible(str(shown[KEY + name][0])) for name in self._state.matching.key}

    def _pictures(self, values: dict[str, Any], side: int) -> tuple[ImagePair, ...]:
        found: list[ImagePair] = []
        for column in self._pictured:
            cells = (None, values[column.source]) if side else (values[column.source], None)
            found += pictures_between(cells[0], cells[1], column, self._state.a, self._state.b)
        return tuple(found)

    def _reasons(self, side: int, rows: Rows) -> list[tuple[Reason, ...]]:
        if not self._state.steps:
            return [()] * len(rows)
        names = self._state.names(side, rows)
        told = reasons_of(self._state.steps, names)
        return [tuple(_visible(reason) for reason in told.get(name, ())) for name in names]

    def _source_ids(self, rows: Rows, side: int) -> list[str | None]:
        frame = (self._state.survey_a, self._state.survey_b)[side].rows
        if KEY + "source_id" not in frame.columns:
            return [None] * len(rows)
        ids = frame[self._state.places(side, rows)][KEY + "source_id"].cast(pl.String).to_list()
        return [None if one is None else visible(one) for one in ids]


def _worst_first(differences: list[Difference]) -> list[Difference]:
    """The most worrying changes first, so that they are shown where not all are; else in the order of the row."""

    def worry(one: Difference) -> int:
        return LEADING.index(one.change) if one.change in LEADING else len(LEADING)

    return sorted(differences, key=worry) if len(differences) > MOST_CHANGES else differences


def _visible(reason: Reason) -> Reason:
    return reason.model_copy(update={"detail": visible(reason.detail) if reason.detail else reason.detail})


def _shown(facets: dict[str, str]) -> dict[str, str]:
    return {visible(name): visible(value) for name, value in facets.items()}
