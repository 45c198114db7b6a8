"""The stage contract: what a step of a pipeline is, and nothing of how it is run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar

from curate.dataset.pictures import PictureStore
from curate.pipeline.options import StepOptions

if TYPE_CHECKING:
    import pyarrow as pa

    from curate.dataset.decode import Picture
    from curate.pipeline.batch import Batch
    from curate.records import Line


class StageOptions(StepOptions):
    """Options that every stage has. A stage's own options derive from this and fix `use` to its name."""


Opts = TypeVar("Opts", bound=StageOptions)


@dataclass(frozen=True)
class Context:
    """What a stage may know of the run that it works in."""

    pictures: PictureStore
    seed: int = 0
    cache: Path | None = None
    """Folder for caches that runs share; None switches them off."""
    threads: int = 1
    """Threads that native libraries may use in this process."""
    labels: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Labels that a task may have, by task."""
    answers: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """What a record may carry as its label where that is more: the labels' two-level and group forms."""


class TextReader(Protocol):
    """Reads the text in pictures for stages that are not about reading; `registry.TEXT_READER` makes one."""

    signature: str
    """Names everything that decides what is read."""

    def read(self, data: bytes, picture: Picture) -> list[Line]:
        """Give the lines of a picture in reading order, polygons in its pixels.

        Args:
            data: The picture's file, whose hash is what caches know it by.
            picture: The same, decoded.
        """


class Stage(ABC, Generic[Opts]):
    """One step of a pipeline. Holds options only; `open` loads what is heavy, once in each worker.

    A stage treats every row on its own: a row's result must not depend on its neighbours in the batch,
    because a resumed run, another shard size, or a search for a row that crashes cuts batches differently.
    What must see the whole dataset first belongs into `survey` and `decide`.
    """

    name: ClassVar[str]
    """What a recipe calls it after `use:`."""
    version: ClassVar[int]
    """Raise it when the same input would give another output."""
    Options: ClassVar[type[StageOptions]]
    codes: ClassVar[Mapping[str, str]]
    """Every code that the stage writes into the ledger, each with one sentence for `curate reasons`."""
    incidental: ClassVar[frozenset[str]] = frozenset()
    """Options that cannot change the output (cache folders, batch sizes) and so stay out of the fingerprint."""
    unit: ClassVar[str] = "rows"
    """What progress counts: rows or images."""
    random: ClassVar[bool] = False
    """Whether anything is drawn from the seed; only then does another seed make the stage run again."""
    makes_pictures: ClassVar[bool] = False
    """Whether it keeps pictures in the run; then its result is used again only where they are all still there."""
    surveys: ClassVar[bool] = False
    """Whether the stage must see the whole dataset first; then it has `survey` and `decide`."""

    def __init__(self, options: Opts, context: Context) -> None:
        self.options = options
        self.context = context
        self.verdict: pa.Table | None = None
        """What `decide` gave; set before `process` is called on a stage that surveys."""

    def environment(self) -> Mapping[str, str]:
        """What else decides the output: model hashes, versions of engines, digests of rule files.

        Called before `open`, in the parent process, so it must be cheap and load no model.

        Raises:
            UsageError: the stage cannot run here (a missing extra, model or file).
        """
        return {}

    def announcement(self) -> str:
        """Say in a few words what a person should know before the stage runs: what was chosen for this machine."""
        return ""

    def open(self) -> None:
        """Load what is heavy. Called once in each worker, before the first batch."""

    @abstractmethod
    def process(self, batch: Batch) -> None:
        """Work on one batch: set its columns and say in its ledger what happened to each row that was touched."""

    def survey(self, batch: Batch) -> pa.Table:
        """Give what `decide` needs to know of one batch; small, and the same columns for every batch."""
        raise TypeError(f"stage {self.name} surveys nothing")

    def decide(self, survey: pa.Table) -> pa.Table:
        """Decide for the whole dataset, from the surveys of all batches in order."""
        raise TypeError(f"stage {self.name} decides nothing")

    def signature(self) -> dict[str, Any]:
        """Everything that decides the output besides the input: name, version, options, environment, seed."""
        options = self.options.model_dump(mode="json", exclude={"use", "name", *self.incidental})
        return {
            "stage": self.name,
            "version": self.version,
            "title": self.options.title,
            "options": options,
            "environment": dict(sorted(self.environment().items())),
            "seed": self.context.seed if self.random else None,
        }
