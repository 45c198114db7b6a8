"""What LLaMA-Factory needs beside the data: dataset_info.json and a training YAML (checked with version 0.9.5)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def dataset_info(name: str, splits: Sequence[str], system: bool) -> dict[str, Any]:
    """Entries for dataset_info.json.

    Every column is listed, because LLaMA-Factory forgets its defaults as soon as `columns` is there; and the
    format is `sharegpt`, because `openai` slips a system prompt of its own into every sample.
    """
    columns = {"messages": "conversations", "images": "images", **({"system": "system"} if system else {})}
    return {
        f"{name}_{split}": {"file_name": f"{split}.json", "formatting": "sharegpt", "columns": columns}
        for split in splits
    }


def training_yaml(name: str, splits: Sequence[str], max_pixels: int, min_pixels: int, cutoff_len: int) -> str:
    """A LoRA training of Qwen2-VL-7B (rank 16, scaling 32: the best setting of LLM-IR), started in the export's folder.

    Numbers with an exponent are written `1.0e-4`, because PyYAML reads `1e-4` as text.
    """
    lines = [
        "### model",
        "model_name_or_path: Qwen/Qwen2-VL-7B-Instruct",
        f"image_max_pixels: {max_pixels}",
        f"image_min_pixels: {min_pixels}",
        "",
        "### method",
        "stage: sft",
        "do_train: true",
        "finetuning_type: lora",
        "lora_rank: 16",
        "lora_alpha: 32",
        "lora_target: all",
        "",
        "### dataset",
        "dataset_dir: .",
        "media_dir: .",
        f"dataset: {name}_train",
        *([f"eval_dataset: {name}_val"] if "val" in splits else []),
        "template: qwen2_vl",
        f"cutoff_len: {cutoff_len}",
        "overwrite_cache: true",
        "preprocessing_num_workers: 8",
        "",
        "### output",
        f"output_dir: ../saves/{name}-lora",
        "logging_steps: 5",
        "save_steps: 200",
        "plot_loss: true",
        "report_to: none",
        "",
        "### train",
        "per_device_train_batch_size: 1",
        "gradient_accumulation_steps: 8",
        "learning_rate: 1.0e-4",
        "num_train_epochs: 5.0",
        "lr_scheduler_type: cosine",
        "warmup_ratio: 0.1",
        "bf16: true",
        "seed: 42",
        *(
            ["", "### eval", "per_device_eval_batch_size: 1", "eval_strategy: steps", "eval_steps: 200"]
            if "val" in splits
            else []
        ),
    ]
    return "\n".join(lines) + "\n"
