"""Small pictures for pages: decoded, turned upright and encoded anew: no byte of the source gets into a page."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFilter

from curate.dataset.decode import decode
from curate.errors import RowError

WIDTH = 240
"""Pixels; a page of dense text has about 20 kB then."""
DETAIL = 640
"""Pixels of a picture in which text can be read; a page of dense text has about 120 kB then."""
TALLEST = 560
"""Pixels of a picture that is `WIDTH` wide; wider ones may be taller in proportion."""
_QUALITY = 60
_BLUR = 0.6
"""Radius of the blur over a hidden line, as a share of the line's height; what is left is a grey band."""


@dataclass(frozen=True)
class Thumbnail:
    """A small picture."""

    data: bytes
    """WebP."""
    width: int
    height: int

    @property
    def uri(self) -> str:
        """The picture as an address that needs no file."""
        return "data:image/webp;base64," + base64.b64encode(self.data).decode()

    @property
    def name(self) -> str:
        """Name for a file beside the page."""
        return f"{hashlib.sha256(self.data).hexdigest()[:12]}.webp"


class Album:
    """Small pictures of one page, each made once however often it is shown.

    Args:
        width: Pixels of each.
    """

    def __init__(self, width: int = WIDTH) -> None:
        self.width = width
        self._made: dict[tuple[str, tuple[tuple[float, ...], ...]], Thumbnail | None] = {}

    def get(
        self, name: str, content: Callable[[], bytes | None], hidden: Sequence[Sequence[float]] = ()
    ) -> Thumbnail | None:
        """Give a small picture; None where there is no picture that can be read.

        Args:
            name: What tells the picture from others: where its file is.
            content: Reads the file.
            hidden: As for `thumbnail`.
        """
        key = name, tuple(tuple(polygon) for polygon in hidden)
        if key not in self._made:
            data = content()
            self._made[key] = thumbnail(data, self.width, hidden) if data else None
        return self._made[key]


def thumbnail(data: bytes, width: int = WIDTH, hidden: Sequence[Sequence[float]] = ()) -> Thumbnail | None:
    """Make a small picture; None where the file is no picture that can be read.

    Args:
        data: A picture file.
        width: Pixels, unless the picture is smaller, or would be taller than `TALLEST` allows.
        hidden: Polygons, in pixels of the upright original, under which nothing may be read.
    """
    try:
        picture = Image.fromarray(decode(data, on_white=True))
    except RowError:
        return None
    for polygon in hidden:
        _cover(picture, polygon)
    scale = min(1.0, width / picture.width, max(TALLEST, TALLEST * width / WIDTH) / picture.height)
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    small = picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0) if size != picture.size else picture
    stream = io.BytesIO()
    small.save(stream, "WEBP", quality=_QUALITY, method=2)
    return Thumbnail(stream.getvalue(), *size)


def _cover(picture: Image.Image, polygon: Sequence[float]) -> None:
    """Blur what lies under a polygon until it is one colour; shrunk first, so that nothing comes back."""
    xs, ys = polygon[0::2], polygon[1::2]
    left, top = max(0, int(min(xs)) - 2), max(0, int(min(ys)) - 2)
    right, bottom = min(picture.width, int(max(xs)) + 3), min(picture.height, int(max(ys)) + 3)
    if right <= left or bottom <= top:
        return
    part = picture.crop((left, top, right, bottom))
    tiny = part.resize((max(1, part.width // max(8, part.height * 2)), 1), Image.Resampling.BOX)
    band = tiny.resize(part.size, Image.Resampling.BILINEAR)
    band = band.filter(ImageFilter.GaussianBlur(max(1.0, part.height * _BLUR)))
    mask = Image.new("L", part.size, 0)
    corners = [(x - left, y - top) for x, y in zip(xs, ys, strict=True)]
    ImageDraw.Draw(mask).polygon(corners, fill=255)
    picture.paste(band, (left, top), mask.filter(ImageFilter.MaxFilter(5)))
