"""Runs in LLaMA-Factory's environment: what transformers, and PEFT where there is an adapter, answer greedily.

    python transformers_answer.py REQUEST.json

REQUEST: model, adapter (or null), max_tokens, questions (uid, and messages with pictures as `data:` addresses, as they
are sent to servers). Prints a JSON line for each: uid, answer, and the sum of the log-probabilities of its tokens, the
one that ends it included.
"""

from __future__ import annotations

import base64
import io
import json
import sys
from typing import Any

import torch
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor


def main() -> None:
    """Answer a request."""
    with open(sys.argv[1], encoding="utf-8") as stream:
        request = json.load(stream)
    processor = AutoProcessor.from_pretrained(request["model"])
    model = AutoModelForImageTextToText.from_pretrained(request["model"], torch_dtype=torch.float32).eval()
    if request["adapter"]:
        from peft import PeftModel

        model = PeftModel.from_pretrained(model, request["adapter"]).eval()
    for question in request["questions"]:
        answer, logprob = _answer(model, processor, question["messages"], request["max_tokens"])
        told = {"name": question["uid"], "answer": answer, "logprob": logprob}
        print("@@" + json.dumps(told, ensure_ascii=False), flush=True)


def _answer(model: Any, processor: Any, messages: list[dict[str, Any]], most: int) -> tuple[str, float]:
    pictures = []
    for message in messages:
        for part in message["content"] if isinstance(message["content"], list) else []:
            if part["type"] == "image_url":
                data = base64.b64decode(part["image_url"]["url"].partition(",")[2])
                pictures.append(Image.open(io.BytesIO(data)).convert("RGB"))
    text = processor.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    inputs = processor(text=[text], images=pictures or None, return_tensors="pt")
    with torch.no_grad():
        made = model.generate(
            **inputs, max_new_tokens=most, do_sample=False, output_logits=True, return_dict_in_generate=True
        )
    tokens = made.sequences[0, inputs["input_ids"].shape[1] :]
    steps = torch.stack(made.logits)[:, 0].log_softmax(-1)
    logprob = steps.gather(1, tokens[:, None]).sum().item()
    return processor.tokenizer.decode(tokens, skip_special_tokens=True), logprob


if __name__ == "__main__":
    main()
