"""What an OCR engine is, and how one is found by name.

An engine is made cheaply and loads its models at the first picture it has to read: a run that finds every
picture in the cache loads no model at all.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Protocol, TypeAlias, cast

from curate.dataset.decode import Picture
from curate.errors import UsageError
from curate.records import Line

ENTRY_POINTS = "curate.ocr_engines"
"""Entry-point group in which plug-ins register an `EngineFactory`."""

ENGINES = {
    "fake": "curate.ocr.fake:FakeEngine.from_settings",
    "paddleocr": "curate.ocr.paddle:PaddleEngine",
    "rapidocr": "curate.ocr.rapid:RapidEngine",
}
"""Engines that come with curate; imported only when chosen."""


@dataclass(frozen=True, kw_only=True)
class EngineSettings:
    """What an engine may know of the run. An engine ignores what does not concern it.

    Args:
        provider: What executes the models: auto, openvino, onnxruntime or cuda.
        precision: auto (the fastest that the processor computes natively), f32 or bf16.
        det_side: Longest side, in pixels, at which text is looked for; larger pictures are scaled down for that.
        tile_ratio: Pictures longer than this many times their short side are cut into tiles.
        threads: Threads that native libraries may use; does not change the result.
        model_dir: Folder with models to use instead of those that the engine finds by itself.
        texts: Side file of the fake engine.
    """

    provider: str = "auto"
    precision: str = "auto"
    det_side: int = 1280
    tile_ratio: float = 2.5
    threads: int = 1
    model_dir: Path | None = None
    texts: Path | None = None


class Engine(Protocol):
    """Reads the text in pictures."""

    def read(self, images: Sequence[Picture]) -> list[list[Line]]:
        """Give the lines of each picture, polygons in its pixels, scores rounded to four decimals.

        The lines of a picture must not depend on which others are read with it: a resumed run finds some of
        them in the cache.
        """

    def signature(self) -> str:
        """Name everything that decides the result: engine, version, provider, model hashes, options.

        Cheap: loads no model.
        """

    def close(self) -> None:
        """Let go of models; the engine loads them again when it is used again."""


EngineFactory: TypeAlias = Callable[[EngineSettings], Engine]


def make_engine(name: str, settings: EngineSettings) -> Engine:
    """Make the engine that is called `name`; nothing heavy is loaded yet.

    Raises:
        UsageError: there is no such engine, or it cannot run here (MissingExtra where an install helps).
    """
    plugins = {point.name: point for point in entry_points(group=ENTRY_POINTS)}
    if name in ENGINES:
        factory = _import(ENGINES[name])
    elif name in plugins:
        factory = cast(EngineFactory, plugins[name].load())
    else:
        known = sorted({*ENGINES, *plugins})
        close = difflib.get_close_matches(name, known, n=1)
        hint = f" Did you mean '{close[0]}'?" if close else ""
        raise UsageError(f"there is no OCR engine '{name}'.{hint} Known engines: {', '.join(known)}")
    return factory(settings)


def _import(reference: str) -> EngineFactory:
    module, _, path = reference.partition(":")
    found: Any = importlib.import_module(module)
    for name in path.split("."):
        found = getattr(found, name)
    return cast(EngineFactory, found)
