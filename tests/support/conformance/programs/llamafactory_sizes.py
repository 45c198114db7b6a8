"""Runs in LLaMA-Factory's environment: picture tokens of real pictures, as its plug-in and the processor make them.

    python llamafactory_sizes.py REQUEST.json

REQUEST: model, sizes (width and height), max_pixels, min_pixels. Prints one JSON line: tokens by LLaMA-Factory, and by
the model's processor alone with its own bounds (null where it refuses).
"""

from __future__ import annotations

import json
import sys

from llamafactory.data import get_template_and_fix_tokenizer
from llamafactory.hparams import get_train_args
from llamafactory.model import load_tokenizer
from PIL import Image


def main() -> None:
    """Answer a request."""
    with open(sys.argv[1], encoding="utf-8") as stream:
        request = json.load(stream)
    settings = {
        "model_name_or_path": request["model"],
        "template": "qwen2_vl",
        "stage": "sft",
        "do_train": True,
        "dataset": "none",
        "output_dir": "none",
        "image_max_pixels": request["max_pixels"],
        "image_min_pixels": request["min_pixels"],
        "use_cpu": True,
        "report_to": "none",
    }
    model_args, data_args, _, _, _ = get_train_args(settings)
    tools = load_tokenizer(model_args)
    plugin = get_template_and_fix_tokenizer(tools["tokenizer"], data_args).mm_plugin
    processor = tools["processor"]
    trained, alone = [], []
    for width, height in request["sizes"]:
        picture = Image.new("RGB", (width, height))
        grid = plugin._get_mm_inputs([picture], [], [], processor)["image_grid_thw"]
        trained.append(int(grid.prod()) // 4)
        try:
            grid = processor.image_processor(images=[picture], return_tensors="pt")["image_grid_thw"]
            alone.append(int(grid.prod()) // 4)
        except ValueError:
            alone.append(None)
    print("@@" + json.dumps({"trained": trained, "alone": alone}))


if __name__ == "__main__":
    main()
