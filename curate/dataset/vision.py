"""Pictures made safe for training: what the trainer sees is what the server will see, pixel for pixel.

Trainers and servers disagree on EXIF rotation, transparency, 16-bit pictures and rounding of sizes; a picture
that is upright, 8-bit RGB, with sides that are multiples of 28 within the pixel bounds, is taken as it is by all.
Export and inference both call `make_safe`.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass

from PIL import Image

from curate.dataset.decode import decode
from curate.errors import RowError

PATCH = 28
"""Side of a merged patch of Qwen2-VL in pixels: 14 pixels a patch, 2 x 2 patches a token."""

MIN_PIXELS = 4 * PATCH * PATCH
"""Lower bound of Qwen2-VL's image processor (3,136 pixels, 4 tokens)."""

MAX_PIXELS = 768 * 768
"""LLaMA-Factory's default `image_max_pixels`; the processor's own bound is 12,845,056."""

PROCESSOR_MAX_PIXELS = 16_384 * PATCH * PATCH
"""Upper bound in the preprocessor_config.json of Qwen2-VL's checkpoints."""

MAX_ASPECT = 200
"""Qwen2-VL's processor refuses pictures more than this many times as long as wide."""

_ORIENTATION = 0x0112


@dataclass(frozen=True)
class Size:
    """Width and height in pixels."""

    width: int
    height: int

    @property
    def tokens(self) -> int:
        """Tokens that the picture takes in Qwen2-VL, without the two that mark its beginning and end."""
        return self.width * self.height // (PATCH * PATCH)

    def __str__(self) -> str:
        return f"{self.width} x {self.height}"


@dataclass(frozen=True)
class Bounds:
    """Smallest and largest area of a picture in pixels, as trainer and server are told them.

    Rounding to patches can quarter a small picture, so the largest area should be at least four times the smallest.
    """

    max_pixels: int = MAX_PIXELS
    min_pixels: int = MIN_PIXELS


@dataclass(frozen=True)
class SafePicture:
    """A picture that every consumer takes as it is."""

    data: bytes
    """The encoded file."""
    suffix: str
    """`.jpg` or `.png`."""
    size: Size
    untouched: bool
    """Whether `data` is the original file."""


def smart_resize(width: int, height: int, bounds: Bounds) -> Size:
    """Give the size that Qwen2-VL's processor chooses: multiples of 28, near the bounds.

    Source: QwenLM/Qwen2-VL, qwen_vl_utils/vision_process.py, function smart_resize.

    Raises:
        RowError: image_aspect.
    """
    if max(width, height) / min(width, height) > MAX_ASPECT:
        raise RowError("image_aspect", f"{width} x {height} pixels")
    wide = max(PATCH, round(width / PATCH) * PATCH)
    high = max(PATCH, round(height / PATCH) * PATCH)
    if wide * high > bounds.max_pixels:
        scale = math.sqrt(width * height / bounds.max_pixels)
        wide = max(PATCH, math.floor(width / scale / PATCH) * PATCH)
        high = max(PATCH, math.floor(height / scale / PATCH) * PATCH)
    elif wide * high < bounds.min_pixels:
        scale = math.sqrt(bounds.min_pixels / (width * height))
        wide = math.ceil(width * scale / PATCH) * PATCH
        high = math.ceil(height * scale / PATCH) * PATCH
    return Size(wide, high)


def fit(width: int, height: int, bounds: Bounds) -> Size:
    """Give the size for training: that of `smart_resize`, shortened where even that is out of bounds.

    A strip is rounded up to 28 pixels of width and may then be too large, or round to more than 200:1. The result
    is a size that `smart_resize` and LLaMA-Factory's own shrinking leave alone.

    Raises:
        RowError: image_aspect.
    """
    size = smart_resize(width, height, bounds)
    short, long = sorted((size.width, size.height))
    long = min(long, bounds.max_pixels // short // PATCH * PATCH, short * MAX_ASPECT)
    return Size(short, long) if size.width <= size.height else Size(long, short)


def make_safe(data: bytes, bounds: Bounds, quality: int = 95) -> SafePicture:
    """Make a picture safe for training and serving; one that is safe already is given back byte for byte.

    Args:
        data: A picture file.
        bounds: Smallest and largest area.
        quality: JPEG quality of a picture that has to be changed.

    Raises:
        RowError: as `decode`, or image_aspect.
    """
    pixels = decode(data, on_white=True)
    size = fit(pixels.shape[1], pixels.shape[0], bounds)
    suffix = safe_suffix(data, size)
    if suffix is not None:
        return SafePicture(data, suffix, size, True)
    picture = Image.fromarray(pixels)
    if picture.size != (size.width, size.height):
        picture = picture.resize((size.width, size.height), Image.Resampling.BICUBIC)
    return SafePicture(_encode(picture, quality), ".jpg", size, False)


def safe_suffix(data: bytes, size: Size) -> str | None:
    """Give the suffix of a file that is an upright 8-bit RGB picture of this size, else None; reads the header only."""
    if not data.startswith((b"\xff\xd8", b"\x89PNG\r\n\x1a\n")):
        return None
    with Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as header:
        fits = header.mode == "RGB" and header.size == (size.width, size.height)
        if not fits or header.has_transparency_data or header.getexif().get(_ORIENTATION, 1) != 1:
            return None
        return ".png" if header.format == "PNG" else ".jpg"


def _encode(picture: Image.Image, quality: int) -> bytes:
    """Encode as JPEG without chroma subsampling, which would smear coloured text."""
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=quality, subsampling=0)
    return stream.getvalue()
