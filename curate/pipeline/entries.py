"""The ledger while it is being written: single words about rows, and one word about many rows at once, as columns."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curate.dataset import ledger

Rows: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]


class Entry(NamedTuple):
    """A word about one row."""

    row: int
    action: str
    code: str
    metric: str | None = None
    value: float | None = None
    threshold: float | None = None
    related_uid: str | None = None
    detail: str | None = None
    uid: str | None = None
    """Set where the entry is about a derived record, not about `row` itself."""


class _Many(NamedTuple):
    """The same word about many rows, each with a value of its own."""

    call: int
    rows: Rows
    code: str
    metric: str
    values: npt.NDArray[np.float64]


@dataclass
class Entries:
    """Everything that was said about the rows of a batch, in order."""

    _single: list[tuple[int, Entry]] = field(default_factory=list)
    _many: list[_Many] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self._single or self._many)

    def add(self, entry: Entry) -> None:
        """Note a word about one row."""
        self._single.append((self._calls(), entry))

    def add_many(self, rows: Rows, code: str, metric: str, values: npt.NDArray[np.float64]) -> None:
        """Note that rows were changed for one reason."""
        self._many.append(_Many(self._calls(), rows, code, metric, values))

    def _calls(self) -> int:
        return len(self._single) + len(self._many)

    def rows(self, action: str | None = None) -> Rows:
        """The rows that something was said about, in order and each once; only of one action where it is given."""
        single = [entry.row for _, entry in self._single if action in (None, entry.action)]
        many = [one.rows for one in self._many] if action in (None, "changed") else []
        return np.unique(np.concatenate([np.array(single, dtype=np.int64), *many]))

    def table(
        self, stage: str, uids: pa.Array, before: pa.Array, after: pa.Array, touched: Flags
    ) -> tuple[pa.Table, dict[str, dict[str, int]]]:
        """Give the ledger and the number of rows by action and code.

        Args:
            stage: Name of the step.
            uids: The uid of each row.
            before: Hash of each row as it came in.
            after: Hash of each row as it goes out.
            touched: Whether the row differs; a word of change about one that does not is left out.
        """
        single = [(call, one) for call, one in self._single if one.action != "changed" or touched[one.row]]
        many = [_only(one, touched) for one in self._many]
        tables = [self._single_table(stage, [one for _, one in single], uids, before, after)]
        tables += [_many_table(stage, one, uids, before, after) for one in many]
        rows = np.concatenate([np.array([one.row for _, one in single], dtype=np.int64), *(one.rows for one in many)])
        calls = np.concatenate(
            [np.array([call for call, _ in single], dtype=np.int64), *(np.full(len(o.rows), o.call) for o in many)]
        )
        joined = pa.concat_tables(tables).combine_chunks()
        return joined.take(pa.array(np.lexsort((calls, rows)))), _tally([one for _, one in single], many)

    def _single_table(
        self, stage: str, entries: list[Entry], uids: pa.Array, before: pa.Array, after: pa.Array
    ) -> pa.Table:
        places = pa.array([one.row for one in entries], pa.int64())
        own, old, new = (column.take(places).to_pylist() for column in (uids, before, after))
        columns = {
            "uid": [one.uid or uid for one, uid in zip(entries, own, strict=True)],
            "stage": [stage] * len(entries),
            "before": [None if one.uid else hashed for one, hashed in zip(entries, old, strict=True)],
            "after": [hashed if one.action == "changed" else None for one, hashed in zip(entries, new, strict=True)],
        }
        for name in ("action", "code", "metric", "value", "threshold", "related_uid", "detail"):
            columns[name] = [getattr(one, name) for one in entries]
        return pa.table([columns[name] for name in ledger.SCHEMA.names], schema=ledger.SCHEMA)


def _only(one: _Many, touched: Flags) -> _Many:
    stay = touched[one.rows]
    return one if stay.all() else one._replace(rows=one.rows[stay], values=one.values[stay])


def _many_table(stage: str, one: _Many, uids: pa.Array, before: pa.Array, after: pa.Array) -> pa.Table:
    size = len(one.rows)
    places = pa.array(one.rows)
    columns = {
        "uid": uids.take(places),
        "stage": pa.repeat(stage, size),
        "action": pa.repeat("changed", size),
        "code": pa.repeat(one.code, size),
        "metric": pa.repeat(one.metric, size),
        "value": pa.array(one.values),
        "before": before.take(places),
        "after": after.take(places),
    }
    arrays = [columns.get(item.name, pa.nulls(size, item.type)).cast(item.type) for item in ledger.SCHEMA]
    return pa.Table.from_arrays(arrays, schema=ledger.SCHEMA)


def _tally(single: list[Entry], many: list[_Many]) -> dict[str, dict[str, int]]:
    """Rows by action and code; a row of which the same is said twice counts once, a derived record always."""
    counts: dict[str, Counter[str]] = {}
    rows: dict[tuple[str, str], list[Rows]] = {}
    for one in single:
        if one.uid is not None:
            counts.setdefault(one.action, Counter())[one.code] += 1
        else:
            rows.setdefault((one.action, one.code), []).append(np.array([one.row], dtype=np.int64))
    for several in many:
        rows.setdefault(("changed", several.code), []).append(several.rows)
    for (action, code), found in rows.items():
        distinct = len(np.unique(np.concatenate(found)))
        if distinct:
            counts.setdefault(action, Counter())[code] += distinct
    return {action: dict(codes) for action, codes in counts.items()}
