"""Pictures made safe for training: what the trainer sees is what the server will see, pixel for pixel.

Trainers and servers disagree on EXIF rotation, transparency, 16-bit pictures and rounding of sizes; a picture
that is upright, 8-bit RGB, with sides that are multiples of 28 within the pixel bounds, is taken as it is by all.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass

from PIL import Image

from curate.errors import RowError

PATCH = 28
"""Side of a merged patch of Qwen2-VL in pixels: 14 pixels a patch, 2 x 2 patches a token."""

MIN_PIXELS = 4 * PATCH * PATCH
"""Lower bound of Qwen2-VL's image processor (3,136 pixels, 4 tokens)."""

MAX_ASPECT = 200
"""Qwen2-VL's processor refuses pictures more than this many times as long as wide."""


@dataclass(frozen=True)
class Size:
    """Width and height in pixels."""

    width: int
    height: int

    @property
    def tokens(self) -> int:
        """Tokens that the picture takes in Qwen2-VL, without the two that mark its beginning and end."""
        return self.width * self.height // (PATCH * PATCH)


def fit(width: int, height: int, max_pixels: int, min_pixels: int = MIN_PIXELS) -> Size:
    """Give the size that Qwen2-VL's `smart_resize` chooses: multiples of 28, within the pixel bounds.

    Source: QwenLM/Qwen2-VL, qwen_vl_utils/vision_process.py, function smart_resize.

    Raises:
        RowError: image_aspect.
    """
    if max(width, height) / min(width, height) > MAX_ASPECT:
        raise RowError("image_aspect", f"{width} x {height} pixels")
    wide = max(PATCH, round(width / PATCH) * PATCH)
    high = max(PATCH, round(height / PATCH) * PATCH)
    if wide * high > max_pixels:
        scale = math.sqrt(width * height / max_pixels)
        wide = max(PATCH, math.floor(width / scale / PATCH) * PATCH)
        high = max(PATCH, math.floor(height / scale / PATCH) * PATCH)
    elif wide * high < min_pixels:
        scale = math.sqrt(min_pixels / (width * height))
        wide = math.ceil(width * scale / PATCH) * PATCH
        high = math.ceil(height * scale / PATCH) * PATCH
    return Size(wide, high)


def prepare(picture: Image.Image, max_pixels: int, min_pixels: int = MIN_PIXELS) -> Image.Image:
    """Bring an upright RGB picture to the size of `fit`; bicubic, as the processor would."""
    size = fit(picture.width, picture.height, max_pixels, min_pixels)
    if picture.size == (size.width, size.height):
        return picture
    return picture.resize((size.width, size.height), Image.Resampling.BICUBIC)


def encode(picture: Image.Image, quality: int) -> bytes:
    """Encode as JPEG without chroma subsampling, which would smear coloured text."""
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=quality, subsampling=0)
    return stream.getvalue()
