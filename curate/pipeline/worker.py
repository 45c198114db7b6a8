"""A worker process: opens a stage once, then runs one shard after another."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import traceback
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from curate.dataset.shards import read_table
from curate.errors import CurateError
from curate.pipeline.batch import Batch
from curate.pipeline.shard import ENGINE_CODES, Announce, ShardInfo, ShardTask, run_shard
from curate.pipeline.stage import Context, Stage, StageOptions


@dataclass(frozen=True)
class StageSpec:
    """What a worker needs to make a stage; equal specs are opened once."""

    key: str
    stage: type[Stage[Any]]
    options: StageOptions
    context: Context
    verdict: bytes | None = None
    """The verdict of a stage that surveys, as an Arrow IPC stream."""

    def make(self) -> Stage[Any]:
        """Make the stage, not yet opened."""
        stage = self.stage(self.options, self.context)
        if self.verdict is not None:
            stage.verdict = pa.ipc.open_stream(self.verdict).read_all()
        return stage


@dataclass(frozen=True)
class SurveyTask:
    """Ask a stage what it needs to know of one shard."""

    index: int
    source: Path
    """The `rows` file of the step before."""


Task = ShardTask | SurveyTask


@dataclass(frozen=True)
class Reply:
    """What a worker says: a sign of life, a finished task, or an error."""

    kind: Literal["alive", "done", "raised", "cannot"]
    value: Any = None
    row: int | None = None
    units: int = 0


def work(connection: Connection, threads: int, parent: int) -> None:
    """Serve tasks from the parent until it closes the connection; a task comes with a spec only where that is new.

    A spec may come without a task: then the stage is opened, so that it is ready when the first task comes.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's business; it lets us finish
    _die_with(parent)
    pa.set_cpu_count(threads)
    stage: Stage[Any] | None = None
    while True:
        try:
            spec, task = connection.recv()
        except (EOFError, OSError):
            return
        try:
            if spec is not None or stage is None:
                stage = spec.make()
                stage.open()
        except Exception as error:  # noqa: BLE001  told to the parent, which stops the run
            stage = None
            connection.send(Reply("cannot", portable(error)))
            continue
        if task is None:
            continue
        connection.send(Reply("alive"))
        connection.send(attempt(stage, task, lambda row, units: connection.send(Reply("alive", row=row, units=units))))


def attempt(stage: Stage[Any], task: Task, announce: Announce) -> Reply:
    """Do one task with an opened stage, and say how it went."""
    try:
        return Reply("done", perform(stage, task, announce))
    except CurateError as error:
        return Reply("cannot", error)
    except Exception:  # noqa: BLE001  the engine asks again, carefully: only the row that raised will pay
        return Reply("raised", traceback.format_exc())


def perform(stage: Stage[Any], task: Task, announce: Announce) -> ShardInfo | pa.Table:
    """Do one task with an opened stage."""
    if isinstance(task, ShardTask):
        return run_shard(stage, task, announce)
    codes = {**stage.codes, **ENGINE_CODES}
    return stage.survey(Batch(read_table(task.source), stage.options.title, codes, lambda units: announce(None, units)))


def portable(error: Exception) -> CurateError:
    """An error that survives the way to the parent: ours as it is, any other as text with its traceback."""
    if isinstance(error, CurateError):
        return error
    return CurateError(f"{type(error).__name__}: {error}\n{''.join(traceback.format_exception(error))}")


def _die_with(parent: int) -> None:
    """Ask Linux to kill this process when its parent dies, so that a killed run leaves nobody behind."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGKILL)
        if os.getppid() != parent:  # it died before we asked
            os._exit(1)
