"""One shard through one stage: the unit of work of every engine. Running it again changes nothing."""

from __future__ import annotations

import io
import json
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from curate.dataset.files import content_hash, digest
from curate.dataset.shards import FINGERPRINT, part_name, read_metadata, read_table, write_table
from curate.errors import BudgetExceeded, CurateError, RowError
from curate.pipeline.batch import Batch
from curate.pipeline.outcome import Counts, Outcome, join
from curate.pipeline.stage import Stage

ENGINE_CODES = {
    "stage_error": "The stage raised an error on this row alone; the detail names the error and the line of code.",
    "worker_crashed": "Working on this row ended the worker process (a crash in native code).",
    "out_of_memory": "Working on this row took more memory than a worker may hold.",
    "time_limit": "Working on this row took longer than the time limit.",
}
"""Codes that the engine itself gives to rows."""

SIDES = ("ledger", "dropped", "failed")
"""Folders beside `rows`; a shard has a file there only where there is something to say."""

LIMIT_CODES = frozenset(("worker_crashed", "out_of_memory", "time_limit"))
"""Codes that other limits, or a calmer machine, may spare a row."""

_FACTS = b"curate.facts"


class Poison(NamedTuple):
    """A row that is known to end a worker, and how."""

    row: int
    code: str
    detail: str


@dataclass(frozen=True)
class ShardTask:
    """What a worker must do to one shard."""

    index: int
    source: Path
    """The `rows` file of the step before."""
    folder: Path
    """The step's folder."""
    fingerprint: str
    careful: bool = False
    """Row by row, because the whole shard ended a worker or raised: finds the row, and spares its neighbours."""
    poison: tuple[Poison, ...] = ()
    """Rows to set aside without touching them."""
    suspects: tuple[int, ...] = ()
    """Rows at which a worker died once."""
    limits: str = ""
    """The limits of the run; a shard with rows that broke them is made again when they change."""
    budget: int | None = None
    """Rows that may fail with `stage_error` before the careful pass gives up."""


@dataclass
class ShardInfo:
    """A finished shard: what stands in the step's manifest, and what the next step's fingerprints are made from."""

    index: int
    rows: int
    images: int
    hash: str
    sides: dict[str, str] = field(default_factory=dict)
    counts: Counts = field(default_factory=Counts)
    limits: str | None = None
    """The limits that rows of this shard broke; None where none did."""
    tally: dict[str, int] = field(default_factory=dict)
    """What the stage told of its work on this shard just now; kept nowhere, because another run may do it otherwise."""

    def as_dict(self) -> dict[str, Any]:
        """Give the manifest entry."""
        return {
            "rows": self.rows,
            "images": self.images,
            "hash": self.hash,
            "sides": self.sides,
            "counts": self.counts.as_dict(),
            "limits": self.limits,
        }

    @classmethod
    def from_dict(cls, index: int, value: Mapping[str, Any]) -> ShardInfo:
        """Read a manifest entry back."""
        counts = Counts.from_dict(value["counts"])
        return cls(index, value["rows"], value["images"], value["hash"], value["sides"], counts, value["limits"])


Announce = Callable[[int | None, int], None]
"""Called with the row that is worked on (None: not row by row) and the number of units finished since the last call."""


def shard_fingerprint(signature: Mapping[str, Any], verdict: str | None, input_hash: str) -> str:
    """What a shard's content is decided by: the stage's signature, its verdict, and the bytes that come in."""
    return digest({"signature": signature, "verdict": verdict, "input": input_hash})


def run_shard(stage: Stage[Any], task: ShardTask, announce: Announce) -> ShardInfo:
    """Read a shard, let the stage process it, write what became of it.

    Raises:
        Exception: whatever the stage raised; the engine then asks for a careful pass.
    """
    table = read_table(task.source)
    if task.careful or task.poison:
        outcome = _row_by_row(stage, table, task, announce)
    else:
        batch = _batch(stage, table, lambda units: announce(None, units))
        stage.process(batch)
        outcome = batch.outcome()
    return write_shard(task.folder, task.index, outcome, task.fingerprint, limits=task.limits)


def _batch(stage: Stage[Any], table: pa.Table, tick: Callable[[int], None]) -> Batch:
    return Batch(
        table,
        stage.options.title,
        {**stage.codes, **ENGINE_CODES},
        tick,
        {**stage.context.labels, **stage.context.answers},
    )


def _row_by_row(stage: Stage[Any], table: pa.Table, task: ShardTask, announce: Announce) -> Outcome:
    poison = {item.row: item for item in task.poison}
    outcomes: list[Outcome] = []
    errors = 0
    for row in range(table.num_rows):
        announce(row, 0)
        one = table.slice(row, 1)
        batch = _batch(stage, one, lambda units, row=row: announce(row, units))  # type: ignore[misc]
        if row in poison:
            batch.fail(0, poison[row].code, poison[row].detail)
            outcomes.append(batch.outcome())
            continue
        try:
            stage.process(batch)
            outcomes.append(batch.outcome())
        except CurateError:
            raise
        except Exception as error:  # the row boundary: whatever the stage raised costs this row
            errors += 1
            if task.budget is not None and errors > task.budget:
                raise BudgetExceeded(
                    f"stage {stage.options.title}: {errors} rows raised {where_raised(error)}"
                ) from error
            batch = _batch(stage, one, lambda units: None)
            batch.fail(0, *_code(error))
            outcomes.append(batch.outcome())
    return join(outcomes) if outcomes else _batch(stage, table, lambda units: None).outcome()


def _code(error: Exception) -> tuple[str, str]:
    if isinstance(error, RowError) and error.code in ENGINE_CODES:
        return error.code, error.detail
    if isinstance(error, MemoryError):
        return "out_of_memory", "the process could not get more memory"
    return "stage_error", where_raised(error)


def where_raised(error: BaseException) -> str:
    """Name an error and the line of code that raised it, without its message, which may hold text of the dataset."""
    frames = traceback.extract_tb(error.__traceback__)
    name = type(error).__name__ + (f" ({error.code})" if isinstance(error, RowError) else "")
    return f"{name} at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else name


def write_shard(
    folder: Path,
    index: int,
    outcome: Outcome,
    fingerprint: str,
    *,
    metadata: Mapping[bytes, bytes] | None = None,
    limits: str = "",
) -> ShardInfo:
    """Write the tables of a shard; `rows` comes last, so that a shard with a `rows` file is whole."""
    name = part_name(index)
    rows = folder / "rows" / name
    rows.unlink(missing_ok=True)  # until the new one is whole there is none, whatever happens in between
    sides: dict[str, str] = {}
    for side in SIDES:
        table: pa.Table = getattr(outcome, side)
        path = folder / side / name
        if table.num_rows:
            sides[side] = write_table(path, table)
        else:
            path.unlink(missing_ok=True)
    broken = limits if LIMIT_CODES & set(outcome.counts.codes.get("failed", ())) else None
    facts = {"counts": outcome.counts.as_dict(), "sides": sides, "limits": broken, "content": content_of(outcome.rows)}
    own = {FINGERPRINT: fingerprint.encode(), _FACTS: json.dumps(facts, sort_keys=True).encode(), **(metadata or {})}
    file_hash = write_table(rows, outcome.rows, own)
    images = _images(outcome.rows)
    return ShardInfo(
        index, outcome.rows.num_rows, images, file_hash, sides, outcome.counts, broken, dict(outcome.tally)
    )


def content_of(table: pa.Table) -> str:
    """Hash of a table's values, whatever file they stand in."""
    hashed = _Hashed()
    with pa.PythonFile(hashed, mode="w") as sink, pa.ipc.new_stream(sink, table.schema.remove_metadata()) as writer:
        writer.write_table(table.replace_schema_metadata(None).combine_chunks())
    return hashed.hash.hexdigest()


class _Hashed(io.RawIOBase):
    """A file that keeps nothing but the hash of what is written into it."""

    def __init__(self) -> None:
        self.hash = xxhash.xxh3_128()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.hash.update(data)
        return len(data)


def _images(rows: pa.Table) -> int:
    return int(pc.sum(pc.list_value_length(rows["images"])).as_py() or 0)


def finished_shard(folder: Path, index: int, fingerprint: str, limits: str = "") -> ShardInfo | None:
    """Give a shard that an earlier run finished.

    None where it is missing, made from something else, edited, damaged, or where rows broke other limits.
    """
    name = part_name(index)
    path = folder / "rows" / name
    metadata = read_metadata(path)
    if metadata is None or metadata.get(FINGERPRINT) != fingerprint.encode():
        return None
    try:
        facts = json.loads(metadata[_FACTS])
        sides, counts = facts["sides"], Counts.from_dict(facts["counts"])
        if facts["limits"] not in (None, limits):
            return None
        if any(content_hash(folder / side / name) != value for side, value in sides.items()):
            return None
        rows = read_table(path)
    except (OSError, ValueError, KeyError, TypeError):
        return None  # a page, a file or its metadata is damaged: the shard is made again
    if rows.num_rows != counts.rows_out or content_of(rows) != facts["content"]:
        return None
    for side in SIDES:
        if side not in sides:
            (folder / side / name).unlink(missing_ok=True)  # left by a run with other options
    return ShardInfo(index, rows.num_rows, _images(rows), content_hash(path), sides, counts, facts["limits"])
