"""PaddleOCR 3.x: the reference engine, with its own networks on Paddle.

Its two modules are used one by one instead of its pipeline: the pipeline straightens and turns pictures, so that boxes
no longer lie on the picture that came in, shrinks tall pages until small text is gone, and pads lines to the longest
one of their batch, so that a line's score depends on its neighbours.
"""

from __future__ import annotations

import importlib.util
import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from curate.dataset.decode import Picture
from curate.dataset.files import content_hash, digest
from curate.errors import MissingExtra, UsageError
from curate.ocr import tiling
from curate.ocr.detect import SMALLEST
from curate.ocr.engine import EngineSettings
from curate.ocr.recognise import crop
from curate.records import Line

ALGORITHM = 1
"""Version of what curate does around the networks; raise it when the same picture would read differently."""

MODELS = ("PP-OCRv6_medium_det", "PP-OCRv6_medium_rec")
"""What PaddleOCR 3.7 reads Chinese and English with unless told otherwise."""


class Model(NamedTuple):
    """A network in Paddle's format."""

    name: str
    """What its `inference.yml` calls it; PaddleOCR decides by this how pictures are prepared."""
    folder: Path


class PaddleEngine:
    """Reads pictures with PaddleOCR's networks for detection and recognition. Fetches nothing.

    Raises:
        MissingExtra: paddleocr or paddlepaddle is not installed.
        UsageError: networks are missing, or cannot be executed as asked.
    """

    def __init__(self, settings: EngineSettings) -> None:
        if not all(importlib.util.find_spec(name) for name in ("paddleocr", "paddle")):
            raise MissingExtra("the OCR engine paddleocr", "paddle")
        self._settings = settings
        self._device = _device(settings)
        self._models = [_model(task, settings.model_dir) for task in ("det", "rec")]
        self._signature = self._sign()
        self._loaded: tuple[Any, Any] | None = None

    def signature(self) -> str:
        """Name versions, device, networks and the size that text is looked for at."""
        return self._signature

    def read(self, images: Sequence[Picture]) -> list[list[Line]]:
        """Give the lines of each picture in the order they were found; boxes that read as nothing are left out."""
        detection, recognition = self._load()
        return [self._read(image, detection, recognition) for image in images]

    def close(self) -> None:
        """Let go of the networks."""
        self._loaded = None

    def _read(self, image: Picture, detection: Any, recognition: Any) -> list[Line]:
        if min(image.shape[:2]) < SMALLEST:
            return []
        quads = tiling.find(image, self._settings.tile_ratio, lambda view: self._find(view, detection))
        crops = [_bgr(crop(image, quad)) for quad in quads]
        # One by one: the module pads the lines of a batch to the longest of them.
        answers = [answer for cut in crops for answer in recognition.predict([cut], batch_size=1)]
        lines = [
            Line(str(answer["rec_text"]).strip(), round(float(answer["rec_score"]), 4), tiling.polygon(quad))
            for answer, quad in zip(answers, quads, strict=True)
        ]
        return [line for line in lines if line.text]

    def _find(self, view: Picture, detection: Any) -> tuple[list[tiling.Quad], float]:
        (found,) = detection.predict([_bgr(view)], batch_size=1)
        height, width = view.shape[:2]
        limits = np.array([width, height], dtype=np.float32)
        quads = [np.clip(np.asarray(quad, dtype=np.float32), 0, limits) for quad in found["dt_polys"]]
        margin = 2 * max(1.0, max(height, width) / self._settings.det_side)
        return [quad for quad in quads if (np.ptp(quad, axis=0) >= 2).all()], margin

    def _load(self) -> tuple[Any, Any]:
        if self._loaded is None:
            paddleocr = _paddleocr()
            common = {
                "device": self._device,
                "cpu_threads": self._settings.threads,
                # With oneDNN, Paddle 3.3 fails on networks in the format of Paddle 2 (no conversion of an attribute).
                "enable_mkldnn": False,
            }
            det, rec = self._models
            sizes = {"limit_side_len": self._settings.det_side, "limit_type": "max"}
            with _quiet():
                self._loaded = (
                    paddleocr.TextDetection(model_name=det.name, model_dir=str(det.folder), **sizes, **common),
                    paddleocr.TextRecognition(model_name=rec.name, model_dir=str(rec.folder), **common),
                )
        return self._loaded

    def _sign(self) -> str:
        networks = " ".join(f"{model.name}@{_hash(model.folder)[:12]}" for model in self._models)
        sizes = f"side={self._settings.det_side} tiles={self._settings.tile_ratio:g}"
        paddle = _paddle_version()
        return f"paddleocr/{version('paddleocr')} paddle/{paddle}/{self._device} {networks} {sizes} v{ALGORITHM}"


@cache
def _paddleocr() -> Any:
    """Import paddleocr without its question to the model hosts whether they are there."""
    os.environ.setdefault("PADDLE_PDX_DISABLE_MODEL_SOURCE_CHECK", "True")
    with _quiet():
        import paddleocr
    return paddleocr


@contextmanager
def _quiet() -> Iterator[None]:
    """Hide that Paddle misses ccache, which only who compiles operators needs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _device(settings: EngineSettings) -> str:
    gpu = _installed("paddlepaddle-gpu")
    if settings.provider not in ("auto", "cuda"):
        raise UsageError(f"paddleocr runs on Paddle; provider must be auto or cuda, not {settings.provider}")
    if settings.provider == "cuda" and not gpu:
        raise UsageError("provider cuda needs the package paddlepaddle-gpu for the engine paddleocr")
    if settings.precision == "bf16":
        raise UsageError("paddleocr computes in f32; precision must be auto or f32")
    return "gpu:0" if gpu else "cpu"


def _installed(package: str) -> bool:
    try:
        version(package)
    except PackageNotFoundError:
        return False
    return True


def _paddle_version() -> str:
    return version("paddlepaddle-gpu" if _installed("paddlepaddle-gpu") else "paddlepaddle")


def _model(task: str, folder: Path | None) -> Model:
    """Find a network: in the folder that was given, else where PaddleOCR keeps what it has fetched."""
    if folder is not None:
        found = sorted(path.parent for path in folder.glob("*/inference.yml") if f"_{task}" in path.parent.name)
        if not found:
            raise UsageError(
                f"there is no network for '{task}' in {folder}: paddleocr needs a folder with _{task} in its name "
                "that holds inference.yml and inference.pdiparams"
            )
        return Model(_name(found[-1]), found[-1])
    name = next(name for name in MODELS if name.endswith(task))
    kept = Path(os.environ.get("PADDLE_PDX_CACHE_HOME", Path.home() / ".paddlex")) / "official_models" / name
    if not (kept / "inference.yml").is_file():
        module = "TextDetection" if task == "det" else "TextRecognition"
        raise UsageError(
            f"the network {name} is not on this machine ({kept}), and curate fetches nothing by itself.\n"
            f"Let PaddleOCR fetch it: python -c \"from paddleocr import {module} as M; M(model_name='{name}')\"\n"
            "or name a folder with networks: --set model_dir=FOLDER"
        )
    return Model(name, kept)


def _name(folder: Path) -> str:
    """The network's own name, from its `inference.yml`."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        name = YAML(typ="safe").load((folder / "inference.yml").read_text("utf-8"))["Global"]["model_name"]
    except (OSError, UnicodeDecodeError, YAMLError, KeyError, TypeError) as error:
        raise UsageError(f"{folder / 'inference.yml'} does not say Global.model_name") from error
    return str(name)


def _hash(folder: Path) -> str:
    """Hash of what a network consists of: weights, graph, and how pictures are prepared."""
    names = ("inference.pdiparams", "inference.json", "inference.pdmodel", "inference.yml")
    paths = [folder / name for name in names if (folder / name).is_file()]
    if not (folder / "inference.pdiparams").is_file():
        raise UsageError(f"{folder} holds no inference.pdiparams; it is no network in Paddle's format")
    return digest([content_hash(path) for path in paths])


def _bgr(picture: Picture) -> Picture:
    return np.ascontiguousarray(picture[..., ::-1])
