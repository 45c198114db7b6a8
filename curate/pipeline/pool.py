"""The local engine: spawned worker processes, watched one by one.

A worker that dies, stays silent too long or holds too much memory is replaced, and its shard goes through
again row by row. The parent knows at which row the worker was: that row is set aside, its neighbours go on.
(A search by halves would need ten runs to name a row that hangs for the whole time limit; this needs one.)
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any

from curate.errors import Interrupted
from curate.pipeline.engine import CRASHED, TOO_MUCH, Limits, OnAlive, after_death, after_reply, silent
from curate.pipeline.machine import resident_memory
from curate.pipeline.stop import StopSignal
from curate.pipeline.worker import Reply, StageSpec, Task, work

_POLL = 0.1
_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "POLARS_MAX_THREADS",
    "RAYON_NUM_THREADS",
)
_MEMORY_POOL = "ARROW_DEFAULT_MEMORY_POOL"
"""Arrow's own pools keep what they were given; the system's holds a fifth less of a shard, at the same speed."""
_ARENAS = "MALLOC_ARENA_MAX"
"""Of glibc: a process of one thread needs no second arena; Arrow's idle threads would each get one."""


@dataclass
class _Worker:
    process: SpawnProcess
    connection: Connection
    task: Task | None = None
    spec: str | None = None
    """Key of the stage that it has open."""
    row: int | None = None
    """The row it works on, where it goes row by row."""
    last_sign: float = 0.0
    opened: bool = False
    """Whether it said that it is at work on its task; before that it starts up or loads a model."""
    doom: tuple[str, str] | None = None
    """Why we killed it."""


@dataclass
class Pool:
    """A fixed number of worker processes that keep their stage open between tasks.

    Args:
        size: Number of processes.
        threads: Threads that native libraries may use in each.
        limits: When a worker is taken for lost.
        stop: Tells whether the run was asked to stop.
    """

    size: int
    threads: int
    limits: Limits
    stop: StopSignal
    _workers: list[_Worker] = field(default_factory=list)

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End all workers at once; what they were writing stays a temporary file that the next run sweeps away."""
        for worker in self._workers:
            worker.connection.close()
            if worker.task is not None or not worker.opened:
                worker.process.kill()
        for worker in self._workers:
            worker.process.join(timeout=5)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
        self._workers.clear()

    def prepare(self, spec: StageSpec, workers: int) -> None:
        """Start workers that open a stage while there is nothing for them to do yet; `map` finds them ready.

        Args:
            spec: The stage.
            workers: How many; never more than the pool has.
        """
        while len(self._workers) < min(workers, self.size):
            worker = _start(self.threads)
            worker.spec = spec.key
            self._workers.append(worker)
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it died; `map` replaces it
                worker.connection.send((spec, None))

    def map(self, spec: StageSpec, tasks: Sequence[Task], on_alive: OnAlive) -> Iterator[tuple[int, Any]]:
        """Run tasks; give (shard number, result) as they finish, in any order.

        Raises:
            Interrupted: the run was asked to stop; tasks in flight were finished and given first.
            CurateError: a worker said that the run cannot go on.
        """
        pending: deque[Task] = deque(tasks)
        while pending or self._busy():
            if self.stop.twice:
                raise Interrupted(self.stop.signal_number)
            if self.stop.requested:
                pending.clear()
            while pending and (worker := self._idle()) is not None:
                self._send(worker, spec, pending.popleft())
            for worker in self._ready():
                yield from self._listen(worker, pending, on_alive)
            self._watch()
        if self.stop.requested:
            raise Interrupted(self.stop.signal_number)

    def _busy(self) -> bool:
        return any(worker.task is not None for worker in self._workers)

    def _idle(self) -> _Worker | None:
        for worker in self._workers:
            if worker.task is None:
                return worker
        if len(self._workers) < self.size:
            self._workers.append(_start(self.threads))
            return self._workers[-1]
        return None

    def _send(self, worker: _Worker, spec: StageSpec, task: Task) -> None:
        worker.task, worker.row, worker.opened, worker.last_sign = task, None, False, time.monotonic()
        known = worker.spec == spec.key
        worker.spec = spec.key
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            # it died while idle: its end of the pipe is found closed, and the task starts anew
            worker.connection.send((None if known else spec, task))

    def _ready(self) -> list[_Worker]:
        by_connection = {worker.connection: worker for worker in self._workers if worker.task is not None}
        return [
            by_connection[item] for item in wait(list(by_connection), timeout=_POLL) if isinstance(item, Connection)
        ]

    def _listen(self, worker: _Worker, pending: deque[Task], on_alive: OnAlive) -> Iterator[tuple[int, Any]]:
        try:
            reply: Reply = worker.connection.recv()
        except (EOFError, OSError):
            self._bury(worker, pending)
            return
        worker.last_sign = time.monotonic()
        task = worker.task
        assert task is not None
        if reply.kind == "alive":
            worker.row, worker.opened = reply.row, True
            on_alive(task.index, reply.units)
            return
        worker.task = None
        again = after_reply(task, reply)
        if again is None:
            yield task.index, reply.value
        else:
            pending.appendleft(again)

    def _bury(self, worker: _Worker, pending: deque[Task]) -> None:
        """Replace a dead worker and give its task back, now row by row, without the row that it died of."""
        worker.process.join()
        worker.connection.close()
        self._workers.remove(worker)
        task = worker.task
        if self.stop.twice or task is None:
            return
        code, detail = worker.doom or CRASHED
        pending.appendleft(after_death(task, worker.row, code, detail))

    def _watch(self) -> None:
        """Kill workers that are silent too long or hold too much memory."""
        now = time.monotonic()
        for worker in self._workers:
            if worker.task is None or worker.doom is not None or worker.process.pid is None:
                continue
            held = resident_memory(worker.process.pid) if self.limits.memory else None
            if held is not None and self.limits.memory is not None and held > self.limits.memory:
                worker.doom = TOO_MUCH
            elif now - worker.last_sign > self.limits.patience(worker.opened):
                worker.doom = silent(self.limits.patience(worker.opened))
            if worker.doom is not None:
                worker.process.kill()


def _start(threads: int) -> _Worker:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=work, args=(theirs, threads, os.getpid()), daemon=True)
    with _inherited(threads):
        process.start()
    theirs.close()
    return _Worker(process, ours, last_sign=time.monotonic())


@contextlib.contextmanager
def _inherited(threads: int) -> Iterator[None]:
    """Give the child what it must have before its first import: thread limits, Arrow's pool, deafness to Ctrl-C."""
    memory = {_MEMORY_POOL: "system", **({_ARENAS: "1"} if threads == 1 else {})}
    before = {name: os.environ.get(name) for name in (*_THREAD_VARIABLES, *memory)}
    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, str(threads)))
    os.environ.update({name: value for name, value in memory.items() if before[name] is None})
    main = threading.current_thread() is threading.main_thread()
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN) if main else None
    try:
        yield
    finally:
        if main:
            signal.signal(signal.SIGINT, handler)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
