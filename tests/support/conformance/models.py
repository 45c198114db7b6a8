"""A tiny Qwen2-VL and a LoRA adapter of it, made once: for trainers, servers and clients in tests."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from conformance.environments import HERE, Environment, cache, digest

PROGRAM = HERE / "programs" / "make_tiny_model.py"
_EXPORT = HERE.parents[2] / "curate" / "export" / "templates" / "mire.yaml"
_LABELS = HERE.parents[2] / "curate" / "labels" / "mire.yaml"


def tiny_model(real_ids: bool = False) -> Path:
    """The folder of a tiny Qwen2-VL (random weights), which transformers 4 and 5, all trainers and vLLM load.

    Args:
        real_ids: Whether its special tokens have the real checkpoint's numbers, which ms-swift needs.
    """
    environment = Environment("llamafactory").make()
    texts = [_EXPORT, _LABELS]
    made_of = [path.read_bytes() for path in (PROGRAM, environment.pins, *texts)]
    folder = cache() / f"tiny-qwen2-vl{'-real-ids' if real_ids else ''}-{digest(*made_of)}"
    if not folder.exists():
        unfinished = folder.with_name(f".tmp-{os.getpid()}-{folder.name}")
        shutil.rmtree(unfinished, ignore_errors=True)
        more = ["--real-ids"] if real_ids else []
        environment.run(str(PROGRAM), str(unfinished), *map(str, texts), *more)
        os.replace(unfinished, folder)
    return folder
