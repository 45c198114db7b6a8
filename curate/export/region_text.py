"""Boxes of pictures as text: Qwen2-VL's, ChatSpot's, and the placeholders of ms-swift."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from curate.dataset.vision import Size

Form = Literal["qwen2vl", "chatspot", "swift"]

THOUSAND = 1000
"""Qwen2-VL writes coordinates as thousandths of the picture's sides, "within [0, 1000)" (arXiv 2409.12191)."""


@dataclass(frozen=True)
class Box:
    """Left, top, right and bottom in pixels of the upright original."""

    left: float
    top: float
    right: float
    bottom: float

    def scaled(self, original: Size, size: Size) -> list[float]:
        """The box in pixels of the picture that is written; one decimal."""
        wide, high = size.width / original.width, size.height / original.height
        return [
            round(value * scale, 1)
            for value, scale in zip((self.left, self.top, self.right, self.bottom), (wide, high) * 2, strict=True)
        ]


def from_polygon(polygon: Sequence[float], size: Size) -> Box | None:
    """The box around a polygon (x and y in turn), clipped to the picture; None where nothing is left of it."""
    across = [min(max(value, 0.0), float(size.width)) for value in polygon[::2]]
    down = [min(max(value, 0.0), float(size.height)) for value in polygon[1::2]]
    box = Box(min(across), min(down), max(across), max(down))
    return box if box.right > box.left and box.bottom > box.top else None


def thousandths(box: Box, size: Size, most: int = THOUSAND - 1) -> tuple[int, int, int, int]:
    """Coordinates as thousandths of width and height, rounded half to even as ms-swift does, at most `most`.

    They do not change when the picture is resized. ms-swift lets a box at the border become 1000; the paper does not.
    """
    left, right = (min(most, round(value / size.width * THOUSAND)) for value in (box.left, box.right))
    top, bottom = (min(most, round(value / size.height * THOUSAND)) for value in (box.top, box.bottom))
    return left, top, right, bottom


def written(box: Box, size: Size, form: Form) -> str:
    """A box as the form writes it into a text."""
    if form == "swift":
        return "<bbox>"
    if form == "chatspot":
        left, right = box.left / size.width, box.right / size.width
        top, bottom = box.top / size.height, box.bottom / size.height
        return f"<box>({left:.3f},{top:.3f}),({right:.3f},{bottom:.3f})</box>"
    left, top, right, bottom = thousandths(box, size)
    return f"<|box_start|>({left},{top}),({right},{bottom})<|box_end|>"
