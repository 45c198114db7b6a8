"""The ladder that pairs rows: uid, key, equal content, pictures, similar texts; each rung takes what is left over."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from rapidfuzz.distance import Indel

from curate.diff import fuzzy, keys
from curate.diff.cells import says_something, text_of
from curate.diff.columns import Column
from curate.diff.options import DiffOptions
from curate.diff.pairing import A, B, Found, Pairing, by_content, join_keys
from curate.diff.report import Note
from curate.diff.sight import pair_pictures
from curate.diff.survey import KEY, Survey
from curate.diff.table import ROW, RowNumbers, Table
from curate.diff.tables import DuplicateKeys, Matching, MatchStep, RejectedKey
from curate.errors import UsageError

_MOST_IN_GROUP = 10_000
"""Comparisons inside of one group of equal keys; in a larger one only similar texts are paired, found by MinHash."""
_LONGEST = 2_000
"""Characters of a row's text that similarity is computed from."""


@dataclass
class Ladder:
    """Everything that the rungs look at."""

    a: Table
    b: Table
    survey_a: Survey
    survey_b: Survey
    columns: list[Column]
    options: DiffOptions
    warnings: list[Note] = field(default_factory=list)
    rejected: list[RejectedKey] = field(default_factory=list)

    def climb(self, candidates: Sequence[str]) -> tuple[Pairing, Matching]:
        """Pair the rows.

        Raises:
            UsageError: a key occurs twice and that was to be an error.
        """
        pairing = Pairing(self.survey_a.rows, self.survey_b.rows)
        mode, key, twice = self._by_name(pairing, candidates)
        given = bool(self.options.key)
        if mode != "uid" and not given:
            compared = [
                one for one in self.columns if one.name not in [name for no in self.rejected for name in no.key]
            ]
            pairing.take(Found("exact", by_content(pairing.left_a, pairing.left_b, compared)))
            if not self.options.fast:
                self._by_pictures(pairing)
                self._by_texts(pairing)
        return pairing, Matching(
            mode=mode,
            key=key,
            inferred=mode == "key" and not given,
            rejected_keys=tuple(self.rejected),
            by=tuple(
                MatchStep(
                    by=one.by,
                    pairs=len(one.pairs),
                    score_p50=None if one.scores is None else round(float(np.median(one.scores)), 4),
                )
                for one in pairing.found
            ),
            duplicate_keys=twice,
        )

    def _by_name(self, pairing: Pairing, candidates: Sequence[str]) -> tuple[Any, tuple[str, ...], DuplicateKeys]:
        """Rungs 0 and 1: uid, then key. Give the mode, the key and its duplicates."""
        a, b = pairing.left_a, pairing.left_b
        if self.options.key:
            return "key", self.options.key, self._by_key(pairing, self.options.key)
        if self.a.as_records and self.b.as_records:
            pairs = keys.pair_unique(a, b, ["uid"])
            pairing.take(Found("uid", pairs))
            if len(pairs) >= keys.OVERLAP * min(len(a), len(b)):
                return "uid", (), DuplicateKeys()
            return self._by_source_id(pairing)
        for name in candidates:
            why = keys.check(a, b, name, self.columns, self._alike, self.options.seed)
            if why is None:
                mode = "uid" if name in keys.UIDS else "key"
                pairing.take(Found("uid" if mode == "uid" else "key", keys.pair_unique(a, b, [name])))
                return mode, () if mode == "uid" else (name,), DuplicateKeys()
            self.rejected.append(why)
        return "content", (), DuplicateKeys()

    def _by_source_id(self, pairing: Pairing) -> tuple[Any, tuple[str, ...], DuplicateKeys]:
        """Records of two sources: copies share the id of their source, which groups them, if it means the same."""
        a, b = pairing.left_a, pairing.left_b
        pairs = keys.pair_unique(a, b, ["source_id"])
        score = keys.probe(a, b, pairs, self.columns, self._alike, self.options.seed)
        if len(pairs) and (score is None or score >= 0.3):
            return "key", ("source_id",), self._by_key(pairing, ("source_id",))
        self.rejected.append(
            RejectedKey(key=("source_id",), why="rows with the same value say other things, or none has")
        )
        return "content", (), DuplicateKeys()

    def _by_key(self, pairing: Pairing, key: tuple[str, ...]) -> DuplicateKeys:
        a, b = pairing.left_a, pairing.left_b
        in_a, in_b, samples = keys.duplicates(a, b, key)
        if (in_a or in_b) and self.options.on_duplicate_key == "error":
            raise UsageError(
                f"the key {', '.join(key)} is not unique: {in_a:,} rows of A and {in_b:,} of B share theirs, "
                f"for example {samples[0]}; add a column with --key, or leave --on-duplicate-key out"
            )
        pairs = keys.pair_unique(a, b, key) if in_a or in_b else join_keys(a, b, key)
        if self.options.key and len(pairs):
            score = keys.probe(
                a, b, pairs, [one for one in self.columns if one.name not in key], self._alike, self.options.seed
            )
            if score is not None and score < 0.3:
                text = f"rows with the same {', '.join(key)} say other things (median similarity {score:.2f})"
                self.warnings.append(Note(code="key_joins_strangers", text=text))
        pairing.take(Found("key", pairs))
        if in_a or in_b:
            self._inside_groups(pairing, key)
        return DuplicateKeys(a=in_a, b=in_b, samples=tuple(samples))

    def _inside_groups(self, pairing: Pairing, key: tuple[str, ...]) -> None:
        """Rows that share their key: equal ones first, then the most similar ones; what is over stays over."""
        names = [KEY + name for name in key]
        whole_a, whole_b = pairing.left_a.drop_nulls(names), pairing.left_b.drop_nulls(names)
        pairing.take(Found("key", by_content(whole_a, whole_b, self.columns, within=key)))
        left_a, left_b = pairing.left_a.drop_nulls(names), pairing.left_b.drop_nulls(names)
        left_a = left_a.with_columns(pl.col(names).cast(pl.String))
        left_b = left_b.with_columns(pl.col(names).cast(pl.String))
        left_a, left_b = left_a.join(left_b, on=names, how="semi"), left_b.join(left_a, on=names, how="semi")
        if not len(left_a):
            return
        texts_a, texts_b = self._texts(self.a, left_a), self._texts(self.b, left_b)
        groups: dict[tuple[Any, ...], tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
        for side, frame in enumerate((left_a, left_b)):
            for row in frame.select(ROW, *names).sort(ROW).iter_rows():
                groups[row[1:]][side].append(row[0])
        pairs = [pair for one, other in groups.values() for pair in _best(one, other, texts_a, texts_b)]
        pairing.take(Found("key", _frame(pairs)))

    def _by_pictures(self, pairing: Pairing) -> None:
        """Rung 3: the same pictures, else nearly the same ones."""
        shown = [one for one in self.columns if one.compared_as == "image"]
        if not shown or not len(pairing.left_a) or not len(pairing.left_b):
            return
        pairs, scores, note = pair_pictures(self.a, self.b, pairing.left_a, pairing.left_b, shown[0])
        if note:
            self.warnings.append(note)
        if pairs:
            pairing.take(Found("media", _frame(pairs), np.array(scores)))

    def _by_texts(self, pairing: Pairing) -> None:
        """Rung 4: similar texts."""
        sizes = (len(pairing.left_a), len(pairing.left_b))
        if not all(sizes) or not self._text_columns():
            return
        if max(sizes) > fuzzy.MOST:
            text = (
                f"{sizes[0]:,} and {sizes[1]:,} rows are left over, more than {fuzzy.MOST:,}: similar texts not paired"
            )
            self.warnings.append(Note(code="too_many_for_fuzzy", text=f"{text}; name a key with --key"))
            return
        left_a, left_b = pairing.left_a.sort(ROW), pairing.left_b.sort(ROW)
        texts_a, texts_b = self._texts(self.a, left_a), self._texts(self.b, left_b)
        rows_a = [row for row in left_a[ROW].to_list() if says_something(texts_a[row])]
        rows_b = [row for row in left_b[ROW].to_list() if says_something(texts_b[row])]
        found = fuzzy.pair_texts([texts_a[row] for row in rows_a], [texts_b[row] for row in rows_b])
        pairs = [(rows_a[one], rows_b[other]) for one, other, _ in found]
        if pairs:
            pairing.take(Found("fuzzy", _frame(pairs), np.array([score for _, _, score in found])))

    def _text_columns(self) -> list[str]:
        """Columns that say something: conversations and texts, else whatever there is but numbers."""
        kinds: dict[str, str] = {one.source: one.compared_as for one in self.columns}
        for wanted in (("conversation", "text"), ("json", "category")):
            if found := [name for name, kind in kinds.items() if kind in wanted]:
                return found
        return []

    def _texts(self, table: Table, rows: pl.DataFrame) -> dict[int, str]:
        columns = self._text_columns()
        numbers: RowNumbers = np.sort(rows[ROW].to_numpy().astype(np.int64))
        found: dict[int, str] = {}
        for start in range(0, len(numbers), 8192):
            chunk = table.read(numbers[start : start + 8192], columns)
            found |= {row: text_of(list(values.values()))[:_LONGEST] for row, values in chunk.items()}
        return found

    def _alike(self, pairs: pl.DataFrame) -> float:
        """Median similarity of the texts of pairs; of rows without text the share of equal cells, which is 0 here."""
        if not self._text_columns():
            return 0.0
        one = self._texts(self.a, pairs.select(pl.col(A).alias(ROW)))
        other = self._texts(self.b, pairs.select(pl.col(B).alias(ROW)))
        scores = [
            Indel.normalized_similarity(one[left], other[right]) for left, right in pairs.select(A, B).iter_rows()
        ]
        return float(np.median(scores)) if scores else 0.0


def _best(one: list[int], other: list[int], texts_a: dict[int, str], texts_b: dict[int, str]) -> list[tuple[int, int]]:
    if len(one) * len(other) > _MOST_IN_GROUP:
        found = fuzzy.pair_texts([texts_a[row] for row in one], [texts_b[row] for row in other])
        return [(one[left], other[right]) for left, right, _ in found]
    scored = [
        (-Indel.normalized_similarity(texts_a[left], texts_b[right]), left, right) for left in one for right in other
    ]
    return [(left, right) for left, right, _ in fuzzy.one_to_one(scored)]


def _frame(pairs: Sequence[tuple[int, int]]) -> pl.DataFrame:
    return pl.DataFrame(
        {A: [one for one, _ in pairs], B: [other for _, other in pairs]}, schema={A: pl.UInt32, B: pl.UInt32}
    )
