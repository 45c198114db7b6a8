"""The engine contract: who maps shards over workers, and what becomes of a shard whose worker died."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from curate.errors import RunFailed, StageBroken
from curate.pipeline.shard import Poison, ShardTask
from curate.pipeline.worker import Reply, StageSpec, SurveyTask, Task

OnAlive = Callable[[int, int], None]
"""Called with a shard's number and the units that were finished in it."""

WHAT_HELPS = "raise memory_limit or time_limit, or see `curate doctor`"
CRASHED = ("worker_crashed", "the worker process died: native code crashed, or the system killed it")
TOO_MUCH = ("out_of_memory", "the worker held more than memory_limit allows")
"""Code and words; they say nothing that another engine or machine would say differently, for they are written down."""
STARTING = 600.0
"""Seconds that a worker may take to start and to load its model."""


@dataclass
class Limits:
    """When a worker is taken for lost."""

    silence: float = 900
    """Seconds without a sign of life."""
    memory: int | None = None
    """Bytes; None where the system cannot tell."""

    def patience(self, opened: bool) -> float:
        """Seconds that a worker may be silent: as long as a row may take, longer while it starts up."""
        return self.silence if opened else max(self.silence, STARTING)


class Engine(Protocol):
    """Workers that keep their stage open between shards. Leaving the context ends them."""

    @property
    def size(self) -> int:
        """Workers at most."""

    def __enter__(self) -> Engine: ...

    def __exit__(self, *_: object) -> None: ...

    def prepare(self, spec: StageSpec, workers: int) -> None:
        """Start workers that open a stage while there is nothing for them to do yet; `map` finds them ready."""

    def map(self, spec: StageSpec, tasks: Sequence[Task], on_alive: OnAlive) -> Iterator[tuple[int, Any]]:
        """Run tasks; give (shard number, result) as they finish, in any order.

        Raises:
            Interrupted: the run was asked to stop; tasks in flight were finished and given first.
            CurateError: a worker said that the run cannot go on.
        """


def silent(seconds: float) -> tuple[str, str]:
    """Code and words for a worker that gave no sign of life."""
    return "time_limit", f"no sign of life for {seconds:g} s"


def after_reply(task: Task, reply: Reply) -> ShardTask | None:
    """What is to be done after a worker's last word on a task: None where it is done, else what to try next.

    Raises:
        CurateError: the run cannot go on.
    """
    if reply.kind == "done":
        return None
    if reply.kind == "raised" and isinstance(task, ShardTask) and not task.careful:
        return dataclasses.replace(task, careful=True)
    if reply.kind == "cannot":
        raise reply.value
    raise StageBroken(str(reply.value))


def after_death(task: Task, row: int | None, code: str, detail: str) -> ShardTask:
    """What to try after a worker died over a task: row by row, and without a row that two workers died of.

    Args:
        task: What it was doing.
        row: The row that it was at; None where it did not go row by row.
        code: Why it died: worker_crashed, out_of_memory or time_limit.
        detail: The same for a person.

    Raises:
        RunFailed: it died over something that cannot be done without.
    """
    if isinstance(task, SurveyTask):
        raise RunFailed(f"a worker died while surveying shard {task.index}: {detail}")
    if row is not None:
        task = _suspect(task, Poison(row, code, detail))
    elif task.careful:
        raise RunFailed(f"workers die before they can work on shard {task.index}: {detail} ({WHAT_HELPS})")
    return dataclasses.replace(task, careful=True)


def _suspect(task: ShardTask, poison: Poison) -> ShardTask:
    """Set a row aside when a second worker dies of it; the first may have been killed by somebody else."""
    if poison.row in task.suspects:
        return dataclasses.replace(task, poison=(*task.poison, poison))
    return dataclasses.replace(task, suspects=(*task.suspects, poison.row))
