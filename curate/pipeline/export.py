"""The export contract: what the pipeline needs of whatever writes a training set from finished records."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import pyarrow as pa

from curate.pipeline.options import StepOptions
from curate.pipeline.stage import Context


class ExportOptions(StepOptions):
    """Options that every export has. An exporter's own options derive from this and fix `use` to its name."""


Opts = TypeVar("Opts", bound=ExportOptions)


@dataclass
class Delivery:
    """What an exporter writes into, and reports to."""

    folder: Path
    """An empty folder; it appears under its name only when the export is done."""
    leave_out: Callable[[str, str, str], None]
    """Say that a record is not in the export: uid, code, detail."""
    tick: Callable[[int], None]
    """Report a number of finished rows."""
    final: Path | None = None
    """Where `folder` will be when the export is done; None where that is not known."""


class Exporter(ABC, Generic[Opts]):
    """Writes records in the format that a trainer reads. The same records always give the same bytes."""

    name: ClassVar[str]
    version: ClassVar[int]
    Options: ClassVar[type[ExportOptions]]
    codes: ClassVar[Mapping[str, str]]
    """Codes of records that are left out, each with one sentence for `curate reasons`."""

    def __init__(self, options: Opts, context: Context) -> None:
        self.options = options
        self.context = context
        self.layout: Mapping[str, str] = {}
        """`Source.layout` of what was ingested; the engine sets it before `write`."""

    def environment(self) -> Mapping[str, str]:
        """What else decides the output besides options and input: digests of templates, for example."""
        return {}

    @abstractmethod
    def write(self, shards: Iterable[pa.Table], delivery: Delivery) -> dict[str, Any]:
        """Write all shards, streaming, into `delivery.folder`.

        Gives facts for the manifest and the closing lines on the screen: `files` (name and what it is),
        `rows` by split, and `next`, the command that a person runs next.
        """

    def signature(self) -> dict[str, Any]:
        """Everything that decides the output besides the input."""
        return {
            "export": self.name,
            "version": self.version,
            "title": self.options.title,
            "options": self.options.model_dump(mode="json", exclude={"use", "name"}),
            "environment": dict(sorted(self.environment().items())),
        }
