"""The source contract: what the pipeline needs of whatever reads raw data, and the options of `input:`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Literal, NamedTuple, Protocol

from pydantic import BaseModel, ConfigDict, Field

from curate.errors import RowError
from curate.pipeline.batch import Batch
from curate.pipeline.paths import RecipePath

Format = Literal["auto", "mire", "sharegpt", "alpaca", "openai", "imagefolder", "parquet", "jsonl"]


class InputOptions(BaseModel):
    """Where the raw data is and how it is read."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    path: RecipePath
    """A JSON, JSONL or Parquet file, a folder of pictures, or a dataset that curate wrote."""

    images: RecipePath | None = None
    """Folder that picture paths are relative to. Default: the folder of the source file."""

    format: Format = "auto"
    """Format of the source; `auto` looks at its first record."""

    labels: str | None = None
    """Label registry that labels must be in: a shipped name (`mire`) or a YAML file.

    Default: `mire` for MIRE files, else none.
    """

    shard_rows: int | Literal["auto"] = Field(default="auto")
    """Records in one shard; `auto` makes up to 64 shards of 16 to 4,096 records, fewer of few."""


class Position(NamedTuple):
    """A place between two records of a source: where to go on reading, and the number of records before it."""

    offset: int = 0
    """Bytes from the beginning of the file (records of a Parquet file or pictures of a folder are counted instead)."""
    index: int = 0  # type: ignore[assignment]  # the name hides tuple.index, which nobody misses here


class RawRecord(Protocol):
    """One record of a file as it stands there."""

    @property
    def raw(self) -> str:
        """Its exact text."""

    @property
    def value(self) -> Any:
        """What it decodes to; None where that failed."""

    @property
    def failure(self) -> RowError | None:
        """Why it could not be decoded, or why it is no record."""


class RawFile(Protocol):
    """A file of records that nobody has made sense of yet."""

    @property
    def kind(self) -> str:
        """The container: json, jsonl or parquet."""

    def slices(self, start: Position) -> Iterator[RawRecord]:
        """Give the records in order.

        Raises:
            InputError: the rest cannot be read at all.
        """


@dataclass
class SourceShard:
    """One shard's worth of records as read: good ones and, marked as failed in the batch, bad ones."""

    batch: Batch
    next: Position
    """Where the following shard begins."""


class Source(ABC):
    """Reads raw data as records, in the order of the source, without loading it whole."""

    codes: ClassVar[Mapping[str, str]]
    """Every code that reading may write into the ledger, each with one sentence."""
    version: ClassVar[int]
    format: str
    """Which format it is (never `auto`)."""
    image_root: Path | None
    """Where the pictures are; None where there are none."""
    labels: Mapping[str, Sequence[str]] = MappingProxyType({})
    """Labels that a task may have, by task, where there is a registry."""
    answers: Mapping[str, Sequence[str]] = MappingProxyType({})
    """What a record of a task may carry as its label: its labels, and their two-level and group forms."""
    made_folders: tuple[Path, ...] = ()
    """Where pictures are that stages of an earlier run made, if the source is one."""

    @abstractmethod
    def fingerprint(self) -> str:
        """Hash of the source's bytes; uids are made from it. Pictures have hashes of their own."""

    @abstractmethod
    def rows_hint(self) -> int | None:
        """Roughly how many records there are, for progress; None where nobody knows."""

    def shards_hint(self) -> int | None:
        """Roughly how many shards there will be; None where nobody knows."""
        rows = self.rows_hint()
        return None if rows is None else -(-rows // int(self.signature()["shard_rows"]))

    @abstractmethod
    def signature(self) -> dict[str, Any]:
        """What decides, besides the source's bytes, what is read: format, `shard_rows`, registry digest, version."""

    @abstractmethod
    def shards(self, start: Position, seen: Iterable[str]) -> Iterator[SourceShard]:
        """Read on from `start`; `seen` are the source ids before it, so that duplicates are found.

        Raises:
            InputError: the rest of the source cannot be read at all; the message names the place.
        """

    @abstractmethod
    def pictures_digest(self, paths: Sequence[str]) -> str:
        """Digest of the contents of picture files, missing ones included, to notice that pictures changed."""

    @abstractmethod
    def layout(self) -> dict[str, str]:
        """What writing the source back needs besides the `raw` of its records: head, separator and tail."""
