"""The first step: a source becomes shards of records."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from curate.dataset.files import digest
from curate.dataset.shards import part_name, read_metadata, read_table, remove_shards_from
from curate.errors import Interrupted
from curate.pipeline.manifest import Manifest, why_not
from curate.pipeline.progress import Progress
from curate.pipeline.shard import ShardInfo, finished_shard, write_shard
from curate.pipeline.source import Position, Source, SourceShard
from curate.pipeline.stop import StopSignal
from curate.records import flatten

_NEXT = b"curate.next"
_PICTURES = b"curate.pictures"


class IngestStep:
    """Reads a source once; reads on where a killed run stopped; notices when the source or its pictures changed."""

    title = "ingest"

    def __init__(self, source: Source, folder: Path) -> None:
        self.source = source
        self.folder = folder
        self.signature: dict[str, Any] = {"stage": "ingest", **source.signature()}
        self.manifest: Manifest | None = None
        """What the step holds; set by `run`."""

    def why_it_runs(self) -> str | None:
        """Say why the source must be read (again); None where the shards on disk are still what it holds."""
        manifest = Manifest.read(self.folder)
        return why_not(manifest, self.signature, self._inputs(manifest), self.folder)

    def _inputs(self, manifest: Manifest | None) -> list[str]:
        """The source's hash, then for each known shard the digest of its pictures as they are now."""
        fingerprint = self.source.fingerprint()
        if manifest is None or manifest.inputs[:1] != [fingerprint]:
            return [fingerprint]
        return [fingerprint, *(self._pictures_now(shard.index) for shard in manifest.shards)]

    def _pictures_now(self, index: int) -> str:
        return self.source.pictures_digest(
            json.loads((self._metadata(index) or {}).get(_PICTURES, b'{"paths": []}'))["paths"]
        )

    def _metadata(self, index: int) -> dict[bytes, bytes] | None:
        return read_metadata(self.folder / "rows" / part_name(index))

    def run(
        self, progress: Progress, stop: StopSignal, meanwhile: Callable[[], None] = lambda: None
    ) -> tuple[Manifest, bool, str]:
        """Read the source; give the manifest, whether all of it was there, and why not.

        Args:
            progress: Hears what happens.
            stop: Tells whether the run was asked to stop.
            meanwhile: Called before the source is read, where it must be.
        """
        why = self.why_it_runs()
        if why is None:
            self.manifest = Manifest.read(self.folder)
            assert self.manifest is not None
            return self.manifest, True, ""
        (self.folder / "stage.json").unlink(missing_ok=True)
        progress.start(self.title, self.source.rows_hint(), "rows", why)
        meanwhile()
        self.manifest = self._read(progress, stop)
        self.manifest.write(self.folder)
        return self.manifest, False, why

    def _read(self, progress: Progress, stop: StopSignal) -> Manifest:
        fingerprint = self.source.fingerprint()
        done, position, seen = self._continue(fingerprint)
        failed = sum(shard.counts.failed for shard in done)
        progress.advance(sum(shard.counts.rows_in for shard in done), failed)
        inputs = [fingerprint, *(self._pictures_now(shard.index) for shard in done)]
        for shard in self.source.shards(position, seen):
            paths = _picture_paths(shard)
            pictures = {"paths": paths, "digest": self.source.pictures_digest(paths)}
            metadata = {
                _NEXT: json.dumps([shard.next.offset, shard.next.index]).encode(),
                _PICTURES: json.dumps(pictures).encode(),
            }
            name = self._fingerprint(fingerprint, len(done), position)
            info = write_shard(self.folder, len(done), shard.batch.outcome(), name, metadata=metadata)
            done.append(info)
            inputs.append(str(pictures["digest"]))
            position = shard.next
            failed += info.counts.failed
            progress.advance(info.counts.rows_in, failed)
            if stop.requested:
                raise Interrupted(stop.signal_number)
        remove_shards_from(self.folder, len(done))
        return Manifest(self.signature, inputs, done, {"format": self.source.format, "layout": self.source.layout()})

    def _continue(self, fingerprint: str) -> tuple[list[ShardInfo], Position, list[str]]:
        """Find the shards that an earlier run finished, where to read on, and the ids read so far."""
        done: list[ShardInfo] = []
        position = Position()
        seen: list[str] = []
        while True:
            info = finished_shard(self.folder, len(done), self._fingerprint(fingerprint, len(done), position))
            metadata = self._metadata(len(done)) if info else None
            if info is None or metadata is None:
                return done, position, seen
            pictures = json.loads(metadata[_PICTURES])
            if self.source.pictures_digest(pictures["paths"]) != pictures["digest"]:
                return done, position, seen
            position = Position(*json.loads(metadata[_NEXT]))
            seen += self._source_ids(len(done), info)
            done.append(info)

    def _source_ids(self, index: int, info: ShardInfo) -> list[str]:
        name = part_name(index)
        files = [self.folder / "rows" / name, *(self.folder / side / name for side in info.sides if side == "failed")]
        return [
            value for file in files for value in pc.drop_null(read_table(file, ["source_id"])["source_id"]).to_pylist()
        ]

    def _fingerprint(self, source: str, index: int, start: Position) -> str:
        return digest(
            {"signature": self.signature, "source": source, "index": index, "start": [start.offset, start.index]}
        )


def _picture_paths(shard: SourceShard) -> list[str]:
    """The distinct picture paths that a shard names, those of failed records included."""
    values, _ = flatten(shard.batch.incoming["images"])
    return list(dict.fromkeys(pc.drop_null(pc.struct_field(values, "path")).to_pylist()))
