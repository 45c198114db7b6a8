"""Writes records back in the form of their source, so that curate is never a dead end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, BinaryIO, ClassVar, Literal

import pyarrow as pa

from curate.dataset.files import atomic_write
from curate.pipeline.export import Delivery, Exporter, ExportOptions
from curate.pipeline.stage import Context


class SourceOptions(ExportOptions):
    """Options of the `source` export: none of its own."""

    use: Literal["source"] = "source"
    """Which export format this is."""


class SourceExporter(Exporter[SourceOptions]):
    """The way back: the surviving records exactly as the source wrote them, byte for byte.

    A record that stages changed is written as it was before them: this export answers which records survived,
    the training formats carry what became of them. Where no record was dropped, the file is the source's file. The
    engine sets `layout` to what `Source.layout` gave before it calls `write`.
    """

    name: ClassVar[str] = "source"
    version: ClassVar[int] = 1
    Options: ClassVar[type[ExportOptions]] = SourceOptions
    codes: ClassVar[Mapping[str, str]] = {
        "derived": "A record that a stage added has no form in the source.",
        "no_raw": "The record has no source text; the dataset was not made from a source that keeps it.",
    }

    def __init__(self, options: SourceOptions, context: Context) -> None:
        super().__init__(options, context)
        self.layout: dict[str, str] = {}

    def write(self, shards: Iterable[pa.Table], delivery: Delivery) -> dict[str, Any]:
        """Write one file, in the order of the records."""
        name = self.layout.get("name", "source.jsonl")
        rows: Counter[str] = Counter()
        with atomic_write(delivery.folder / name) as stream:
            writer = _Writer(stream, self.layout)
            for table in shards:
                for uid, parent, split, raw in _columns(table):
                    if parent is not None:
                        delivery.leave_out(uid, "derived", "")
                    elif not raw:
                        delivery.leave_out(uid, "no_raw", "")
                    else:
                        writer.add(raw)
                        rows[split or "all"] += 1
                delivery.tick(len(table))
            writer.close()
        return {"files": {name: "records in their source form"}, "rows": dict(sorted(rows.items())), "next": ""}


class _Writer:
    """Puts head, separators and tail around records."""

    def __init__(self, stream: BinaryIO, layout: Mapping[str, str]) -> None:
        self._stream = stream
        self._separator = layout.get("separator", "\n")
        self._tail = layout.get("tail", "\n")
        self._before: str | None = None
        self._put(layout.get("head", ""))

    def add(self, raw: str) -> None:
        if self._before is not None:
            self._put(self._separator)
            if not self._separator and not self._before.endswith("\n"):
                self._put("\n")
        self._put(raw)
        self._before = raw

    def close(self) -> None:
        self._put(self._tail if self._before is not None or self._separator == "," else "")

    def _put(self, text: str) -> None:
        self._stream.write(text.encode("utf-8"))


def _columns(table: pa.Table) -> Iterable[tuple[str, str | None, str | None, str]]:
    return zip(*(table[name].to_pylist() for name in ("uid", "parent", "split", "raw")), strict=True)
