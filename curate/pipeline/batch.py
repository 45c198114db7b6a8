"""A batch: the rows that a stage works on, plus the ledger being written about them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curate import records
from curate.errors import StageBroken
from curate.pipeline.entries import Entries, Entry, Flags, Rows
from curate.pipeline.outcome import Counts, Outcome


class Batch:
    """The rows of one batch as an Arrow table of `records.SCHEMA`, plus the ledger being written.

    Rows are named by their number in `table`. A stage replaces columns with `set_column` and says what it
    did to which row; a row that was dropped or failed is kept whole beside the dataset as it came in.

    Args:
        table: The rows that came in.
        stage: Name of the step, for the ledger.
        codes: Codes that the stage may use.
        labels: Labels that a task may have, by task; a task that is not named may have any.
        tick: Called with a number of finished units; shows that the worker is alive.
    """

    def __init__(
        self,
        table: pa.Table,
        stage: str,
        codes: Mapping[str, str],
        tick: Callable[[int], None] = lambda units: None,
        labels: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self.incoming = table
        self.table = table
        self.tick = tick
        self.tally: Counter[str] = Counter()
        """What a stage tells of its work in this run, by name: pictures read, calls made. Part of no output."""
        self._stage = stage
        self._codes = codes
        self._labels = labels or {}
        self._entries = Entries()
        self._gone: dict[int, str] = {}
        self._derived: dict[int, list[records.Record]] = {}

    def __len__(self) -> int:
        return len(self.incoming)

    def set_column(self, name: str, values: pa.Array | pa.ChunkedArray) -> None:
        """Replace a column, for all rows of the batch."""
        index = self.table.schema.get_field_index(name)
        self.table = self.table.set_column(
            index, records.SCHEMA.field(name), values.cast(records.SCHEMA.field(name).type)
        )

    def change(self, row: int, code: str, **facts: Any) -> None:
        """Say that a row was changed.

        Args:
            row: The row's number.
            code: Why, one of the stage's codes.
            facts: Any of metric, value, threshold, related_uid, detail.
        """
        self._note(row, "changed", code, **facts)

    def change_many(
        self,
        rows: Sequence[int] | np.ndarray[Any, Any],
        code: str,
        metric: str,
        values: Sequence[float] | np.ndarray[Any, Any],
    ) -> None:
        """Say that many rows were changed for one reason, each with its value of `metric`."""
        self._check(code)
        places = np.asarray(rows, dtype=np.int64)
        numbers = np.asarray(values, dtype=np.float64)
        if places.shape != numbers.shape:
            raise StageBroken(f"stage {self._stage}: {places.size} rows were changed, with {numbers.size} values")
        if places.size and not 0 <= places.min() <= places.max() < len(self):
            raise StageBroken(f"stage {self._stage}: there is no row {places.max()} in a batch of {len(self)}")
        self._entries.add_many(places, code, metric, numbers)

    def drop(self, row: int, code: str, **facts: Any) -> None:
        """Take a row out of the dataset, on purpose; facts as for `change`."""
        self._take(row, "dropped")
        self._note(row, "dropped", code, **facts)

    def fail(self, row: int, code: str, detail: str = "") -> None:
        """Set a row aside because it is bad; a row that failed already keeps its first reason."""
        if row in self._gone:
            return
        self._take(row, "failed")
        self._note(row, "failed", code, detail=detail or None)

    def derive(self, row: int, record: records.Record, code: str, **facts: Any) -> None:
        """Add a record made from a row; it stands right behind it in the output."""
        self._derived.setdefault(row, []).append(record)
        facts.setdefault("related_uid", record.parent)
        self._note(row, "added", code, uid=record.uid, **facts)

    def note(self, row: int, code: str, **facts: Any) -> None:
        """Say something worth knowing of a row without touching it; facts as for `change`."""
        self._note(row, "noted", code, **facts)

    def alive(self, row: int) -> bool:
        """Whether the row was neither dropped nor failed so far."""
        return row not in self._gone

    def _take(self, row: int, action: str) -> None:
        if self._gone.setdefault(row, action) != action:
            raise StageBroken(f"stage {self._stage}: row {row} was {self._gone[row]} already and cannot be {action}")

    def _check(self, code: str) -> None:
        if code not in self._codes:
            raise StageBroken(f"stage {self._stage}: code '{code}' is not among its declared codes")

    def _note(
        self,
        row: int,
        action: str,
        code: str,
        *,
        metric: str | None = None,
        value: float | None = None,
        threshold: float | None = None,
        related_uid: str | None = None,
        detail: str | None = None,
        uid: str | None = None,
    ) -> None:
        self._check(code)
        if not 0 <= row < len(self):
            raise StageBroken(f"stage {self._stage}: there is no row {row} in a batch of {len(self)}")
        self._entries.add(Entry(row, action, code, metric, value, threshold, related_uid, detail, uid))

    def outcome(self) -> Outcome:
        """Close the batch: check it against the contract and give the tables to be written.

        Raises:
            StageBroken: a row was changed without a word, or the result is not a valid record.
        """
        if len(self.table) != len(self):
            raise StageBroken(
                f"stage {self._stage} gave back {len(self.table)} rows of {len(self)}; use drop, fail or derive"
            )
        table = self.table.cast(records.SCHEMA)
        for name in ("uid", "source_id", "parent", "raw"):
            if not table[name].equals(self.incoming[name]):
                raise StageBroken(
                    f"stage {self._stage} changed {name}, which no stage may; derive a new record instead"
                )
        gone = np.zeros(len(self), dtype=bool)
        gone[list(self._gone)] = True
        before, after, touched = self._hashes(table, gone)
        rows = self._kept(table, gone)
        self._check_labels(rows)
        if self._derived and len(pc.unique(rows["uid"])) != rows.num_rows:
            raise StageBroken(f"stage {self._stage} derived two records of one uid; give them different variants")
        broken = records.violations(rows)
        if broken:
            row, what = broken[0]
            raise StageBroken(f"stage {self._stage}: record {rows['uid'][row]} is not valid any more: {what}")
        dropped = [row for row, action in sorted(self._gone.items()) if action == "dropped"]
        failed = [row for row, action in sorted(self._gone.items()) if action == "failed"]
        added = sum(map(len, self._derived.values()))
        changed = int(touched.sum())
        counts = Counts(len(self), len(self) - len(self._gone), len(dropped), len(failed), added, changed)
        uids = self.incoming["uid"].combine_chunks()
        ledger_table, counts.codes = self._entries.table(self._stage, uids, before, after, touched)
        incoming = self.incoming.cast(records.SCHEMA)
        return Outcome(
            rows,
            ledger_table,
            incoming.take(pa.array(dropped, pa.int64())),
            incoming.take(pa.array(failed, pa.int64())),
            counts,
            self.tally,
        )

    def _check_labels(self, rows: pa.Table) -> None:
        """Labels must be in the registry of their task, where the task has one."""
        for task, allowed in self._labels.items():
            labels = pc.drop_null(rows["label"].filter(pc.equal(rows["task"], task)))
            strange = pc.unique(labels.filter(pc.invert(pc.is_in(labels, pa.array(allowed, pa.string())))))
            if len(strange):
                raise StageBroken(f"stage {self._stage} gave the label {strange[0]}, which task {task} does not have")

    def _hashes(self, table: pa.Table, gone: Flags) -> tuple[pa.Array, pa.Array, Flags]:
        """Hash rows before and after; mark those that changed, and make sure that each has a word.

        Where the table is as it came in, only rows of which something is said are hashed.
        """
        if table.equals(self.incoming):
            before = self._some_hashes(self._entries.rows())
            return before, before, np.zeros(len(self), dtype=bool)
        before = pa.array(records.row_hashes(self.incoming), pa.string())
        after = pa.array(records.row_hashes(table), pa.string())
        said = np.zeros(len(self), dtype=bool)
        said[self._entries.rows("changed")] = True
        differs = pc.not_equal(before, after).to_numpy(zero_copy_only=False) & ~gone
        silent = np.flatnonzero(differs & ~said)
        if len(silent):
            uid = self.incoming["uid"][int(silent[0])]
            raise StageBroken(
                f"stage {self._stage} changed record {uid} without a word in the ledger ({len(silent)} such rows)"
            )
        return before, after, differs

    def _some_hashes(self, rows: Rows) -> pa.Array:
        hashes: list[str | None] = [None] * len(self)
        if len(rows):
            found = records.row_hashes(self.incoming.take(pa.array(rows)))
            for row, value in zip(rows.tolist(), found, strict=True):
                hashes[row] = value
        return pa.array(hashes, pa.string())

    def _kept(self, table: pa.Table, gone: np.ndarray[Any, Any]) -> pa.Table:
        if not self._derived:
            return table.filter(pa.array(~gone)) if gone.any() else table
        made = sorted(self._derived.items())
        added = records.to_table(record for _, derived in made for record in derived)
        pieces, start, done = [], 0, 0
        for row, derived in made:
            pieces += [
                table.slice(start, row + 1 - start).filter(pa.array(~gone[start : row + 1])),
                added.slice(done, len(derived)),
            ]
            start, done = row + 1, done + len(derived)
        pieces.append(table.slice(start).filter(pa.array(~gone[start:])))
        return pa.concat_tables(pieces).combine_chunks()
