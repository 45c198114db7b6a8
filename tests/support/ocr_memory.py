"""Reads the largest picture, then crops of the demo's pages, each of another size; prints resident memory on the way."""

from __future__ import annotations

import json
import random
import sys

import cv2
import numpy as np
from ocr_truth import demo_pages

from curate.dataset.decode import decode
from curate.ocr.engine import EngineSettings
from curate.ocr.rapid import RapidEngine
from curate.pipeline.machine import resident_memory


def main(pictures: int) -> None:
    """Print a JSON list: resident memory in bytes after every twentieth picture."""
    import os

    draw = random.Random(5)
    pages = [decode(page.path.read_bytes()) for page in demo_pages() if len(page.texts) > 5]
    engine = RapidEngine(EngineSettings())
    largest = max(pages, key=lambda page: page.size)
    engine.read([np.asarray(cv2.resize(largest, None, fx=1.5, fy=1.5), dtype=np.uint8)])
    held = []
    for number in range(1, pictures + 1):
        page = draw.choice(pages)
        height, width = draw.randint(200, page.shape[0]), draw.randint(200, page.shape[1])
        top, left = draw.randint(0, page.shape[0] - height), draw.randint(0, page.shape[1] - width)
        scale = draw.uniform(0.5, 1.5)
        crop = cv2.resize(page[top : top + height, left : left + width], None, fx=scale, fy=scale)
        engine.read([np.asarray(crop, dtype=np.uint8)])
        if number % 20 == 0:
            held.append(resident_memory(os.getpid()))
    print(json.dumps(held))


if __name__ == "__main__":
    main(int(sys.argv[1]))
