"""What runs on the nodes of a Ray cluster: a worker, and the board on which all workers say that they are alive."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from curate.errors import CurateError, UsageError
from curate.pipeline.engine import TOO_MUCH
from curate.pipeline.machine import processors, resident_memory, worker_memory_limit
from curate.pipeline.ray_shared import Shared
from curate.pipeline.stage import Stage
from curate.pipeline.worker import Reply, StageSpec, Task, attempt, portable

_LOOK = 0.1


@dataclass(frozen=True)
class News:
    """What a worker told: where it runs, the row that it is at, units since the news were taken, messages so far."""

    node: str = ""
    row: int | None = None
    units: int = 0
    messages: int = 0
    doom: tuple[str, str] | None = None
    """Why it ended itself."""


class Board:
    """Lives beside the run, so that the last words of a worker are known when it is dead."""

    def __init__(self) -> None:
        self._news: dict[int, News] = {}

    def tell(self, worker: int, node: str, row: int | None, units: int, doom: tuple[str, str] | None = None) -> None:
        """A worker's message; one that says why it ends comes beside the work, and leaves the row as it was."""
        old = self._news.get(worker, News())
        row = old.row if doom else row
        self._news[worker] = News(node, row, old.units + units, old.messages + 1, doom or old.doom)

    def take(self) -> dict[int, News]:
        """All news; units are told once."""
        taken = dict(self._news)
        self._news = {worker: replace(news, units=0) for worker, news in taken.items()}
        return taken


class RayWorker:
    """Opens a stage once, then runs one shard after another.

    Args:
        number: Its name on the board.
        board: The board's actor.
        threads: Threads that Arrow may use.
        cpus: Processors that it takes, from which follows how many share its node.
        memory: Bytes that it may hold; None for its share of the node.
        shared: Where the run is, unless that is a folder which all nodes see.
    """

    def __init__(
        self, number: int, board: Any, threads: int, cpus: float, memory: int | None, shared: Shared | None = None
    ) -> None:
        import ray

        pa.set_cpu_count(threads)
        self._number = number
        self._board = board
        self._shared = shared
        self._node = str(ray.get_runtime_context().get_node_id())
        self._stage: Stage[Any] | None = None
        self._broken: CurateError | None = None
        limit = memory or worker_memory_limit(max(1, int(processors() / cpus)))
        if limit is not None:
            threading.Thread(target=self._watch_memory, args=(limit,), daemon=True).start()

    def open(self, spec: StageSpec) -> None:
        """Open a stage; what goes wrong is told with the first task."""
        self._stage = self._broken = None
        try:
            stage = (self._shared.spec(spec) if self._shared else spec).make()
            stage.open()
            self._stage = stage
        except Exception as error:  # noqa: BLE001  told to the run, which stops
            self._broken = portable(error)

    def work(self, spec: StageSpec | None, task: Task) -> Reply:
        """Do one task; with a spec, open that stage first."""
        if spec is not None:
            self.open(spec)
        if self._stage is None:
            return Reply("cannot", self._broken)
        if self._shared is not None:
            return self._work_far(self._stage, self._shared, task)
        if not task.source.exists():
            return Reply(
                "cannot",
                UsageError(
                    f"the Ray node {self._node} does not see {task.source}: put input and --out on a shared disk, or "
                    "in a place such as s3://"
                ),
            )
        self._tell(None, 0)
        return attempt(self._stage, task, self._tell)

    def _work_far(self, stage: Stage[Any], shared: Shared, task: Task) -> Reply:
        try:
            with shared.at_hand(task) as near:
                return attempt(stage, near, self._tell)
        except (CurateError, OSError) as error:
            return Reply("cannot", portable(error))

    def _tell(self, row: int | None, units: int) -> None:
        sent = self._board.tell.remote(self._number, self._node, row, units)
        if row is not None:  # whoever goes row by row may die of the next one: it must be known by then
            import ray

            ray.get(sent)

    def _watch_memory(self, limit: int) -> None:
        import ray

        while (resident_memory(os.getpid()) or 0) <= limit:
            time.sleep(_LOOK)
        ray.get(self._board.tell.remote(self._number, self._node, None, 0, TOO_MUCH))
        os._exit(1)
