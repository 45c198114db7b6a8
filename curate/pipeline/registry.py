"""Which stages, exporters and sources there are, by name; plug-ins join through entry points."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from curate.pipeline.export import Exporter
    from curate.pipeline.stage import Stage

STAGES = {
    "ocr": "curate.ocr.stage:OcrStage",
    "denoise": "curate.denoise.stage:DenoiseStage",
    "label": "curate.select.label:LabelStage",
    "quality": "curate.select.quality:QualityStage",
    "filter": "curate.select.filter:FilterStage",
    "dedup": "curate.select.dedup:DedupStage",
    "split": "curate.select.split:SplitStage",
    "pseudo": "curate.select.pseudo:PseudoStage",
    "balance": "curate.select.balance:BalanceStage",
    "augment-image": "curate.augment.image:AugmentImageStage",
    "augment-text": "curate.augment.text:AugmentTextStage",
}
EXPORTS = {
    "sharegpt": "curate.export.sharegpt:ShareGptExporter",
    "alpaca": "curate.export.alpaca:AlpacaExporter",
    "swift": "curate.export.swift:SwiftExporter",
    "trl": "curate.export.trl:TrlExporter",
    "openai": "curate.export.openai:OpenAiExporter",
    "regions": "curate.export.regions:RegionsExporter",
    "source": "curate.export.source:SourceExporter",
}
AFTERWARDS = {"checks": "curate.diff.keeper:ChecksKeeper", "card": "curate.card.keeper:CardKeeper"}
"""What is done for a key of a recipe once the rows are done: `pipeline.afterwards.Afterwards`, by key."""
OPEN_SOURCE = "curate.ingest.detect:open_source"
"""`open_source(InputOptions) -> Source`"""
OPEN_FILE = "curate.ingest.detect:open_file"
"""`open_file(Path) -> RawFile`: the records of a JSON or JSONL file as they stand there, whatever their keys."""
TEXT_READER = "curate.ocr.text:text_reader"
"""`text_reader(Context, engine) -> TextReader`: how other stages ask what a picture says."""
INGEST_CODES = "curate.ingest.codes:CODES"


def load(reference: str) -> Any:
    """Import what `module:name` refers to."""
    module, _, name = reference.partition(":")
    return getattr(importlib.import_module(module), name)


@cache
def stages() -> Mapping[str, type[Stage[Any]]]:
    """All stages by the name that recipes use; a plug-in adds one in the entry-point group `curate.stages`."""
    return _Lazily(STAGES, "curate.stages")


@cache
def exporters() -> Mapping[str, type[Exporter[Any]]]:
    """All export formats by name; plug-ins use the entry-point group `curate.exports`."""
    return _Lazily(EXPORTS, "curate.exports")


def ingest_codes() -> dict[str, str]:
    """Every code that reading a source may write into the ledger."""
    return dict(load(INGEST_CODES))


_Found = TypeVar("_Found")


class _Lazily(Mapping[str, _Found]):
    """Names are known at once; what a name stands for is imported when it is asked for."""

    def __init__(self, shipped: Mapping[str, str], group: str) -> None:
        self._where: dict[str, str | EntryPoint] = {point.name: point for point in entry_points(group=group)}
        self._where = {**shipped, **{name: point for name, point in self._where.items() if name not in shipped}}
        self._loaded: dict[str, _Found] = {}

    def __getitem__(self, name: str) -> _Found:
        if name not in self._loaded:
            where = self._where[name]
            self._loaded[name] = load(where) if isinstance(where, str) else where.load()
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._where)

    def __len__(self) -> int:
        return len(self._where)
