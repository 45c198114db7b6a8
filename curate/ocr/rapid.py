"""The default engine: the PP-OCR networks that the rapidocr wheel brings, without its picture-by-picture loop.

What takes the time is the recognition of short lines, which RapidOCR pads to 320 pixels and batches within one
picture. Here the lines of several pictures share batches of equal width, and nothing is padded further than its bucket.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from curate.dataset.decode import Picture
from curate.dataset.files import content_hash
from curate.errors import UsageError
from curate.ocr import tiling
from curate.ocr.detect import Detector
from curate.ocr.engine import EngineSettings
from curate.ocr.recognise import Recogniser, crop
from curate.ocr.runtime import Runtime, resolve
from curate.records import Line

ALGORITHM = 1
"""Version of what curate does around the networks; raise it when the same picture would read differently."""

DETECTION_KEPT = 600
"""Operations that the detection network keeps prepared: some six shapes of pictures.

Measured on 200 crops of screenshots of random sizes: resident memory after the last is 1.15 times that after the
twentieth; with OpenVINO's own 5000 it is 1.47 times, for at most 4 % less time. Screenshots of one phone share a shape.
"""


class RapidEngine:
    """Reads pictures with the networks of rapidocr.

    Raises:
        UsageError: the networks or the provider that was asked for are not here.
    """

    def __init__(self, settings: EngineSettings) -> None:
        self._settings = settings
        self._runtime = resolve(settings.provider, settings.precision)
        folder = settings.model_dir or _wheel_models()
        self._detection = _model(folder, "det")
        self._recognition = _model(folder, "rec")
        self._signature = _sign(settings, self._runtime, (self._detection, self._recognition))
        self._loaded: tuple[Detector, Recogniser] | None = None

    def signature(self) -> str:
        """Name versions, provider, precision, networks and the size that text is looked for at."""
        return self._signature

    def read(self, images: Sequence[Picture]) -> list[list[Line]]:
        """Give the lines of each picture in the order they were found; boxes that read as nothing are left out."""
        detector, recogniser = self._load()
        quads = [detector.find(image) for image in images]
        crops = [crop(image, quad) for image, found in zip(images, quads, strict=True) for quad in found]
        answers = iter(recogniser.read(crops))
        lines = [[Line(*next(answers), tiling.polygon(quad)) for quad in found] for found in quads]
        return [[line for line in found if line.text] for found in lines]

    def close(self) -> None:
        """Let go of the networks."""
        self._loaded = None

    def _load(self) -> tuple[Detector, Recogniser]:
        if self._loaded is None:
            threads = self._settings.threads
            detection = self._runtime.load(self._detection, threads, DETECTION_KEPT)
            recognition = self._runtime.load(self._recognition, threads)
            detector = Detector(detection, self._settings.det_side, self._settings.tile_ratio)
            self._loaded = detector, Recogniser(recognition)
        return self._loaded


def _wheel_models() -> Path:
    spec = importlib.util.find_spec("rapidocr")
    if spec is None or spec.origin is None:
        raise UsageError("the rapidocr package is not installed. Install it with: pip install rapidocr")
    return Path(spec.origin).parent / "models"


def _model(folder: Path, task: str) -> Path:
    found = sorted(path for path in folder.glob("*.onnx") if f"_{task}_" in path.stem or path.stem.endswith(f"_{task}"))
    if not found:
        raise UsageError(f"there is no network for '{task}' (a file like NAME_{task}.onnx) in {folder}")
    return found[-1]


def _sign(settings: EngineSettings, runtime: Runtime, models: Sequence[Path]) -> str:
    networks = " ".join(f"{path.stem}@{content_hash(path)[:12]}" for path in models)
    sizes = f"side={settings.det_side} tiles={settings.tile_ratio:g}"
    return f"rapidocr/{version('rapidocr')} {runtime} {networks} {sizes} v{ALGORITHM}"
