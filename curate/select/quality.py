"""The `quality` stage: numbers that say how good pictures, texts and readings are; `filter` decides what they mean."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa

from curate import records
from curate.dataset.decode import Picture, decode
from curate.dataset.pictures import CODES, MAX_PIXELS
from curate.errors import RowError
from curate.pipeline.batch import Batch
from curate.pipeline.stage import Stage, StageOptions
from curate.records import PLACEHOLDER, Image, Record

SCORES = {
    "image_pixels": "millions of pixels of the smallest picture",
    "image_aspect": "long side by short side of the most stretched picture",
    "image_blur": "variance of the Laplacian at 512 pixels of the short side, of the most blurred picture",
    "image_contrast": "standard deviation of brightness (0 to 127), of the blankest picture; 0 is one colour",
    "text_length": "characters of all turns, placeholders left out",
    "text_han": "share of Han characters among letters and digits",
    "text_repeat": "share of characters in runs of four or more of the same",
    "ocr_score": "mean score of the lines read, by characters, over all pictures",
    "ocr_characters": "characters read in all pictures",
    "ocr_chrome": "share of the characters read in the outer 4 % of a picture's height, where phones show the time",
}
"""Every score with its meaning; `min` and `max` of the `filter` stage take these names."""

SIDE = 512
CHROME = 0.04
_HAN = re.compile(r"[\u3400-\u9fff]")
_RUN = re.compile(r"(\S)\1{3,}")


class QualityOptions(StageOptions):
    """What is scored."""

    use: Literal["quality"] = "quality"

    of: tuple[Literal["image", "text", "ocr"], ...] = ("image", "text", "ocr")
    """Groups of scores; `image` opens every picture, the others open none."""


class QualityStage(Stage[QualityOptions]):
    """Writes scores into `scores`; what is not there is not scored: a record without pictures has no image scores."""

    name = "quality"
    version = 1
    Options = QualityOptions
    unit = "images"
    codes: ClassVar[Mapping[str, str]] = {
        **CODES,
        "scored": "Scores of quality were written; the value is their number.",
    }

    def process(self, batch: Batch) -> None:
        """Score the records of a batch; one with a picture that cannot be read fails."""
        scores: list[list[dict[str, object]]] = []
        for row, record in enumerate(records.from_table(batch.table)):
            try:
                found = self._scores(record)
            except RowError as error:
                batch.fail(row, error.code, error.detail)
                found = {}
            kept = {name: value for name, value in record.scores if name not in SCORES}
            scores.append([{"name": name, "value": value} for name, value in sorted({**kept, **found}.items())])
            if batch.alive(row):
                batch.change(row, "scored", metric="scores", value=len(found))
            batch.tick(len(record.images))
        batch.set_column("scores", pa.array(scores, records.SCHEMA.field("scores").type))

    def _scores(self, record: Record) -> dict[str, float]:
        found: dict[str, float] = {}
        if "image" in self.options.of and record.images:
            found |= self._of_pictures(record)
        if "text" in self.options.of:
            found |= of_text("".join(turn.text.replace(PLACEHOLDER, "") for turn in record.turns))
        if "ocr" in self.options.of and any(image.ocr for image in record.images):
            found |= of_reading(record.images)
        return {name: round(value, 4) for name, value in found.items()}

    def _of_pictures(self, record: Record) -> dict[str, float]:
        pictures = [
            of_picture(decode(self.context.pictures.read(image.path, image.sha256), MAX_PIXELS))
            for image in record.images
        ]
        worst = {"image_aspect": max}
        return {name: worst.get(name, min)(one[name] for one in pictures) for name in pictures[0]}


def of_picture(picture: Picture) -> dict[str, float]:
    """Score one picture."""
    import cv2

    height, width = picture.shape[:2]
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    scale = SIDE / min(height, width)
    if scale < 1:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    return {
        "image_pixels": height * width / 1e6,
        "image_aspect": max(height, width) / min(height, width),
        "image_blur": float(cv2.Laplacian(grey, cv2.CV_64F).var()),
        "image_contrast": float(np.std(grey)),
    }


def of_text(text: str) -> dict[str, float]:
    """Score the text of a record."""
    words = [character for character in text if character.isalnum()]
    visible = sum(not character.isspace() for character in text)
    return {
        "text_length": float(len(text.strip())),
        "text_han": len(_HAN.findall(text)) / len(words) if words else 0.0,
        "text_repeat": sum(len(run.group()) for run in _RUN.finditer(text)) / visible if visible else 0.0,
    }


def of_reading(images: tuple[Image, ...]) -> dict[str, float]:
    """Score what was read in pictures."""
    weighed = total = chrome = 0.0
    for image in images:
        for line in image.ocr.lines if image.ocr else ():
            number = len("".join(line.text.split()))
            middle = sum(line.polygon[1::2]) / 4 / (image.height or 1)
            total += number
            weighed += line.score * number
            chrome += number if not CHROME < middle < 1 - CHROME else 0
    return {
        "ocr_characters": total,
        **({"ocr_score": weighed / total, "ocr_chrome": chrome / total} if total else {}),
    }
