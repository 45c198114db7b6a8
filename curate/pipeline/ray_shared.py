"""A run in a place that the nodes of a cluster reach over the network: workers bring a shard, send what they made."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from curate.dataset.pictures import PictureStore
from curate.dataset.remote import Remote
from curate.dataset.shards import part_name
from curate.pipeline.shard import SIDES, ShardTask
from curate.pipeline.worker import StageSpec, Task


@dataclass(frozen=True)
class Shared:
    """The run's folder as the process that drives the run knows it, and the URL that stands for it everywhere."""

    folder: Path
    url: str

    def spec(self, spec: StageSpec) -> StageSpec:
        """A stage whose pictures are found, and kept, in the shared place."""
        store = spec.context.pictures
        moved = PictureStore(store.root, self._moved(store.made), [self._moved(one) for one in store.inherited])
        return dataclasses.replace(spec, context=dataclasses.replace(spec.context, pictures=moved))

    def _moved(self, folder: Path) -> Path:
        if not folder.is_relative_to(self.folder):
            return folder
        return Path(self.url) / folder.relative_to(self.folder)

    @contextmanager
    def at_hand(self, task: Task) -> Iterator[Task]:
        """Give a task on local files; what is in its folder when the block ends well is sent, `rows` last.

        Raises:
            UsageError: the place cannot be reached.
        """
        remote = Remote(self.url)
        with tempfile.TemporaryDirectory() as scratch:
            source = Path(scratch) / "in" / task.source.name
            remote.get(task.source.relative_to(self.folder).as_posix(), source)
            if not isinstance(task, ShardTask):
                yield dataclasses.replace(task, source=source)
                return
            folder = Path(scratch) / "out"
            yield dataclasses.replace(task, source=source, folder=folder)
            step, name = task.folder.relative_to(self.folder).as_posix(), part_name(task.index)
            if not (folder / "rows" / name).exists():
                return  # the stage raised
            for side in (*SIDES, "rows"):
                made = folder / side / name
                if made.exists():
                    remote.put(made, f"{step}/{side}/{name}")
                else:
                    remote.remove(f"{step}/{side}/{name}")
