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
    return smart_resize(width, height, PROCESSOR)
