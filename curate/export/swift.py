"""The `swift` export: `messages` of role and content, `images`, as ms-swift documents them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar, Literal

import pyarrow as pa

from curate.export import msswift
from curate.export.options import TrainingOptions
from curate.export.sample import Sample
from curate.export.sharegpt import named
from curate.export.training import TrainingExporter, Written
from curate.export.writers import IMAGE, JsonArray, ParquetRows, Row, RowWriter
from curate.pipeline.export import ExportOptions

_MESSAGES = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))


class SwiftOptions(TrainingOptions):
    """How a training set for ms-swift is written."""

    use: Literal["swift"] = "swift"
    """Which export format this is."""


class SwiftExporter(TrainingExporter[SwiftOptions]):
    """A JSON array, because JSON lines that begin without pictures are read as if there were none at all."""

    name: ClassVar[str] = "swift"
    consumer: ClassVar[str] = "swift"
    Options: ClassVar[type[ExportOptions]] = SwiftOptions

    def file_name(self, split: str) -> str:
        """Parquet where pictures are in the rows, else JSON."""
        return f"{split}.parquet" if self.options.images == "embed" else f"{split}.json"

    def open_file(self, path: Path) -> RowWriter:
        """Open a split's file."""
        if self.options.images != "embed":
            return JsonArray(path)
        fields = [("id", pa.string()), ("messages", _MESSAGES), ("images", pa.list_(IMAGE))]
        return ParquetRows(path, pa.schema(fields))

    def rows(self, sample: Sample) -> Iterable[Row]:
        """One row."""
        messages: list[dict[str, Any]] = [{"role": one.role, "content": one.text} for one in sample.messages]
        images = [named(image) for image in sample.images]
        return [{"id": sample.record.source_id, "messages": messages, "images": images}]

    def companions(self, folder: Path, written: Written) -> dict[str, str]:
        """The command line as a script."""
        if "train" not in written.splits:
            return {}
        return msswift.write(folder, self.options, {split: self.file_name(split) for split in written.splits})

    def next_step(self, written: Written) -> str:
        """Train."""
        return msswift.next_step(written.splits)
