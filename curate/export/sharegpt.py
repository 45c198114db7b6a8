"""The `sharegpt` export: a training set that LLaMA-Factory and ms-swift read as it is."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar, Literal

import pyarrow as pa

from curate.export import llamafactory
from curate.export.options import TrainingOptions
from curate.export.pictures import Placed
from curate.export.sample import Sample
from curate.export.training import TrainingExporter, Written
from curate.export.writers import IMAGE, JsonArray, ParquetRows, Row, RowWriter
from curate.pipeline.export import ExportOptions

ROLES = {"user": "human", "assistant": "gpt"}

_TURNS = pa.list_(pa.struct([("from", pa.string()), ("value", pa.string())]))


class ShareGptOptions(TrainingOptions):
    """How a ShareGPT training set is written."""

    use: Literal["sharegpt"] = "sharegpt"
    """Which export format this is."""


class ShareGptExporter(TrainingExporter[ShareGptOptions]):
    """`conversations` of `from` and `value`, `images`; `system` where the template may give one."""

    name: ClassVar[str] = "sharegpt"
    consumer: ClassVar[str] = "llamafactory"
    Options: ClassVar[type[ExportOptions]] = ShareGptOptions

    def file_name(self, split: str) -> str:
        """Parquet where pictures are in the rows, else JSON."""
        return f"{split}.parquet" if self.options.images == "embed" else f"{split}.json"

    def open_file(self, path: Path) -> RowWriter:
        """Open a split's file."""
        if self.options.images != "embed":
            return JsonArray(path)
        system = [("system", pa.string())] if self.template.speaks_as_system else []
        fields = [("id", pa.string()), ("conversations", _TURNS), *system, ("images", pa.list_(IMAGE))]
        return ParquetRows(path, pa.schema(fields))

    def rows(self, sample: Sample) -> Iterable[Row]:
        """One row, with the same keys in every row."""
        row: dict[str, Any] = {
            "id": sample.record.source_id,
            "conversations": [{"from": ROLES[one.role], "value": one.text} for one in sample.turns],
        }
        if self.template.speaks_as_system:
            row["system"] = sample.system
        return [{**row, "images": [named(image) for image in sample.images]}]

    def companions(self, folder: Path, written: Written) -> dict[str, str]:
        """dataset_info.json and the configurations of LLaMA-Factory."""
        columns = {**llamafactory.SHAREGPT, **({"system": "system"} if self.template.speaks_as_system else {})}
        entries = {split: llamafactory.entry(self.file_name(split), "sharegpt", columns) for split in written.splits}
        return llamafactory.write(folder, self.options, entries, self.budget(written), written.longest_answer)

    def next_step(self, written: Written) -> str:
        """Train, or predict."""
        return llamafactory.next_step(written.splits)


def named(image: Placed) -> str | dict[str, Any]:
    """A picture as a row names it: its path, or its bytes with a name."""
    return image.path if image.data is None else {"bytes": image.data, "path": image.path}
