"""Where text stands in a picture: PP-OCR's detection network, at a size that keeps small text readable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from curate.dataset.decode import Picture
from curate.ocr import tiling
from curate.ocr.runtime import Network

if TYPE_CHECKING:
    from rapidocr.ch_ppocr_det.utils import DBPostProcess

STEP = 64
"""The network is given sides that are multiples of this (32 would do): a runtime prepares itself for every new shape
and keeps what it prepared, so few shapes save time and memory on pictures of many sizes."""

SMALLEST = 5
"""A picture with a side below this many pixels holds no readable text."""

LARGEST_SCALE = 2.0
COMFORTABLE = 736
"""Pictures whose short side is below this (RapidOCR's own limit) are enlarged, at most `LARGEST_SCALE` times."""

DB: dict[str, Any] = {
    "thresh": 0.3,
    "box_thresh": 0.5,
    "max_candidates": 1000,
    "unclip_ratio": 1.6,
    "use_dilation": True,
}
"""Differentiable binarisation (Liao et al. 2020, arXiv:1911.08947): the values that rapidocr 3.10 ships."""


class Detector:
    """Finds the lines of text of a picture.

    Args:
        network: Gives, for a picture, a map of how likely each pixel belongs to text.
        side: Longest side of what the network is given, in pixels.
        ratio: Pictures longer than this many times their short side are cut into tiles.
    """

    def __init__(self, network: Network, side: int, ratio: float) -> None:
        self._network = network
        self._side = side
        self._ratio = ratio
        self._boxes = _post_processing()

    def find(self, picture: Picture) -> list[tiling.Quad]:
        """Give the quadrilateral (4 x 2, clockwise from the top left, pixels of the picture) of each line."""
        if min(picture.shape[:2]) < SMALLEST:
            return []
        return tiling.find(picture, self._ratio, lambda view: (self._find(view), 2 / self._scale(view)))

    def _scale(self, view: Picture) -> float:
        """How much to enlarge a picture; its short side then fills whole `STEP`s, so that shapes are few."""
        long, short = max(view.shape[:2]), min(view.shape[:2])
        wanted = min(self._side / long, max(1.0, min(LARGEST_SCALE, COMFORTABLE / short)))
        steps = max(1, min(round(short * wanted / STEP), int(short * self._side / long / STEP)))
        return float(min(steps * STEP / short, self._side / long))

    def _find(self, view: Picture) -> list[tiling.Quad]:
        height, width = view.shape[:2]
        scale = self._scale(view)
        inner = max(1, round(width * scale)), max(1, round(height * scale))
        # Filling up to whole steps by padding, not by stretching, keeps the shape of the letters.
        shape = (_padded(inner[1]), _padded(inner[0]))
        canvas = np.full((1, *shape, 3), 127, dtype=np.uint8)
        resized = cv2.resize(view, inner, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        canvas[0, : inner[1], : inner[0]] = resized
        likely = self._network(canvas)
        if self._network.raw:
            likely = np.float32(1) / (np.float32(1) + np.exp(-likely))
        outer = canvas.shape[1] * height / inner[1], canvas.shape[2] * width / inner[0]
        quads, _ = self._boxes(likely, outer)
        limits = np.array([width, height], dtype=np.float32)
        found = [np.clip(np.asarray(quad, dtype=np.float32), 0, limits) for quad in quads]
        return [quad for quad in found if (np.ptp(quad, axis=0) >= 2).all()]


def _padded(length: int) -> int:
    return max(1, -(-length // STEP)) * STEP


def _post_processing() -> DBPostProcess:
    from rapidocr.ch_ppocr_det.utils import DBPostProcess

    return DBPostProcess(**DB, score_mode="fast")
