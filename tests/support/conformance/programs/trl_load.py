"""Runs in TRL's environment: what `datasets` and TRL's trainer make of Parquet files.

    python trl_load.py REQUEST.json

REQUEST: model, files, steps (of a LoRA training; 0 for none). Prints one JSON line for each file: the features that
`datasets` sees, tokens of each row as the trainer's collator makes them, or why it stops or crashes.
"""

from __future__ import annotations

import json
import sys
import tempfile
from typing import Any

import torch
from datasets import load_dataset
from peft import LoraConfig
from transformers import AutoModelForImageTextToText, AutoProcessor
from trl import SFTConfig, SFTTrainer

IGNORED = -100


def main() -> None:
    """Answer a request."""
    with open(sys.argv[1], encoding="utf-8") as stream:
        request = json.load(stream)
    for file in request["files"]:
        with tempfile.TemporaryDirectory() as scratch:
            answer = _answer(file, request, scratch)
        print("@@" + json.dumps({"name": file, **answer}, ensure_ascii=False), flush=True)


def _answer(file: str, request: dict[str, Any], scratch: str) -> dict[str, Any]:
    try:
        kind = "parquet" if file.endswith(".parquet") else "json"
        rows = load_dataset(kind, data_files=file, split="train", cache_dir=scratch)
        model = AutoModelForImageTextToText.from_pretrained(request["model"], dtype=torch.float32)
        processor = AutoProcessor.from_pretrained(request["model"])
        settings = SFTConfig(
            output_dir=f"{scratch}/out",
            max_steps=max(request["steps"], 1),
            per_device_train_batch_size=1,
            use_cpu=True,
            bf16=False,
            max_length=None,
            report_to="none",
            save_strategy="no",
            gradient_checkpointing=False,
            logging_steps=1,
        )
        trainer = SFTTrainer(
            model=model,
            args=settings,
            train_dataset=rows,
            processing_class=processor,
            peft_config=LoraConfig(r=16, lora_alpha=32, target_modules=["q_proj", "v_proj"]),
        )
    except Exception as error:  # noqa: BLE001  whatever it is, it is the answer
        return {"stops": _told(error)}
    pad = processor.tokenizer.convert_tokens_to_ids("<|image_pad|>")
    answer: dict[str, Any] = {"features": str(rows.features), "rows": len(trainer.train_dataset)}
    answer |= {"tokens": [], "image_tokens": [], "label_tokens": []}
    crashes: dict[int, str] = {}
    for number in range(len(trainer.train_dataset)):
        try:
            batch = trainer.data_collator([trainer.train_dataset[number]])
            with torch.no_grad():
                trainer.model(**batch)
        except Exception as error:  # noqa: BLE001
            crashes[number] = _told(error)
            continue
        answer["tokens"].append(int(batch["attention_mask"].sum()))
        answer["image_tokens"].append(int((batch["input_ids"] == pad).sum()))
        answer["label_tokens"].append(int((batch["labels"] != IGNORED).sum()))
    if request["steps"] and not crashes:
        trainer.train()
        answer["losses"] = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    return {**answer, "crashes": crashes}


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:300]


if __name__ == "__main__":
    main()
