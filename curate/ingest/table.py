"""Builds the Arrow table of a shard column by column."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

import pyarrow as pa

from curate import records
from curate.errors import RowError
from curate.ingest.parts import Parts
from curate.ingest.pictures import Facts


@dataclass(slots=True)
class Draft:
    """A row of a shard before its pictures were looked at."""

    uid: str
    source_id: str
    raw: str
    parts: Parts | None
    """None where the record is too bad to have any."""
    task: str | None
    images: list[str] = field(default_factory=list)
    failure: RowError | None = None


def settle_pictures(drafts: Iterable[Draft], facts: Mapping[str, Facts | RowError]) -> None:
    """Let a row fail whose picture cannot be used."""
    for draft in drafts:
        for path in draft.images if draft.failure is None else ():
            found = facts[path]
            if isinstance(found, RowError):
                draft.failure = found
                break


def build(drafts: list[Draft], facts: Mapping[str, Facts | RowError]) -> pa.Table:
    """Make a table of `records.SCHEMA`; a failed row keeps ids, task, raw text, picture paths and what was parsed."""
    good = [draft.parts for draft in drafts]
    columns: dict[str, Any] = {
        "uid": [draft.uid for draft in drafts],
        "source_id": [draft.source_id for draft in drafts],
        "task": [draft.task for draft in drafts],
        "system": [part and part.system for part in good],
        "turns": _turns(good),
        "images": _images(drafts, facts),
        "label": [part and part.label for part in good],
        "label_from": ["gold" if part and part.label is not None else None for part in good],
        "split": [part and part.split for part in good],
        "scores": pa.array([[]] * len(drafts), records.SCHEMA.field("scores").type),
        "raw": [draft.raw for draft in drafts],
    }
    nothing = pa.nulls(len(drafts))
    arrays = []
    for column in records.SCHEMA:
        values = columns.get(column.name, nothing)
        arrays.append(values.cast(column.type) if isinstance(values, pa.Array) else pa.array(values, column.type))
    return pa.Table.from_arrays(arrays, schema=records.SCHEMA)


def _turns(good: list[Parts | None]) -> pa.Array:
    lists = [part.turns if part else [] for part in good]
    roles = pa.array([role for turns in lists for role, _ in turns], pa.string())
    texts = pa.array([text for turns in lists for _, text in turns], pa.string())
    return pa.ListArray.from_arrays(
        _offsets(lists), pa.StructArray.from_arrays([roles, texts], fields=list(records.TURN))
    )


def _images(drafts: list[Draft], facts: Mapping[str, Facts | RowError]) -> pa.Array:
    lists = [draft.images for draft in drafts]
    flat = [_facts(path, facts.get(path)) for images in lists for path in images]
    columns = [pa.array([row[number] for row in flat], records.IMAGE.field(number).type) for number in range(5)]
    ocr = pa.nulls(len(flat), records.OCR)
    return pa.ListArray.from_arrays(
        _offsets(lists), pa.StructArray.from_arrays([*columns, ocr], fields=list(records.IMAGE))
    )


def _facts(path: str, found: Facts | RowError | None) -> tuple[str, str | None, int | None, int | None, str | None]:
    if isinstance(found, Facts):
        return found
    return path.encode("utf-8", "backslashreplace").decode("utf-8"), None, None, None, None


def _offsets(lists: list[Any]) -> pa.Array:
    return pa.array([0, *accumulate(map(len, lists))], pa.int32())
