"""The stage that reads the text in every picture of a dataset."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from curate import records
from curate.dataset.pictures import CODES, MAX_PIXELS
from curate.errors import RowError
from curate.ocr.cache import Reading, ReadingCache
from curate.ocr.engine import Engine, EngineSettings, make_engine
from curate.ocr.order import arrange
from curate.ocr.reader import Reader, Source
from curate.pipeline.batch import Batch
from curate.pipeline.paths import RecipePath
from curate.pipeline.stage import Stage, StageOptions


class OcrOptions(StageOptions):
    """Options of the stage `ocr`."""

    use: Literal["ocr"] = "ocr"

    engine: str = "rapidocr"
    """What reads: rapidocr, paddleocr (extra `paddle`), fake (for tests), or a plug-in's name (entry-point group
    `curate.ocr_engines`)."""

    provider: Literal["auto", "openvino", "onnxruntime", "cuda"] = "auto"
    """What executes the models; auto takes CUDA where onnxruntime offers it, else OpenVINO, else onnxruntime. With
    paddleocr auto is the GPU where paddlepaddle-gpu is installed, else the processor."""

    precision: Literal["auto", "f32", "bf16"] = "auto"
    """Arithmetic of the models; auto takes bf16 where the processor computes it natively, else f32."""

    det_side: int = Field(default=1280, ge=320, le=4096)
    """Longest side, in pixels, to which a picture or tile is scaled down to find text in; larger finds smaller text."""

    tile_ratio: float = Field(default=2.5, ge=1.5, le=100.0)
    """A picture longer than this many times its short side is read in overlapping tiles."""

    join: Literal["lines", "paragraphs"] = "lines"
    """Whether lines that belong to one paragraph are joined to one."""

    max_pixels: int = Field(default=MAX_PIXELS, ge=1)
    """A picture with more pixels than this is not decoded; its record fails with image_too_large."""

    model_dir: RecipePath | None = None
    """Folder with networks to use instead of those the engine brings or finds: for rapidocr two ONNX files
    (NAME_det.onnx, NAME_rec.onnx), for paddleocr two folders, one with `det` and one with `rec` in its name."""

    texts: RecipePath | None = None
    """Side file of the fake engine: a JSON object of picture key to list of lines."""

    cache: bool = True
    """Whether pictures that any run has read before are taken from the cache."""

    batch_images: int = Field(default=8, ge=1, le=256)
    """How many pictures are decoded and read at a time."""


class OcrStage(Stage[OcrOptions]):
    """Reads every picture once and keeps its text with polygons and scores in `images[].ocr`."""

    name = "ocr"
    version = 2
    Options = OcrOptions
    unit = "images"
    # Provider, precision and files decide the output through the engine's signature, which says what they came to.
    incidental: ClassVar[frozenset[str]] = frozenset(
        {"provider", "precision", "model_dir", "texts", "cache", "batch_images"},
    )
    codes: ClassVar[Mapping[str, str]] = {
        **CODES,
        "ocr_read": "The text in the record's pictures was read; the value is the number of lines.",
        "ocr_failed": "The OCR engine broke down on one of the record's pictures.",
    }

    def environment(self) -> Mapping[str, str]:
        """Name the engine with its models; loads none."""
        return {"engine": self._make_engine().signature()}

    def announcement(self) -> str:
        """Name the engine and what executes it."""
        return "reads with " + ", ".join(self._make_engine().signature().split()[:2])

    def open(self) -> None:
        """Make the engine, which loads its models at the first picture that the cache does not know."""
        engine = self._make_engine()
        folder = self.context.cache if self.options.cache else None
        cache = ReadingCache(folder) if folder else None
        self._signature = engine.signature()
        self._reader = Reader(engine, self.context.pictures, cache, self.options.max_pixels, self.options.batch_images)

    def process(self, batch: Batch) -> None:
        """Read the pictures of a batch; a record with a bad one fails with the code of its first."""
        images, rows = records.flatten(batch.table["images"])
        if not len(images):
            return
        paths, hashes = (pc.struct_field(images, name).to_pylist() for name in ("path", "sha256"))
        sources = [Source(path or "", sha256) for path, sha256 in zip(paths, hashes, strict=True)]
        results = self._read(batch, sources)
        for row, source in zip(rows.tolist(), sources, strict=True):
            result = results[source]
            if isinstance(result, RowError):
                batch.fail(row, result.code, result.detail)
        readings, numbers = self._column(sources, results)
        batch.set_column("images", _with_ocr(batch.table["images"], images, readings.take(numbers)))
        counts = np.zeros(len(batch), dtype=np.int64)
        lengths = pc.fill_null(pc.list_value_length(pc.struct_field(readings, "lines")), 0).take(numbers)
        np.add.at(counts, rows, np.asarray(pc.fill_null(lengths, 0), dtype=np.int64))
        for row in np.unique(rows).tolist():
            if batch.alive(row):
                batch.change(row, "ocr_read", metric="lines", value=float(counts[row]))

    def read(self, sources: Sequence[Source]) -> Iterator[tuple[Source, Reading | RowError]]:
        """Read pictures that stand in no batch, as `process` does; give for each distinct one what is in it.

        Args:
            sources: Pictures below the context's image root.

        Returns:
            In any order, each with its lines in reading order, or with what is wrong with it.
        """
        for source, result in self._reader.read(sources):
            if isinstance(result, Reading):
                result = replace(result, lines=tuple(arrange(result.lines, self.options.join)))
            yield source, result

    def _make_engine(self) -> Engine:
        options = self.options
        settings = EngineSettings(
            provider=options.provider,
            precision=options.precision,
            det_side=options.det_side,
            tile_ratio=options.tile_ratio,
            threads=self.context.threads,
            model_dir=options.model_dir,
            texts=options.texts,
        )
        return make_engine(options.engine, settings)

    def _read(self, batch: Batch, sources: list[Source]) -> dict[Source, Reading | RowError]:
        reader = self._reader
        read, cached = reader.read_count, reader.cached_count
        uses: dict[Source, int] = {}
        for source in sources:
            uses[source] = uses.get(source, 0) + 1
        results: dict[Source, Reading | RowError] = {}
        for source, result in reader.read(sources):
            results[source] = result
            batch.tick(uses[source])
        batch.tally.update(pictures_read=reader.read_count - read, pictures_cached=reader.cached_count - cached)
        return results

    def _column(self, sources: list[Source], results: Mapping[Source, Reading | RowError]) -> tuple[pa.Array, pa.Array]:
        """The distinct readings, and for each picture the number of its own (null where it is bad)."""
        number: dict[Source, int] = {}
        values: list[dict[str, Any]] = []
        for source, result in results.items():
            if isinstance(result, Reading):
                number[source] = len(values)
                values.append(self._ocr(result))
        return pa.array(values, records.OCR), pa.array([number.get(source) for source in sources], pa.int64())

    def _ocr(self, reading: Reading) -> dict[str, Any]:
        lines = arrange(reading.lines, self.options.join)
        return {
            "engine": self._signature,
            "text": "\n".join(line.text for line in lines),
            "lines": [{"text": line.text, "score": line.score, "polygon": line.polygon} for line in lines],
        }


def _with_ocr(column: pa.ChunkedArray, images: pa.Array, ocr: pa.Array) -> pa.Array:
    """Put `ocr` into the list column that `images` were flattened from."""
    fields = [pc.struct_field(images, field.name) if field.name != "ocr" else ocr for field in records.IMAGE]
    lengths = np.asarray(pc.fill_null(pc.list_value_length(column), 0), dtype=np.int64)
    offsets = np.zeros(len(lengths) + 1, dtype=np.int32)
    np.cumsum(lengths, out=offsets[1:])
    return pa.ListArray.from_arrays(pa.array(offsets), pa.StructArray.from_arrays(fields, fields=list(records.IMAGE)))
