"""A tiny Qwen2-VL and a LoRA adapter of it, made once: for trainers, servers and clients in tests."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path

from conformance.environments import HERE, Environment, cache, digest

PROGRAM = HERE / "programs" / "make_tiny_model.py"
_PROMPTS = HERE.parents[2] / "curate" / "export" / "templates" / "mire.yaml"
_LABELS = HERE.parents[2] / "curate" / "labels" / "mire.yaml"


def tiny_model(real_ids: bool = False) -> Path:
    """The folder of a tiny Qwen2-VL (random weights), which transformers 4 and 5, all trainers and vLLM load.

    Args:
        real_ids: Whether its special tokens have the real checkpoint's numbers, which ms-swift needs.
    """
    environment = Environment("llamafactory").make()
    texts = [_PROMPTS, _LABELS]
    made_of = [path.read_bytes() for path in (PROGRAM, environment.pins, *texts)]
    folder = cache() / f"tiny-qwen2-vl{'-real-ids' if real_ids else ''}-{digest(*made_of)}"
    if not folder.exists():
        unfinished = folder.with_name(f".tmp-{os.getpid()}-{folder.name}")
        shutil.rmtree(unfinished, ignore_errors=True)
        more = ["--real-ids"] if real_ids else []
        environment.run(str(PROGRAM), str(unfinished), *map(str, texts), *more)
        os.replace(unfinished, folder)
    return folder


def tiny_adapter() -> Path:
    """The folder of a LoRA adapter (rank 16) that LLaMA-Factory trained for a few steps on `tiny_model()`.

    It has learned nothing worth knowing, but changes the model's answers, and loads wherever an adapter does.
    """
    from conformance import faults

    environment, model = Environment("llamafactory").make(), tiny_model()
    folder = cache() / f"tiny-adapter-{digest(model.name.encode(), json.dumps(_ADAPTER).encode())}"
    if folder.exists():
        return folder
    with tempfile.TemporaryDirectory() as scratch:
        data = Path(scratch) / "data"
        faults.pictures(data)
        (data / "train.json").write_text(json.dumps([faults.GOOD] * 20), "utf-8")
        (data / "dataset_info.json").write_text(
            json.dumps({"train": {"file_name": "train.json", **faults.SHAREGPT}}), "utf-8"
        )
        values = {
            **_ADAPTER,
            "model_name_or_path": str(model),
            "dataset_dir": str(data),
            "output_dir": f"{scratch}/lora",
        }
        config = Path(scratch) / "train.yaml"  # JSON is YAML too
        config.write_text(json.dumps(values), "utf-8")
        environment.run("-m", "llamafactory.cli", "train", str(config))
        unfinished = folder.with_name(f".tmp-{os.getpid()}-{folder.name}")
        shutil.copytree(Path(scratch) / "lora", unfinished)
    os.replace(unfinished, folder)
    return folder


_ADAPTER = {
    "stage": "sft",
    "do_train": True,
    "finetuning_type": "lora",
    "lora_rank": 16,
    "lora_alpha": 32,
    "lora_target": "all",
    "dataset": "train",
    "template": "qwen2_vl",
    "cutoff_len": 512,
    "max_steps": 10,
    "per_device_train_batch_size": 2,
    "learning_rate": 0.01,
    "use_cpu": True,
    "bf16": False,
    "plot_loss": False,
    "save_only_model": True,
    "report_to": "none",
}
"""What the adapter is trained with."""
