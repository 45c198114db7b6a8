"""The engine `ray`: shards mapped over actors of a Ray cluster, which run the very same `run_shard`.

Every node must see the run's folder, the input and its pictures under the same paths, or they are in a place that all
nodes reach over the network (`s3://bucket/run`): then a worker brings each shard and sends what it made. Ray restarts
nothing here: a shard whose actor died goes through again by the rules of `engine.after_death`, one whose node was lost
goes through unchanged on another, and shards are written whole or not at all, so an actor that lives on unseen does no
harm.
"""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from curate.dataset.working_copy import WorkingCopy
from curate.errors import Interrupted, RunFailed, UsageError
from curate.pipeline.engine import CRASHED, STARTING, WHAT_HELPS, Limits, OnAlive, after_death, after_reply, silent
from curate.pipeline.ray_cluster import connect, nodes, room_for
from curate.pipeline.ray_options import RayOptions, Resources
from curate.pipeline.ray_shared import Shared
from curate.pipeline.ray_worker import Board, News, RayWorker
from curate.pipeline.stop import StopSignal
from curate.pipeline.worker import Reply, StageSpec, Task

_POLL = 0.1
_LOSSES = 20
"""Nodes that may be lost over one shard, and workers while they start; a cluster that loses more has other troubles."""


@dataclass
class _Actor:
    """A worker and what is known of it."""

    handle: Any
    number: int
    needs: Resources
    node: str = ""
    """Ray's name of its node; empty until it said so."""
    task: Task | None = None
    answer: Any = None
    """Ray's reference to the reply to `task`, and before there was one to its being open."""
    ready: bool = False
    """Whether it runs; until then it may wait for room on a node that is not there any more."""
    spec: str | None = None
    """Key of the stage that it has open."""
    row: int | None = None
    opened: bool = False
    heard: int = 0
    """Messages of it on the board."""
    last_sign: float = field(default_factory=time.monotonic)
    doom: tuple[str, str] | None = None
    """Why it was ended."""


class RayEngine:
    """Maps shards over actors.

    Args:
        size: Workers at most; None for as many as the cluster has room for.
        options: Address and resources.
        limits: When a worker is taken for lost; without `memory` each takes its share of its node.
        stop: Tells whether the run was asked to stop.
        copy: The copy of a run that is made in another place.

    Raises:
        UsageError: Ray is not installed, or there is no cluster at the address.
    """

    def __init__(
        self, size: int | None, options: RayOptions, limits: Limits, stop: StopSignal, copy: WorkingCopy | None = None
    ) -> None:
        self._asked = size
        self._options = options
        self._limits = limits
        self._stop = stop
        self._copy = copy
        self._shared = Shared(copy.folder, copy.url) if copy else None
        self._actors: list[_Actor] = []
        self._made = 0
        self._lost: dict[int, int] = {}
        self._idle_since = 0.0
        self._died_young = 0

    @property
    def size(self) -> int:
        """Workers of one processor that there is room for now, or as many as were asked for."""
        return self._asked or room_for(self._ray, Resources())

    def __enter__(self) -> RayEngine:
        self._ray = connect(self._options.address)
        here = self._ray.get_runtime_context().get_node_id()
        near = self._ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(here, soft=False)
        self._board = self._ray.remote(Board).options(num_cpus=0, scheduling_strategy=near).remote()
        return self

    def __exit__(self, *_: object) -> None:
        for actor in [*self._actors]:
            self._end(actor)
        with contextlib.suppress(self._ray.exceptions.RayError):
            self._ray.kill(self._board)
        self._ray.shutdown()

    def prepare(self, spec: StageSpec, workers: int) -> None:
        """Start actors that open a stage while there is nothing for them to do yet."""
        for _ in range(min(workers, self._most(spec)) - len(self._actors)):
            self._start(spec)

    def map(self, spec: StageSpec, tasks: Sequence[Task], on_alive: OnAlive) -> Iterator[tuple[int, Any]]:
        """Run tasks; give (shard number, result) as they finish, in any order. Raises as `Engine.map`."""
        if self._copy:
            self._copy.push()  # workers read there
        yield from self._map(spec, tasks, on_alive)
        if self._copy:
            self._copy.pull()

    def _map(self, spec: StageSpec, tasks: Sequence[Task], on_alive: OnAlive) -> Iterator[tuple[int, Any]]:
        pending: deque[Task] = deque(tasks)
        while pending or any(actor.task for actor in self._actors):
            if self._stop.twice:
                raise Interrupted(self._stop.signal_number)
            if self._stop.requested:
                pending.clear()
            while pending and (free := self._idle(spec)) is not None:
                self._send(free, spec, pending.popleft())
            self._grow(spec, len(pending))
            answers = {actor.answer: actor for actor in self._actors if actor.task or not actor.ready}
            ready, _ = self._ray.wait(list(answers), timeout=_POLL) if answers else ([], [])
            self._read_board(on_alive)
            for answer in ready:
                yield from self._listen(answers[answer], pending)
            self._watch()
        if self._stop.requested:
            raise Interrupted(self._stop.signal_number)

    def _needs(self, spec: StageSpec) -> Resources:
        return self._options.resources.get(spec.options.title, Resources())

    def _most(self, spec: StageSpec) -> int:
        """Workers of a stage that may run at once; 0 where all large nodes were lost.

        Raises:
            UsageError: no node is large enough for one, and none was.
        """
        needs = self._needs(spec)
        room = room_for(self._ray, needs)
        if not room and not self._made:
            largest = max(((node.get("CPU", 0), node.get("GPU", 0)) for node in nodes(self._ray)), default=(0, 0))
            raise UsageError(
                f"no node of the Ray cluster has {needs.cpus:g} CPUs and {needs.gpus:g} GPUs for a worker of "
                f"{spec.options.title}; the largest has {largest[0]:g} and {largest[1]:g}. "
                f"Change ray.resources.{spec.options.title}"
            )
        return min(room, self._asked or room)

    def _idle(self, spec: StageSpec) -> _Actor | None:
        """A worker that runs and has nothing to do."""
        needs = self._needs(spec)
        return next((one for one in self._actors if one.ready and one.task is None and one.needs == needs), None)

    def _grow(self, spec: StageSpec, tasks: int) -> None:
        """Start workers while there are tasks that nobody has taken; those that take something else make room.

        Raises:
            RunFailed: for too long there was no worker at all.
        """
        if not tasks:
            return
        needs = self._needs(spec)
        for actor in [*self._actors]:
            if actor.task is None and actor.needs != needs:
                self._end(actor)
        starting = sum(not actor.ready for actor in self._actors)
        for _ in range(min(tasks - starting, self._most(spec) - len(self._actors))):
            self._start(spec)
        if any(actor.ready for actor in self._actors):
            self._idle_since = 0.0
            return
        if not self._actors:
            time.sleep(_POLL)
        self._idle_since = self._idle_since or time.monotonic()
        if time.monotonic() - self._idle_since > STARTING:
            raise RunFailed(f"for {STARTING:g} s the Ray cluster started no worker for {spec.options.title}")

    def _start(self, spec: StageSpec) -> None:
        """Ask Ray for a worker that opens a stage."""
        needs = self._needs(spec)
        threads = max(1, int(needs.cpus))
        environment = {"ARROW_DEFAULT_MEMORY_POOL": "system", "OMP_NUM_THREADS": str(threads)}
        options = {"num_cpus": needs.cpus, "num_gpus": needs.gpus, "runtime_env": {"env_vars": environment}}
        worker = self._ray.remote(RayWorker).options(max_restarts=0, **options)
        self._made += 1
        handle = worker.remote(self._made, self._board, threads, needs.cpus, self._limits.memory, self._shared)
        self._actors.append(_Actor(handle, self._made, needs, answer=handle.open.remote(spec), spec=spec.key))

    def _end(self, actor: _Actor) -> None:
        self._actors.remove(actor)
        with contextlib.suppress(self._ray.exceptions.RayError):
            self._ray.kill(actor.handle)

    def _send(self, actor: _Actor, spec: StageSpec, task: Task) -> None:
        actor.task, actor.row, actor.opened, actor.last_sign = task, None, False, time.monotonic()
        actor.answer = actor.handle.work.remote(None if actor.spec == spec.key else spec, task)
        actor.spec = spec.key

    def _read_board(self, on_alive: OnAlive) -> None:
        told: dict[int, News] = self._ray.get(self._board.take.remote())
        for actor in self._actors:
            news = told.get(actor.number)
            if news is None:
                continue
            actor.node, actor.row = news.node, news.row
            actor.doom = actor.doom or news.doom
            if news.messages > actor.heard and actor.task is not None:
                actor.heard, actor.opened, actor.last_sign = news.messages, True, time.monotonic()
                on_alive(actor.task.index, news.units)

    def _listen(self, actor: _Actor, pending: deque[Task]) -> Iterator[tuple[int, Any]]:
        task = actor.task
        try:
            reply: Reply | None = self._ray.get(actor.answer)
        except self._ray.exceptions.RayError as error:
            self._read_board(lambda index, units: None)
            self._end(actor)
            if task is None:
                self._count_young(error)
            elif not self._stop.twice:
                pending.appendleft(self._again(actor, task, error))
            return
        actor.task, actor.ready, self._died_young = None, True, 0
        if task is None or reply is None:
            return
        again = after_reply(task, reply)
        if again is None:
            yield task.index, reply.value
        else:
            pending.appendleft(again)

    def _count_young(self, error: Exception) -> None:
        """A worker died before it was open.

        Raises:
            RunFailed: they all do.
        """
        self._died_young += 1
        if self._died_young > _LOSSES:
            raise RunFailed(f"Ray workers die before they can work ({WHAT_HELPS})") from error

    def _again(self, actor: _Actor, task: Task, error: Exception) -> Task:
        """What to try after an actor died."""
        alive = {node["NodeID"] for node in self._ray.nodes() if node["Alive"]}
        if actor.doom is None and actor.node not in alive:
            self._lost[task.index] = self._lost.get(task.index, 0) + 1
            if self._lost[task.index] > _LOSSES:
                raise RunFailed(f"shard {task.index} lost its node {_LOSSES} times") from error
            return task
        code, detail = actor.doom or CRASHED
        return after_death(task, actor.row, code, detail)

    def _watch(self) -> None:
        """End workers that are silent too long."""
        now = time.monotonic()
        for actor in self._actors:
            patience = self._limits.patience(actor.opened)
            if actor.task is not None and actor.doom is None and now - actor.last_sign > patience:
                actor.doom = silent(patience)
                with contextlib.suppress(self._ray.exceptions.RayError):
                    self._ray.kill(actor.handle)
