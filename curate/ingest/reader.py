"""Turns the slices of a container into shards of records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import xxhash

from curate import records
from curate.errors import InputError, RowError
from curate.ingest.codes import CODES, VERSION
from curate.ingest.dialects import Dialect
from curate.ingest.parts import Parts, glimpse
from curate.ingest.pictures import PictureFacts
from curate.ingest.slices import Container, Slice
from curate.ingest.table import Draft, build, settle_pictures
from curate.labels.hierarchy import answers
from curate.labels.registry import Registry
from curate.pipeline.batch import Batch
from curate.pipeline.source import Position, Source, SourceShard

SHARD_BYTES = 64 << 20
"""Raw text after which a shard is closed, however few records it has."""


class RecordSource(Source):
    """A container read in a dialect."""

    codes = CODES
    version = VERSION

    def __init__(
        self,
        container: Container,
        dialect: Dialect,
        pictures: PictureFacts,
        *,
        registry: Registry | None = None,
        shard_rows: int = 4096,
        rows: int | None = None,
        name: str | None = None,
    ) -> None:
        self.format = name or dialect.name
        self.image_root = pictures.root
        self._container = container
        self._dialect = dialect
        self._pictures = pictures
        self._registry = registry
        tasks = registry.tasks if registry else {}
        self.labels = {name: task.names for name, task in tasks.items()}
        self.answers = {name: answers(task) for name, task in tasks.items()}
        self._shard_rows = shard_rows
        self._rows = rows
        self._fingerprint: str | None = None

    def fingerprint(self) -> str:
        """Hash of the container's bytes."""
        if self._fingerprint is None:
            self._fingerprint = self._container.fingerprint()
        return self._fingerprint

    def rows_hint(self) -> int | None:
        """Roughly how many records there are."""
        return self._rows

    def signature(self) -> dict[str, Any]:
        """Format, registry, cutting and limits."""
        return {
            "version": self.version,
            "format": self.format,
            "container": self._container.kind,
            "labels": self._registry.digest() if self._registry else None,
            "shard_rows": self._shard_rows,
            "record_limit": self._container.limit,
        }

    def layout(self) -> dict[str, str]:
        """Head, separator, tail and name of the file that `raw` came from."""
        return self._container.layout()

    def pictures_digest(self, paths: Sequence[str]) -> str:
        """Hash of the contents of pictures."""
        return self._pictures.digest(paths)

    def shards(self, start: Position, seen: Iterable[str]) -> Iterator[SourceShard]:
        """Read on from `start`; what stands before damage is given as shards before InputError is raised."""
        ids = {_hash(name) for name in seen}
        drafts: list[Draft] = []
        size, index, position = 0, start.index, start
        try:
            for item in self._container.slices(start):
                drafts.append(self._draft(item, index, ids))
                index += 1
                size += len(item.raw)
                position = Position(item.next, index)
                if len(drafts) >= self._shard_rows or size >= SHARD_BYTES:
                    yield self._shard(drafts, position)
                    drafts, size = [], 0
        except InputError:
            if drafts:
                yield self._shard(drafts, position)
            raise
        if drafts:
            yield self._shard(drafts, position)

    def _draft(self, item: Slice, index: int, ids: set[int]) -> Draft:
        uid = records.source_uid(self.fingerprint(), index)
        if item.failure is not None:
            return self._bad(item, index, uid, item.failure, ids)
        try:
            parts = self._dialect.parse(item.value)
            if parts.label is not None and self._registry:
                parts.task, parts.label = self._registry.place(parts.task, parts.label)
        except RowError as error:
            return self._bad(item, index, uid, error, ids)
        name = str(index) if parts.source_id is None else parts.source_id
        failure = _duplicate(name, ids)
        return Draft(uid, name, item.raw, parts, parts.task, parts.images, failure)

    def _bad(self, item: Slice, index: int, uid: str, failure: RowError, ids: set[int]) -> Draft:
        """Keep of a bad record what can be seen of it."""
        known, images = glimpse(item.value)
        name = _valid(str(index) if known is None else known)
        ids.add(_hash(name))
        return Draft(uid, name, item.raw, None, self._task(item.value), [_valid(path) for path in images], failure)

    def _task(self, value: Any) -> str | None:
        if not isinstance(value, Mapping):
            return None
        try:
            if self._dialect.task_of:
                return self._dialect.task_of(value)
            parts: Parts = self._dialect.parse(value)
        except RowError:
            return None
        return _valid(parts.task)

    def _shard(self, drafts: list[Draft], position: Position) -> SourceShard:
        facts = self._pictures.look(path for draft in drafts for path in draft.images)
        settle_pictures(drafts, facts)
        batch = Batch(build(drafts, facts), "ingest", self.codes)
        for row, draft in enumerate(drafts):
            if draft.failure is not None:
                batch.fail(row, draft.failure.code, draft.failure.detail)
        return SourceShard(batch, position)


def _hash(name: str) -> int:
    return xxhash.xxh3_64_intdigest(name.encode("utf-8"))


def _duplicate(name: str, ids: set[int]) -> RowError | None:
    key = _hash(name)
    if key in ids:
        return RowError("duplicate_id", "an earlier record has the same id; the first one is kept")
    ids.add(key)
    return None


def _valid(text: str) -> str:
    """Make a string storable that may hold lone surrogates."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
