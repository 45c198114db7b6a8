"""Special tokens of Qwen2-VL, and counting tokens, which lies where data cards find it, too."""

from __future__ import annotations

import re

from curate.dataset.tokens import CountTokens, at_most, counter, load

__all__ = ["REGION_MARKS", "SPECIAL", "CountTokens", "at_most", "counter", "load"]

SPECIAL = re.compile(
    r"<\|(?:im_start|im_end|endoftext|image_pad|video_pad|vision_pad|vision_start|vision_end"
    r"|object_ref_start|object_ref_end|box_start|box_end|quad_start|quad_end)\|>"
)
"""Special tokens of Qwen2-VL; written out in a text, they are read as such by every consumer."""

REGION_MARKS = frozenset(f"<|{name}_{end}|>" for name in ("object_ref", "box", "quad") for end in ("start", "end"))
"""Special tokens that belong into text: they mark regions of a picture."""
