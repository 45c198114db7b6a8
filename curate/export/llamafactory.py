"""What LLaMA-Factory needs beside the data: dataset_info.json and configurations (checked with version 0.9.5)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from curate.dataset.files import write_bytes, write_json
from curate.export.options import TrainingOptions

INFO = "dataset_info.json"
SHAREGPT = {"messages": "conversations", "images": "images"}
ALPACA = {"prompt": "instruction", "query": "input", "response": "output", "images": "image"}

Value = str | int | float | bool
_NO_ANSWERS = 128
"""Tokens that a prediction may have where no answer is known; the baseline's value."""


def entry(file: str, formatting: str, columns: Mapping[str, str]) -> dict[str, Any]:
    """One entry of dataset_info.json.

    Every column is listed, because LLaMA-Factory forgets its defaults as soon as `columns` is there; and the
    format is never `openai`, which slips a system prompt of its own into every sample.
    """
    return {"file_name": file, "formatting": formatting, "columns": dict(columns)}


def write(
    folder: Path, options: TrainingOptions, entries: Mapping[str, dict[str, Any]], longest: str, answer: int
) -> dict[str, str]:
    """Write dataset_info.json and the configurations; give their names and what they are.

    Args:
        folder: The export.
        options: Of the export.
        entries: Entries of dataset_info.json by split.
        longest: How long the longest sample is, in words.
        answer: Tokens of the longest answer, which a prediction must have room for.
    """
    name = options.dataset_name
    write_json(folder / INFO, {f"{name}_{split}": one for split, one in entries.items()})
    found = {INFO: "for LLaMA-Factory: " + ", ".join(f"{name}_{split}" for split in entries)}
    for file, (lines, what) in configurations(options, list(entries), answer).items():
        write_bytes(folder / file, ("\n".join(lines) + "\n").encode())
        found[file] = what.format(longest=longest)
    return found


def configurations(options: TrainingOptions, splits: Sequence[str], answer: int) -> dict[str, tuple[list[str], str]]:
    """The configurations by file name, each as lines of YAML with a word about it."""
    found: dict[str, tuple[list[str], str]] = {}
    if "train" in splits:
        found["train_lora.yaml"] = (_training(options, splits, "lora"), "LoRA training of Qwen2-VL; {longest}")
        found["train_full.yaml"] = (_training(options, splits, "full"), "full training, as the MIRE baseline's")
    if {"test", "val"} & set(splits):
        found["predict_lora.yaml"] = (_prediction(options, splits, answer), "prediction with the trained adapter")
    if "train" in splits:
        found["merge_lora.yaml"] = (_merge(options), "merge the adapter into the model")
    return found


def next_step(splits: Sequence[str]) -> str:
    """The command that follows an export."""
    file = "train_lora.yaml" if "train" in splits else "predict_lora.yaml"
    return f"llamafactory-cli train {file}   (in the export's folder)"


def _training(options: TrainingOptions, splits: Sequence[str], kind: str) -> list[str]:
    """LoRA: rank 16, scaling 32, the best setting of LLM-IR. Full: the values of the MIRE baseline."""
    lora: dict[str, Value] = {"lora_rank": 16, "lora_alpha": 32, "lora_target": "all"} if kind == "lora" else {}
    pace: dict[str, Value] = (
        {"gradient_accumulation_steps": 8, "learning_rate": 1.0e-4, "num_train_epochs": 5.0, "warmup_ratio": 0.1}
        if kind == "lora"
        else {"gradient_accumulation_steps": 8, "learning_rate": 5.0e-6, "num_train_epochs": 3.0, "warmup_ratio": 0.05}
    )
    name = options.dataset_name
    lines = [
        *_section("model", _model(options)),
        *_section("method", {"stage": "sft", "do_train": True, "finetuning_type": kind, **lora}),
        *_section("dataset", {"dataset": f"{name}_train"} | _dataset(options)),
        *_section(
            "output",
            {
                "output_dir": f"{options.saves.as_posix()}-{kind}",
                "logging_steps": 5,
                "save_steps": 200,
                "plot_loss": True,
                "report_to": "none",
            },
        ),
        *_section(
            "train",
            {"per_device_train_batch_size": 1, **pace, "lr_scheduler_type": "cosine", "bf16": True, "seed": 42},
        ),
    ]
    if "val" in splits:
        evaluation: dict[str, Value] = {"per_device_eval_batch_size": 1, "eval_strategy": "steps", "eval_steps": 200}
        lines += _section("eval", {"eval_dataset": f"{name}_val", **evaluation})
    if kind == "full":
        lines += ["", "# 7 billion parameters need several GPUs:", "# deepspeed: ds_z3_offload_config.json"]
    return lines[1:]


def _prediction(options: TrainingOptions, splits: Sequence[str], answer: int) -> list[str]:
    """Greedy, so that a prediction can be repeated; it comes back in the order of the rows, without ids."""
    split = "test" if "test" in splits else "val"
    adapter: dict[str, Value] = {"adapter_name_or_path": f"{options.saves.as_posix()}-lora"}
    generation: dict[str, Value] = {
        "output_dir": f"{options.saves.as_posix()}-predict",
        "per_device_eval_batch_size": 1,
        "predict_with_generate": True,
        "max_new_tokens": options.answer_len or answer or _NO_ANSWERS,
        "do_sample": False,
        "bf16": True,
        "report_to": "none",
    }
    return [
        *_section("model", _model(options) | adapter),
        *_section("method", {"stage": "sft", "do_predict": True, "finetuning_type": "lora"}),
        *_section("dataset", {"eval_dataset": f"{options.dataset_name}_{split}"} | _dataset(options)),
        *_section("output", generation),
    ][1:]


def _merge(options: TrainingOptions) -> list[str]:
    saves = options.saves.as_posix()
    return _section(
        "merge (never a quantised model)",
        {
            "model_name_or_path": options.model,
            "adapter_name_or_path": f"{saves}-lora",
            "template": "qwen2_vl",
            "finetuning_type": "lora",
            "export_dir": f"{saves}-merged",
            "export_size": 5,
            "export_device": "cpu",
            "export_legacy_format": False,
        },
    )[1:]


def _model(options: TrainingOptions) -> dict[str, Value]:
    bounds = options.bounds
    return {
        "model_name_or_path": options.model,
        "image_max_pixels": bounds.max_pixels,
        "image_min_pixels": bounds.min_pixels,
    }


def _dataset(options: TrainingOptions) -> dict[str, Value]:
    return {
        "dataset_dir": ".",
        "media_dir": ".",
        "template": "qwen2_vl",
        "cutoff_len": options.cutoff_len,
        "overwrite_cache": True,
        "preprocessing_num_workers": 8,
    }


def _section(title: str, values: Mapping[str, Value]) -> list[str]:
    return ["", f"### {title}", *(f"{key}: {_yaml(value)}" for key, value in values.items())]


def _yaml(value: Value) -> str:
    """A value as PyYAML reads it back: `1.0e-4`, because `1e-4` is text to it; text quoted where it must be."""
    if isinstance(value, float):
        return str(value) if value >= 1e-3 else f"{value:.1e}".replace("e-0", "e-")
    if isinstance(value, str):
        plain = all(one.isalnum() or one in "/._-" for one in value) and not value.isdecimal() and value[0] != "-"
        return value if plain and value not in ("true", "false", "null", "~") else json.dumps(value)
    return str(value).lower() if isinstance(value, bool) else str(value)
