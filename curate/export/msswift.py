"""What ms-swift needs beside the data: one command line (checked with version 4.6.0)."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from curate.dataset.files import write_bytes
from curate.export.options import TrainingOptions

SCRIPT = "train_swift.sh"

_LORA = {
    "tuner_type": "lora",
    "lora_rank": "16",
    "lora_alpha": "32",
    "target_modules": "all-linear",
    "freeze_vit": "true",
    "torch_dtype": "bfloat16",
    "num_train_epochs": "5",
    "learning_rate": "1e-4",
    "per_device_train_batch_size": "1",
    "gradient_accumulation_steps": "8",
    "warmup_ratio": "0.1",
    "truncation_strategy": "delete",
    "strict": "true",
    "report_to": "none",
}
"""`strict`, because ms-swift else deletes rows that it cannot read; `delete`, because `left` and `right` cut answers or
pictures away (its command line takes no `raise`; no row of an export is too long anyway)."""


def write(folder: Path, options: TrainingOptions, files: dict[str, str]) -> dict[str, str]:
    """Write the command as a script to be run in the export's folder; `files` are those of the splits."""
    command = shlex.join(arguments(options, files))
    bounds = options.bounds
    text = (
        "#!/bin/sh\n"
        "# LoRA training of Qwen2-VL with ms-swift. The pixel bounds are those that the pictures were made for.\n"
        'cd "$(dirname "$0")" || exit 1\n'
        f"export ROOT_IMAGE_DIR=. MAX_PIXELS={bounds.max_pixels} MIN_PIXELS={bounds.min_pixels}\n"
        f'exec {command} "$@"\n'
    )
    write_bytes(folder / SCRIPT, text.encode())
    return {SCRIPT: "LoRA training of Qwen2-VL with ms-swift"}


def arguments(options: TrainingOptions, files: dict[str, str]) -> Sequence[str]:
    """The command line; model type and template are named, because a folder's name does not tell them."""
    data = {"dataset": files.get("train"), "val_dataset": files.get("val")}
    given = {
        "model": options.model,
        "model_type": "qwen2_vl",
        "template": "qwen2_vl",
        **{key: value for key, value in data.items() if value},
        "max_length": str(options.cutoff_len),
        "output_dir": f"{options.saves.as_posix()}-swift",
        **_LORA,
    }
    return ["swift", "sft", *(part for key, value in given.items() for part in (f"--{key}", value))]


def next_step(splits: Sequence[str]) -> str:
    """The command that follows an export."""
    if "train" not in splits:
        return "swift infer --val_dataset test.json   (in the export's folder)"
    return f"sh {SCRIPT}   (in the export's folder)"
