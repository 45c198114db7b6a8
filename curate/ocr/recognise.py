"""What a line of text says: crops of many pictures, read by PP-OCR's recognition network in full batches.

A crop is padded to a width that follows from its own width alone and batched only with crops of that width.
So neither its text nor its score depends on what is read beside it, which is what makes a cached result equal to
a fresh one.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

from curate.dataset.decode import Picture
from curate.ocr.runtime import Network, Numbers, Pixels

if TYPE_CHECKING:
    from rapidocr.ch_ppocr_rec.utils import CTCLabelDecode

HEIGHT = 48
"""Height of the crops that the network takes."""

WIDEST = 3200
"""Largest width that the network is given, in pixels; a longer crop is squeezed."""

SHORT, ROOMY = 80, 320
"""Crops up to 80 pixels (one to three characters) are padded to 320, the width that the network was trained at.

Measured on 51 pages: without that room it takes `x3` for `X3` and `¥` for `￥`, 0.2 points of recall; wider crops
read the same in a bucket of their own width, at a third of the cost.
"""

PADDING = 127
"""Grey level beside a crop: zero, once the network's mean is taken off."""

UPRIGHT = 1.5
"""A crop this many times higher than wide is vertical text and is turned by a quarter (RapidOCR's rule)."""

BATCH = 4
"""Crops in a batch. What is left over is read one by one: a runtime prepares itself anew for every shape that it
meets (0.13 CPU seconds with OpenVINO), and blank crops to fill up would cost more than that."""

WIDE = 448
"""From this width on crops are read one by one: one fills the processor, more fall out of its cache."""


def bucket(width: int) -> int:
    """Width to which a crop of `width` pixels is padded: `ROOMY`, or steps of 32 that grow with the width."""
    if width <= SHORT:
        return ROOMY
    step = 32 if width <= 320 else 64 if width <= 960 else 160
    return min(WIDEST, -(-width // step) * step)


def crop(picture: Picture, quad: npt.NDArray[np.float32]) -> Picture:
    """Cut a line out of a picture, upright and `HEIGHT` pixels high.

    Args:
        picture: Where the line stands.
        quad: Corners in pixels of the picture, clockwise from the top left.
    """
    left, top = np.floor(quad.min(axis=0)).astype(int)
    right, bottom = np.ceil(quad.max(axis=0)).astype(int)
    if _level(quad):
        cut = picture[top:bottom, left:right]
    else:
        from rapidocr.utils.process_img import get_rotate_crop_image

        margin = 2
        left, top = max(0, left - margin), max(0, top - margin)
        around = picture[top : bottom + margin, left : right + margin]
        cut = get_rotate_crop_image(around, quad - np.array([left, top], dtype=np.float32))
    if cut.shape[0] >= UPRIGHT * cut.shape[1] and _level(quad):
        cut = np.rot90(cut)
    width = min(WIDEST, max(1, math.ceil(HEIGHT * cut.shape[1] / cut.shape[0])))
    return np.asarray(cv2.resize(cut, (width, HEIGHT), interpolation=cv2.INTER_LINEAR), dtype=np.uint8)


def _level(quad: npt.NDArray[np.float32]) -> bool:
    """Whether the line stands level enough to be cut out without turning: by at most a tenth of its height."""
    tilt = max(
        abs(quad[0, 1] - quad[1, 1]),
        abs(quad[3, 1] - quad[2, 1]),
        abs(quad[0, 0] - quad[3, 0]),
        abs(quad[1, 0] - quad[2, 0]),
    )
    return bool(tilt <= 0.1 * min(np.ptp(quad, axis=0)))


class Recogniser:
    """Reads crops.

    Args:
        network: Gives, for each step along a crop, how likely each character is.
    """

    def __init__(self, network: Network) -> None:
        from rapidocr.ch_ppocr_rec.utils import CTCLabelDecode

        self._network = network
        self._decoder: CTCLabelDecode = CTCLabelDecode(character=list(network.characters))

    def read(self, crops: Sequence[Picture]) -> list[tuple[str, float]]:
        """Give text and score (mean over the characters, four decimals) of each crop."""
        results: list[tuple[str, float]] = [("", 0.0)] * len(crops)
        equal: dict[int, list[int]] = defaultdict(list)
        for index, cut in enumerate(crops):
            equal[bucket(cut.shape[1])].append(index)
        for width, indexes in sorted(equal.items()):
            for chosen in _batches(indexes, width):
                answers = self._decode(self._network(_stack([crops[index] for index in chosen], width)))
                for index, answer in zip(chosen, answers, strict=True):
                    results[index] = answer
        return results

    def _decode(self, likely: Numbers) -> list[tuple[str, float]]:
        best = likely.argmax(axis=2)
        scores = _softmax_where(likely, best) if self._network.raw else likely.max(axis=2)
        lines, _ = self._decoder.decode(best, scores, remove_duplicate=True)
        return [(text.strip(), round(float(score), 4)) for text, score in lines]


def _batches(indexes: Sequence[int], width: int) -> Iterator[Sequence[int]]:
    full = len(indexes) // BATCH * BATCH if width < WIDE else 0
    for start in range(0, full, BATCH):
        yield indexes[start : start + BATCH]
    for start in range(full, len(indexes)):
        yield indexes[start : start + 1]


def _softmax_where(raw: Numbers, best: npt.NDArray[np.intp]) -> Numbers:
    """The softmax of the best character of each step; only of steps that are no blank, the others count nowhere."""
    scores = np.zeros(best.shape, dtype=np.float32)
    steps = np.nonzero(best)
    chosen = raw[steps]
    peaks = chosen[np.arange(len(chosen)), best[steps]]
    scores[steps] = 1 / np.exp(chosen - peaks[:, None]).sum(axis=1)
    return scores


def _stack(crops: Sequence[Picture], width: int) -> Pixels:
    batch = np.full((len(crops), HEIGHT, width, 3), PADDING, dtype=np.uint8)
    for row, cut in zip(batch, crops, strict=True):
        row[:, : cut.shape[1]] = cut
    return batch
