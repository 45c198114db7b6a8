"""Staged, resumable Parquet pipelines for multimodal customer-service data.

>>> import curate
>>> curate.run("demo", "work/demo")           # doctest: +SKIP
>>> curate.Dataset.open("work/demo").count()  # doctest: +SKIP
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from curate.api import run
    from curate.dataset.dataset import Dataset
    from curate.errors import CurateError
    from curate.pipeline.batch import Batch
    from curate.pipeline.stage import Stage, StageOptions
    from curate.records import Image, Line, Ocr, Record, Turn

__all__ = [
    "Batch",
    "CurateError",
    "Dataset",
    "Image",
    "Line",
    "Ocr",
    "Record",
    "Stage",
    "StageOptions",
    "Turn",
    "__version__",
    "run",
]

_HOMES = {
    "Batch": "curate.pipeline.batch",
    "CurateError": "curate.errors",
    "Dataset": "curate.dataset.dataset",
    "Image": "curate.records",
    "Line": "curate.records",
    "Ocr": "curate.records",
    "Record": "curate.records",
    "Stage": "curate.pipeline.stage",
    "StageOptions": "curate.pipeline.stage",
    "Turn": "curate.records",
    "run": "curate.api",
}


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used, so that `import curate` and `curate --help` stay quick."""
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'curate' has no attribute '{name}'")
