"""The `vllm serve` command that fits an export: lengths, pictures, pixel bounds, adapters."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curate.dataset.vision import MIN_PIXELS
from curate.errors import InputError, UsageError
from curate.infer.question import Question

RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""Values that `--max-lora-rank` takes (vLLM 0.32)."""

STEP = 256
"""Lengths are rounded up to a multiple of this."""


@dataclass(frozen=True)
class Command:
    """How to start a server."""

    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    notes: tuple[str, ...]
    """What a person should know before starting it."""


def serve_command(
    model: str,
    questions: Sequence[Question],
    adapters: Mapping[str, Path],
    *,
    name: str | None = None,
    max_tokens: int = 64,
    bounds: tuple[int, int] | None = None,
    host: str = "127.0.0.1",
    port: int = 8000,
) -> Command:
    """Make the command.

    Args:
        model: Folder or name of the model.
        questions: What will be asked.
        adapters: LoRA adapters by the name under which they will be asked.
        name: The name under which the model itself will be asked; its own where None.
        max_tokens: Output tokens of one call.
        bounds: Smallest and largest area of a picture in pixels, as the export was made with.
        host: Address to listen at.
        port: Port to listen at.

    Raises:
        InputError: an adapter is none.
    """
    length = -(-(max(question.tokens for question in questions) + max_tokens) // STEP) * STEP
    pictures = max(len(question.images) for question in questions)
    arguments = ["vllm", "serve", model]
    if name:
        arguments += ["--served-model-name", name]
    arguments += ["--host", host, "--port", str(port), "--max-model-len", str(length)]
    arguments += ["--limit-mm-per-prompt", json.dumps({"image": pictures, "video": 0})]
    if bounds is not None:
        arguments += ["--mm-processor-kwargs", json.dumps({"min_pixels": bounds[0], "max_pixels": bounds[1]})]
    notes: list[str] = []
    if adapters:
        allowed = max(lora_rank(folder) for folder in adapters.values())
        arguments += ["--enable-lora", "--max-lora-rank", str(allowed), "--lora-modules"]
        arguments += [f"{one}={folder}" for one, folder in adapters.items()]
        if any(_touches_vision(folder) for folder in adapters.values()):
            arguments.insert(arguments.index("--max-lora-rank"), "--enable-tower-connector-lora")
            notes.append(
                "an adapter changes the vision tower, which vLLM ignores without --enable-tower-connector-lora"
            )
    quiet = {"VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1", "HF_HUB_OFFLINE": "1"}
    return Command(tuple(arguments), quiet, tuple(notes))


def export_bounds(folder: Path) -> tuple[int, int] | None:
    """Pixel bounds that an export was made with; None where it does not say."""
    try:
        options = json.loads((folder / "export.json").read_text("utf-8"))["signature"]["options"]
        return int(options.get("min_pixels", MIN_PIXELS)), int(options["max_pixels"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def lora_rank(folder: Path) -> int:
    """The smallest rank that vLLM can be told for an adapter.

    Raises:
        InputError: the folder holds no adapter.
        UsageError: its rank is too large for vLLM.
    """
    rank = _rank(folder)
    if rank > RANKS[-1]:
        raise UsageError(f"{folder} has rank {rank}; vLLM takes at most {RANKS[-1]}")
    return next(value for value in RANKS if value >= rank)


def _rank(folder: Path) -> int:
    path = folder / "adapter_config.json"
    try:
        return int(json.loads(path.read_text("utf-8"))["r"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{folder} is no LoRA adapter: {path.name} is missing or names no rank `r`") from error


def _touches_vision(folder: Path) -> bool:
    """Whether an adapter has weights for the vision tower; reads the header of its safetensors file only."""
    path = folder / "adapter_model.safetensors"
    try:
        with open(path, "rb") as stream:
            (size,) = struct.unpack("<Q", stream.read(8))
            header: dict[str, Any] = json.loads(stream.read(size))
    except (OSError, ValueError, struct.error) as error:
        raise InputError(f"{path} cannot be read; is the adapter whole?") from error
    return any("visual." in key for key in header)
