"""Runs in LLaMA-Factory's environment: does its own parser take configurations?

    python llamafactory_config.py FILE.yaml...

Prints one JSON line for each file: what was read, or the error. The processor stands in for a GPU.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import yaml
from llamafactory.hparams import get_infer_args, get_train_args


def main() -> None:
    """Parse the files."""
    for file in sys.argv[1:]:
        values = yaml.safe_load(Path(file).read_text("utf-8"))
        try:
            if "stage" in values:
                model, _, training, tuning, generating = get_train_args({**values, "use_cpu": True})
                told = {
                    "lora_rank": tuning.lora_rank,
                    "learning_rate": training.learning_rate,
                    "max_pixels": model.image_max_pixels,
                    "max_new_tokens": generating.max_new_tokens,
                }
            else:
                get_infer_args(values)
                told = {}
            told["text_numbers"] = [key for key, value in values.items() if isinstance(value, str) and _number(value)]
        except Exception as error:  # noqa: BLE001  whatever it is, it is the answer
            told = {"error": f"{type(error).__name__}: {error}"[:300]}
        print("@@" + json.dumps({"name": Path(file).name, **told}))


def _number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


if __name__ == "__main__":
    main()
