"""Runs in LLaMA-Factory's environment: what its own loader, converter, tokenizer and collator make of data sets.

    python llamafactory_load.py REQUEST.json

REQUEST: model, folder, names, cutoff_len, max_pixels, min_pixels, forward (whether each row goes through a training
step). Prints one JSON line for each name: rows out, tokens of each row, or the error.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import tempfile
import traceback
from typing import Any

import torch
from llamafactory.data import SFTDataCollatorWith4DAttentionMask, get_dataset, get_template_and_fix_tokenizer
from llamafactory.hparams import get_train_args
from llamafactory.model import load_model, load_tokenizer

IGNORED = -100


def main() -> None:
    """Answer a request."""
    with open(sys.argv[1], encoding="utf-8") as stream:
        request = json.load(stream)
    model = None
    for name in request["names"]:
        answer, model = _answer(name, request, model)
        print("@@" + json.dumps({"name": name, **answer}, ensure_ascii=False), flush=True)


def _answer(name: str, request: dict[str, Any], model: Any) -> tuple[dict[str, Any], Any]:
    with tempfile.TemporaryDirectory() as scratch:
        settings = {
            "model_name_or_path": request["model"],
            "template": "qwen2_vl",
            "stage": "sft",
            "do_train": True,
            "finetuning_type": "lora",
            "dataset": name,
            "dataset_dir": request["folder"],
            "cutoff_len": request["cutoff_len"],
            "image_max_pixels": request["max_pixels"],
            "image_min_pixels": request["min_pixels"],
            "output_dir": f"{scratch}/out",
            "cache_dir": scratch,
            "overwrite_cache": True,
            "use_cpu": True,
            "report_to": "none",
        }
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                model_args, data_args, training_args, tuning_args, _ = get_train_args(settings)
                tools = load_tokenizer(model_args)
                template = get_template_and_fix_tokenizer(tools["tokenizer"], data_args)
                rows = get_dataset(template, model_args, data_args, training_args, stage="sft", **tools)[
                    "train_dataset"
                ]
        except Exception as error:  # noqa: BLE001  whatever it is, it is the answer
            return {"stops": _told(error)}, model
        pad = tools["tokenizer"].convert_tokens_to_ids("<|image_pad|>")
        answer: dict[str, Any] = {
            "rows": len(rows),
            "tokens": [len(ids) for ids in rows["input_ids"]],
            "image_tokens": [ids.count(pad) for ids in rows["input_ids"]],
            "label_tokens": [sum(one != IGNORED for one in labels) for labels in rows["labels"]],
        }
        if request["forward"]:
            if model is None:
                model = load_model(tools["tokenizer"], model_args, tuning_args, is_trainable=False)
            answer["crashes"] = _crashes(rows, template, model, tools)
        return answer, model


def _crashes(rows: Any, template: Any, model: Any, tools: dict[str, Any]) -> dict[int, str]:
    """The rows that end a training step, with the error."""
    collate = SFTDataCollatorWith4DAttentionMask(
        template=template,
        model=model,
        tokenizer=tools["tokenizer"],
        processor=tools["processor"],
        label_pad_token_id=IGNORED,
        padding="longest",
    )
    found = {}
    for number in range(len(rows)):
        try:
            with torch.no_grad():
                model(**collate([dict(rows[number])]))
        except Exception as error:  # noqa: BLE001  whatever it is, it is the answer
            found[number] = _told(error)
    return found


def _told(error: Exception) -> str:
    cause = error.__cause__ or error.__context__
    behind = f" <- {type(cause).__name__}: {cause}"[:200] if cause else ""
    return f"{type(error).__name__}: {error}"[:300] + behind


if __name__ == "__main__":
    try:
        main()
    except Exception:
        traceback.print_exc()
        raise
