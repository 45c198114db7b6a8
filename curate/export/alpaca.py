"""The `alpaca` export: the flat shape of MIRE's files, `id, instruction, input, output, image`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar, Literal

import pyarrow as pa

from curate.export import llamafactory
from curate.export.options import TrainingOptions
from curate.export.sample import Sample
from curate.export.sharegpt import named
from curate.export.training import TrainingExporter, Written
from curate.export.writers import IMAGE, JsonArray, ParquetRows, Row, RowWriter
from curate.pipeline.export import ExportOptions

_INDENT = 4
"""As the organisers' files are, so that a file that nobody changed differs in the picture paths only."""

_PAIRS = pa.list_(pa.list_(pa.string()))


class AlpacaOptions(TrainingOptions):
    """How an Alpaca training set is written."""

    use: Literal["alpaca"] = "alpaca"
    """Which export format this is."""


class AlpacaExporter(TrainingExporter[AlpacaOptions]):
    """A question and an answer a row; earlier turns in `history`, where the template may have more than one."""

    name: ClassVar[str] = "alpaca"
    consumer: ClassVar[str] = "llamafactory"
    Options: ClassVar[type[ExportOptions]] = AlpacaOptions

    @property
    def _more(self) -> list[str]:
        """The columns beyond MIRE's own."""
        history = self.template.has_many_turns or self.options.rationale
        return [*(["history"] if history else []), *(["system"] if self.template.speaks_as_system else [])]

    def file_name(self, split: str) -> str:
        """Parquet where pictures are in the rows, else JSON."""
        return f"{split}.parquet" if self.options.images == "embed" else f"{split}.json"

    def open_file(self, path: Path) -> RowWriter:
        """Open a split's file."""
        if self.options.images != "embed":
            return JsonArray(path, _INDENT)
        texts = [(name, pa.string()) for name in ("id", "instruction", "input", "output")]
        more = [(name, _PAIRS if name == "history" else pa.string()) for name in self._more]
        return ParquetRows(path, pa.schema([*texts, *more, ("image", pa.list_(IMAGE))]))

    def rows(self, sample: Sample) -> Iterable[Row]:
        """One row; without `output` where there is no answer, as in MIRE's test files."""
        texts = [one.text for one in sample.turns]
        row: dict[str, Any] = {"id": sample.record.source_id, "instruction": texts[-2], "input": ""}
        if texts[-1]:
            row["output"] = texts[-1]
        more = {"history": [[*pair] for pair in zip(texts[:-2:2], texts[1:-2:2], strict=True)], "system": sample.system}
        row |= {name: more[name] for name in self._more}
        return [{**row, "image": [named(image) for image in sample.images]}]

    def companions(self, folder: Path, written: Written) -> dict[str, str]:
        """dataset_info.json and the configurations of LLaMA-Factory."""
        more = {name: name for name in self._more}
        entries = {}
        for split in written.splits:
            columns = {**llamafactory.ALPACA, **more}
            if not written.answered[split] and self.options.images != "embed":
                del columns["response"]
            entries[split] = llamafactory.entry(self.file_name(split), "alpaca", columns)
        return llamafactory.write(folder, self.options, entries, self.budget(written), written.longest_answer)

    def next_step(self, written: Written) -> str:
        """Train, or predict."""
        return llamafactory.next_step(written.splits)
