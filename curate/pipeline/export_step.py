"""One export: a folder that appears whole, with a manifest and a ledger of what was left out."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from curate.dataset import ledger
from curate.dataset.files import TEMPORARY, content_hash, digest, read_json, write_error, write_json
from curate.dataset.shards import part_name, read_table, write_table
from curate.errors import Interrupted, OutputError, StageBroken
from curate.pipeline.export import Delivery, Exporter
from curate.pipeline.manifest import Manifest
from curate.pipeline.progress import Progress
from curate.pipeline.result import ExportResult
from curate.pipeline.stop import StopSignal

FILE = "export.json"


@dataclass
class _LeftOut:
    """The ledger of an export."""

    stage: str
    codes: frozenset[str]
    rows: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self, uid: str, code: str, detail: str) -> None:
        if code not in self.codes:
            raise StageBroken(f"export {self.stage}: code '{code}' is not among its declared codes")
        self.rows.append({"uid": uid, "stage": self.stage, "action": "dropped", "code": code, "detail": detail or None})

    def counts(self) -> dict[str, int]:
        """Rows by code."""
        found: dict[str, int] = {}
        for row in self.rows:
            found[row["code"]] = found.get(row["code"], 0) + 1
        return dict(sorted(found.items()))


class ExportStep:
    """An exporter at its place in a run."""

    def __init__(self, exporter: Exporter[Any], folder: Path) -> None:
        self.exporter = exporter
        self.folder = folder
        self.title = exporter.options.title

    def fingerprint(self, inputs: Sequence[str], layout: dict[str, str]) -> str:
        """What the export's content is decided by."""
        return digest({"signature": self.exporter.signature(), "inputs": list(inputs), "layout": layout})

    def why_it_runs(self, inputs: Sequence[str] | None, layout: dict[str, str]) -> str | None:
        """Say why the export is written (again); None where the folder is what it would write."""
        written = self._written()
        if written is None:
            return "it has not been written yet"
        if inputs is None:
            return "the step before it runs again"
        if written["fingerprint"] != self.fingerprint(inputs, layout):
            return "the records or its options changed"
        with ThreadPoolExecutor(4) as threads:
            hashes = threads.map(_hash_or_none, [self.folder / name for name in written["files"]])
            for (name, value), found in zip(written["files"].items(), hashes, strict=True):
                if found != value:
                    return f"{name} was changed or removed"
        return None

    def _written(self) -> dict[str, Any] | None:
        """What the export's manifest says; None where there is none, or it is not what we wrote."""
        written = read_json(self.folder / FILE)
        keys = {"fingerprint", "facts", "left_out", "files"}
        return written if isinstance(written, dict) and keys <= set(written) else None

    def _check_strangers(self) -> None:
        """Make sure that nothing in the folder goes that we did not write: trained weights, for example.

        Raises:
            OutputError: there is such a thing, or the folder is not ours at all.
        """
        if not self.folder.exists():
            return
        written = self._written()
        if not self.folder.is_dir() or (written is None and any(self.folder.iterdir())):
            raise OutputError(f"{self.folder} is not an export of curate; choose another folder, or move it away")
        known = {FILE, *(written["files"] if written else ())}
        for path in sorted(self.folder.rglob("*")):
            name = path.relative_to(self.folder).as_posix()
            if path.is_file() and name not in known:
                raise OutputError(
                    f"{self.folder} must be written again, but holds {name}, "
                    "which curate did not write; move it away first"
                )

    def run(
        self, before: Path, incoming: Manifest, ingest: Manifest | None, progress: Progress, stop: StopSignal
    ) -> ExportResult:
        """Write the export unless it is there already."""
        started = time.monotonic()
        layout: dict[str, str] = ingest.extra.get("layout", {}) if ingest else {}
        why = self.why_it_runs(incoming.outputs, layout)
        if why is None:
            written = self._written()
            assert written is not None
            return ExportResult(
                self.title, self.folder, written["facts"], written["left_out"], True, time.monotonic() - started
            )
        self._check_strangers()
        progress.start(f"export {self.title}", sum(shard.rows for shard in incoming.shards), "rows", why)
        facts, left_out = self._write(before, incoming, layout, progress, stop)
        return ExportResult(self.title, self.folder, facts, left_out, False, time.monotonic() - started)

    def _write(
        self, before: Path, incoming: Manifest, layout: dict[str, str], progress: Progress, stop: StopSignal
    ) -> tuple[dict[str, Any], dict[str, int]]:
        temporary = self.folder.with_name(f"{TEMPORARY}{os.getpid()}-{self.folder.name}")
        left_out = _LeftOut(self.title, frozenset(self.exporter.codes))
        self.exporter.layout = layout

        def tables() -> Iterator[pa.Table]:
            for shard in incoming.shards:
                if stop.requested:
                    raise Interrupted(stop.signal_number)
                yield read_table(before / "rows" / part_name(shard.index))

        def tick(rows: int) -> None:
            progress.advance(rows, 0)
            if stop.requested:
                raise Interrupted(stop.signal_number)

        try:
            shutil.rmtree(temporary, ignore_errors=True)
            temporary.mkdir(parents=True)
            facts = self.exporter.write(tables(), Delivery(temporary, left_out, tick, self.folder.absolute()))
            if left_out.rows:
                write_table(temporary / "ledger.parquet", pa.Table.from_pylist(left_out.rows, schema=ledger.SCHEMA))
            self._seal(temporary, incoming, layout, facts, left_out)
            _replace(temporary, self.folder)
        except OSError as error:
            raise write_error(self.folder, error) from error
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        return facts, left_out.counts()

    def _seal(
        self, folder: Path, incoming: Manifest, layout: dict[str, str], facts: dict[str, Any], left_out: _LeftOut
    ) -> None:
        files = {
            path.relative_to(folder).as_posix(): content_hash(path)
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
        value = {
            "fingerprint": self.fingerprint(incoming.outputs, layout),
            "signature": self.exporter.signature(),
            "facts": facts,
            "left_out": left_out.counts(),
            "files": files,
        }
        write_json(folder / FILE, value)


def _replace(new: Path, folder: Path) -> None:
    """Put a finished folder in the place of an older one."""
    old = folder.with_name(f"{TEMPORARY}{os.getpid()}-old-{folder.name}")
    if folder.exists():
        os.replace(folder, old)
    os.replace(new, folder)
    shutil.rmtree(old, ignore_errors=True)


def _hash_or_none(path: Path) -> str | None:
    try:
        return content_hash(path)
    except OSError:
        return None
