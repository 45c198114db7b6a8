"""The `trl` export: Parquet of `prompt`, `completion` and embedded `images`, as TRL and `datasets` read it.

Prompt and completion, not `messages`: with those TRL takes the loss of every token, the prompt's and the pictures'
too.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar, Literal

import pyarrow as pa

from curate.export.options import ImageMode, TrainingOptions
from curate.export.parts import Part, split
from curate.export.sample import Sample
from curate.export.training import TrainingExporter, Written
from curate.export.writers import IMAGE, ParquetRows, Row, RowWriter
from curate.pipeline.export import ExportOptions

_PARTS = pa.list_(pa.struct([("type", pa.string()), ("text", pa.string())]))
_MESSAGES = pa.list_(pa.struct([("role", pa.string()), ("content", _PARTS)]))

SCHEMA = pa.schema([("id", pa.string()), ("prompt", _MESSAGES), ("completion", _MESSAGES), ("images", pa.list_(IMAGE))])


class TrlOptions(TrainingOptions):
    """How a training set for TRL is written."""

    use: Literal["trl"] = "trl"
    """Which export format this is."""

    images: ImageMode = "embed"
    """Pictures are in the rows: a Parquet file of paths works on one machine only."""


class TrlExporter(TrainingExporter[TrlOptions]):
    """The last answer is the completion, everything before it the prompt."""

    name: ClassVar[str] = "trl"
    consumer: ClassVar[str] = "trl"
    modes: ClassVar[tuple[ImageMode, ...]] = ("embed",)
    Options: ClassVar[type[ExportOptions]] = TrlOptions

    def file_name(self, split: str) -> str:
        """Parquet."""
        return f"{split}.parquet"

    def open_file(self, path: Path) -> RowWriter:
        """Open a split's file."""
        return ParquetRows(path, SCHEMA)

    def rows(self, sample: Sample) -> Iterable[Row]:
        """One row."""
        messages = split(sample.messages, lambda: {"type": "image", "text": None}, _text)
        images = [{"bytes": image.data, "path": image.path} for image in sample.images]
        row = {"id": sample.record.source_id, "prompt": messages[:-1], "completion": messages[-1:], "images": images}
        return [row]

    def companions(self, folder: Path, written: Written) -> dict[str, str]:
        """Nothing: a training with TRL is a program of one's own."""
        return {}

    def next_step(self, written: Written) -> str:
        """Load it."""
        file = self.file_name(written.splits[0])
        return f'load_dataset("parquet", data_files="{file}"), then SFTTrainer with SFTConfig(max_length=None)'


def _text(text: str) -> Part:
    return {"type": "text", "text": text}
