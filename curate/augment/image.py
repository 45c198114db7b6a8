"""The `augment-image` stage: copies of records with changed pictures, whose text is proved to be still there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, model_validator

from curate.augment import copies
from curate.augment.draw import Draw
from curate.augment.pipelines import Pipeline
from curate.augment.proof import GeometryProof, Made, MixedProof, Proof, ReadingProof
from curate.dataset.decode import Picture, decode
from curate.dataset.pictures import CODES, MAX_PIXELS
from curate.errors import CurateError, RowError
from curate.pipeline import registry
from curate.pipeline.batch import Batch
from curate.pipeline.paths import RecipePath
from curate.pipeline.stage import Stage, TextReader
from curate.records import Image, Record


class AugmentImageOptions(copies.CopyOptions):
    """Options of the stage `augment-image`."""

    use: Literal["augment-image"] = "augment-image"

    pipeline: Literal["screenshot", "ecommir", "llm_ir", "trivial", "custom"] = "screenshot"
    """What is done: only what keeps text readable, the operations of a paper, one operation at a time, or `compose`."""

    compose: RecipePath | None = None
    """A composition of one's own, as `albumentations.save` writes it (JSON or YAML); goes with `pipeline: custom`."""

    verify: Literal["auto", "geometry", "ocr"] = "auto"
    """How a new picture is proved: by where its lines of text went, which costs nothing, or by reading it again.

    `auto` is geometry, and reading where the original has fewer than 64 characters, each of which counts.
    """

    min_recall: float = Field(default=0.97, ge=0, le=1)
    """Share of the original's characters that must be in the picture (geometry) or be read again (ocr).

    What stands in a picture is not all read: with .97 by geometry PP-OCR read .95 or more of what it had read before.
    """

    allow_mirrored_text: bool = False
    """Whether a picture with text may be mirrored; only with `verify: geometry`: nothing reads mirrored text."""

    tries: int = Field(default=16, ge=1, le=100)
    """How often a picture is drawn until one is accepted."""

    format: Literal["jpeg", "webp", "png"] = "jpeg"
    """Format of the new pictures; webp is lossless."""

    quality: int = Field(default=95, ge=50, le=100)
    """Quality of JPEG files."""

    engine: str = "rapidocr"
    """What reads with `verify: ocr` and `auto`."""

    max_pixels: int = Field(default=MAX_PIXELS, ge=1)
    """A picture with more pixels than this is not decoded; its record fails with image_too_large."""

    @model_validator(mode="after")
    def _fits_together(self) -> AugmentImageOptions:
        if (self.compose is None) != (self.pipeline != "custom"):
            raise ValueError("`compose: FILE` goes with `pipeline: custom`, and the other way round")
        if self.allow_mirrored_text and self.verify != "geometry":
            raise ValueError("`allow_mirrored_text` goes with `verify: geometry`: mirrored text cannot be read")
        return self


@dataclass
class _Variant:
    """One copy in the making."""

    images: list[Image]
    told: list[str]
    refused: str | None = None


class AugmentImageStage(Stage[AugmentImageOptions]):
    """Adds copies of records behind their originals, every picture of a copy changed; what came in stays as it is."""

    name = "augment-image"
    version = 2
    Options = AugmentImageOptions
    surveys = True
    random = True
    makes_pictures = True
    unit = "images"
    incidental: ClassVar[frozenset[str]] = frozenset({"compose"})
    codes: ClassVar[Mapping[str, str]] = {
        **CODES,
        "image_augmented": "A copy with changed pictures; the value is the smallest share of characters kept.",
        "augment_mirrored": "No copy was made: the pictures drawn were mirrored, and there is or may be text in them.",
        "augment_characters_lost": "No copy was made: the pictures drawn had lost more characters than `min_recall`.",
        "augment_turned": "No copy was made: the pictures drawn were turned too far to be read.",
        "augment_too_small": "No copy was made: the text in the pictures drawn was too small to be read.",
        "augment_too_dark": "No copy was made: too little difference between light and dark was left.",
        "augment_failed": "No copy was made: an operation of the pipeline broke down on the picture.",
        "augment_unchanged": "No copy was made: the pipeline drew nothing that changes the picture.",
    }

    def environment(self) -> Mapping[str, str]:
        """Name the pipeline by its digest, and the engine where it reads."""
        found = {"pipeline": self._pipeline().digest()}
        if self.options.verify != "geometry":
            found["engine"] = self._reader().signature
        return found

    def open(self) -> None:
        """Build the pipeline; the engine loads its models when it first reads."""
        import cv2

        cv2.setNumThreads(self.context.threads)
        self._drawn = self._pipeline()
        options = self.options
        geometry = GeometryProof(options.min_recall, options.allow_mirrored_text)
        self._proof: Proof = geometry
        if options.verify != "geometry":
            reading = ReadingProof(self._reader(), options.min_recall)
            self._proof = reading if options.verify == "ocr" else MixedProof(geometry, reading)

    def survey(self, batch: Batch) -> pa.Table:
        """Give uid, label and whether a record has pictures."""
        pictures = pc.fill_null(pc.list_value_length(batch.table["images"].combine_chunks()), 0)
        return copies.survey(batch, self.options, pc.greater(pictures, 0))

    def decide(self, survey: pa.Table) -> pa.Table:
        """Give the number of copies of each record."""
        return copies.decide(survey, self.options, self.context.seed, self.options.title)

    def process(self, batch: Batch) -> None:
        """Derive the copies; a record with a picture that cannot be read fails."""
        for row, record, number in copies.originals(batch, self.verdict):
            try:
                variants = self._variants(record, number, batch)
            except RowError as error:
                batch.fail(row, error.code, error.detail)
                continue
            for index, variant in enumerate(variants):
                if variant.refused:
                    code = f"augment_{variant.refused}"
                    detail = variant.told[0] if variant.refused == "failed" else None
                    batch.note(row, code, metric="tries", value=self.options.tries, detail=detail)
                else:
                    self._derive(batch, row, record, index, variant)

    def _derive(self, batch: Batch, row: int, record: Record, index: int, variant: _Variant) -> None:
        copy = copies.copy_of(record, self.options.title, index, images=tuple(variant.images))
        kept = [_recall(old, new) for old, new in zip(record.images, variant.images, strict=True)]
        batch.derive(
            row, copy, "image_augmented", metric="characters_kept", value=min(kept), detail=" | ".join(variant.told)
        )

    def _variants(self, record: Record, number: int, batch: Batch) -> list[_Variant]:
        """Make the copies of a record picture by picture, so that each is decoded once and only one is in memory."""
        variants = [_Variant([], []) for _ in range(number)]
        for place, image in enumerate(record.images):
            data = self.context.pictures.read(image.path, image.sha256)
            picture = decode(data, self.options.max_pixels)
            for index, variant in enumerate(variants):
                if not variant.refused:
                    self._one(record, place, index, data, picture, variant)
            batch.tick(1)
        return variants

    def _one(self, record: Record, place: int, index: int, data: bytes, picture: Picture, variant: _Variant) -> None:
        """Draw one picture of one copy until it is accepted, or has been drawn often enough."""
        image = record.images[place]
        reason = ""
        quads = self._proof.quads(image, data, picture)
        for attempt in range(self.options.tries):
            seed = Draw(self.context.seed, record.uid, self.options.title, index, place, attempt).number()
            try:
                new, moved, told = self._drawn.draw(picture, quads, seed)
            except (CurateError, MemoryError):
                raise
            except Exception as error:  # noqa: BLE001  the row boundary: an operation may raise anything
                variant.refused, variant.told = "failed", [type(error).__name__]
                return
            if not told:
                reason = reason or "unchanged"
                continue
            made = Made(new, self._encode)
            verdict = self._proof.judge(picture, moved, made)
            if verdict.refused:
                reason = verdict.refused
                continue
            path, sha256 = self.context.pictures.keep(made.encoded, _SUFFIX[self.options.format])
            height, width = new.shape[:2]
            name = self.options.format.upper()
            variant.images.append(Image(path, sha256, width, height, name, verdict.ocr))
            variant.told.append(told + (f"; try {attempt + 1}" if attempt else ""))
            return
        variant.refused = reason

    def _encode(self, picture: Picture) -> bytes:
        import cv2

        settings = {
            "jpeg": [cv2.IMWRITE_JPEG_QUALITY, self.options.quality],
            "webp": [cv2.IMWRITE_WEBP_QUALITY, 101],  # above 100 it is lossless
            "png": [cv2.IMWRITE_PNG_COMPRESSION, 6],
        }
        _, data = cv2.imencode(
            _SUFFIX[self.options.format], cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), settings[self.options.format]
        )
        return data.tobytes()

    def _pipeline(self) -> Pipeline:
        options = self.options
        if options.compose is not None:
            return Pipeline.read(options.compose, moves_text=options.verify != "ocr")
        return Pipeline.named(options.pipeline)

    def _reader(self) -> TextReader:
        reader: TextReader = registry.load(registry.TEXT_READER)(self.context, self.options.engine)
        return reader


_SUFFIX = {"jpeg": ".jpg", "webp": ".webp", "png": ".png"}


def _recall(old: Image, new: Image) -> float:
    """Share of the characters of a picture's lines that its copy still has; 1 where it had none."""
    before = sum(len("".join(line.text.split())) for line in old.ocr.lines) if old.ocr else 0
    after = sum(len("".join(line.text.split())) for line in new.ocr.lines) if new.ocr else 0
    return round(min(1.0, after / before), 4) if before else 1.0
