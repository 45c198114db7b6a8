"""Runs in ms-swift's environment: what its own loader, template and collator make of files.

    ROOT_IMAGE_DIR=FOLDER MAX_PIXELS=… MIN_PIXELS=… python swift_load.py REQUEST.json

REQUEST: model (with the real checkpoint's token numbers), files, max_length, forward. Prints one JSON line for each
file: rows that the loader keeps, then for each of them its tokens, or why it is dropped or crashes.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import torch
from swift import get_model_processor, get_template
from swift.dataset import load_dataset

IGNORED = -100


def main() -> None:
    """Answer a request."""
    with open(sys.argv[1], encoding="utf-8") as stream:
        request = json.load(stream)
    model, processor = get_model_processor(
        request["model"], model_type="qwen2_vl", torch_dtype=torch.float32, device_map="cpu", attn_impl="eager"
    )
    template = get_template(
        processor, template_type="qwen2_vl", max_length=request["max_length"], truncation_strategy="raise"
    )
    template.set_mode("train")
    template.model = model
    for file in request["files"]:
        answer = _answer(file, template, model if request["forward"] else None)
        print("@@" + json.dumps({"name": file, **answer}, ensure_ascii=False), flush=True)


def _answer(file: str, template: Any, model: Any) -> dict[str, Any]:
    try:
        rows, _ = load_dataset([file], num_proc=1, load_from_cache_file=False, strict=False)
    except Exception as error:  # noqa: BLE001  whatever it is, it is the answer
        return {"stops": _told(error)}
    pad = template.processor.tokenizer.convert_tokens_to_ids("<|image_pad|>")
    answer: dict[str, Any] = {"rows": len(rows), "tokens": [], "image_tokens": [], "label_tokens": []}
    dropped: dict[int, str] = {}
    crashes: dict[int, str] = {}
    for number, row in enumerate(rows):
        try:
            encoded = template.encode(dict(row), return_length=True)
        except Exception as error:  # noqa: BLE001
            dropped[number] = _told(error)
            continue
        ids = [int(one) for one in encoded["input_ids"]]
        answer["tokens"].append(len(ids))
        answer["image_tokens"].append(ids.count(pad))
        answer["label_tokens"].append(sum(int(one) != IGNORED for one in encoded["labels"]))
        if model is not None:
            crash = _crash(template, model, encoded)
            if crash:
                crashes[number] = crash
    return {**answer, "dropped": dropped, "crashes": crashes}


def _crash(template: Any, model: Any, encoded: dict[str, Any]) -> str:
    try:
        batch = template.data_collator([encoded])
        with torch.no_grad():
            inputs = (
                template.pre_forward_hook(model, None, batch)[1] if hasattr(template, "pre_forward_hook") else batch
            )
            model(**{key: value for key, value in inputs.items() if key not in ("length", "loss_scale")})
    except Exception as error:  # noqa: BLE001
        return _told(error)
    return ""


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:300]


if __name__ == "__main__":
    main()
