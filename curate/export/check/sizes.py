"""The size in which each consumer shows a picture to Qwen2-VL."""

from __future__ import annotations

import math

from curate.dataset.vision import MAX_ASPECT, PATCH, PROCESSOR_MAX_PIXELS, Bounds, Size, smart_resize

PROCESSOR = Bounds(PROCESSOR_MAX_PIXELS)
"""The bounds in the checkpoint's own preprocessor_config.json."""

_STRETCHED = 180


def in_llamafactory(size: Size, bounds: Bounds) -> Size:
    """LLaMA-Factory 0.9.5 brings a picture into its own bounds first, without regard to patches (data/mm_plugin.py)."""
    width, height = size.width, size.height
    if width * height > bounds.max_pixels:
        scale = math.sqrt(bounds.max_pixels / (width * height))
        width, height = int(width * scale), int(height * scale)
    if width * height < bounds.min_pixels:
        scale = math.sqrt(bounds.min_pixels / max(width * height, 1))
        width, height = int(width * scale), int(height * scale)
    if min(width, height) < PATCH:
        width, height = max(width, PATCH), max(height, PATCH)
    if width / height > MAX_ASPECT:
        width = height * _STRETCHED
    if height / width > MAX_ASPECT:
        height = width * _STRETCHED
    return in_processor(Size(width, height))


def in_processor(size: Size) -> Size:
    """The processor of transformers 4 and 5 with its own bounds: `smart_resize`, but a side under 14 rounds to none.

    Then the area counts as too small, and both sides are enlarged instead of one.

    Raises:
        RowError: image_aspect.
    """
    short, long = sorted((size.width, size.height))
    if round(short / PATCH) or long > MAX_ASPECT * short:
        return smart_resize(size.width, size.height, PROCESSOR)
    scale = math.sqrt(PROCESSOR.min_pixels / (size.width * size.height))
    wide, high = (math.ceil(side * scale / PATCH) * PATCH for side in (size.width, size.height))
    return Size(wide, high)
