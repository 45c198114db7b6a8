"""A picture with what was read in it drawn over it: boxes, reading order, text, three colours by score."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from curate.dataset.decode import Picture
from curate.records import Line

Colour = tuple[int, int, int]

COLOURS: tuple[tuple[float, Colour], ...] = ((0.9, (22, 130, 60)), (0.6, (204, 120, 0)), (0.0, (200, 30, 40)))
"""Least score of each colour: sure, doubtful, poor."""

FONTS = (
    "NotoSansCJK-Regular.ttc",
    "NotoSansSC-Regular.otf",
    "SourceHanSansSC-Regular.otf",
    "wqy-microhei.ttc",
    "wqy-zenhei.ttc",
    "DroidSansFallbackFull.ttf",
    "PingFang.ttc",
    "Hiragino Sans GB.ttc",
    "msyh.ttc",
    "simsun.ttc",
)
"""File names of fonts with Chinese letters, best first; none is shipped."""

SMALLEST_LETTER = 14


def annotate(picture: Picture, lines: Sequence[Line]) -> Image.Image:
    """Draw over an upright picture what was read in it; give a picture twice as wide, the text on the right.

    Each line has its box and its number in reading order on the left, and on the right, at the same place, its text
    and score. Where the system has no font with Chinese letters the right half shows numbers and scores only.
    """
    original = Image.fromarray(picture)
    faded = Image.blend(original, Image.new("RGB", original.size, "white"), 0.35)
    sheet = Image.new("RGB", (original.width * 2, original.height), "white")
    sheet.paste(faded, (0, 0))
    draw = ImageDraw.Draw(sheet)
    font = _chinese_font()
    for number, line in enumerate(lines, 1):
        corners = [(line.polygon[i], line.polygon[i + 1]) for i in range(0, len(line.polygon), 2)]
        moved = [(x + original.width, y) for x, y in corners]
        colour = colour_of(line.score)
        draw.polygon(corners, outline=colour, width=2)
        draw.polygon(moved, outline=_pale(colour), width=1)
        _write_number(draw, corners, number, colour)
        _write_text(
            draw, moved, f"{line.text}  {line.score:.2f}" if font else f"{number}: {line.score:.2f}", colour, font
        )
    return sheet


def colour_of(score: float) -> Colour:
    """Give the colour that stands for a score."""
    return next((colour for least, colour in COLOURS if score >= least), COLOURS[-1][1])


def _pale(colour: Colour) -> Colour:
    red, green, blue = ((channel + 2 * 255) // 3 for channel in colour)
    return red, green, blue


def _write_number(
    draw: ImageDraw.ImageDraw, corners: Sequence[tuple[float, float]], number: int, colour: Colour
) -> None:
    size = _letter_size(corners, 0.45)
    font = ImageFont.load_default(size=size)
    left, top = corners[0][0], min(y for _, y in corners)
    width = draw.textlength(str(number), font=font) + 6
    place = (max(0.0, left - width), max(0.0, top))
    draw.rectangle((place[0], place[1], place[0] + width, place[1] + size * 1.25), fill=colour)
    draw.text((place[0] + 3, place[1]), str(number), fill="white", font=font)


def _write_text(
    draw: ImageDraw.ImageDraw, corners: Sequence[tuple[float, float]], text: str, colour: Colour, path: Path | None
) -> None:
    """Write a line's text where the line stands, made smaller where it would leave the sheet."""
    left, top = min(x for x, _ in corners), min(y for _, y in corners)
    room = draw.im.size[0] - left
    size = _letter_size(corners, 0.62)
    font = _font(path, size)
    width = draw.textlength(text, font=font)
    if width > room:
        font = _font(path, max(SMALLEST_LETTER, int(size * room / width)))
    draw.text((left + 3, top), text, fill=colour, font=font)


def _letter_size(corners: Sequence[tuple[float, float]], share: float) -> int:
    ys = [y for _, y in corners]
    xs = [x for x, _ in corners]
    return max(SMALLEST_LETTER, int(min(max(ys) - min(ys), max(xs) - min(xs)) * share))


@cache
def _font(path: Path | None, size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.truetype(path, size) if path else ImageFont.load_default(size=size)


@cache
def _chinese_font() -> Path | None:
    """Find a font with Chinese letters where systems keep theirs."""
    found: dict[str, Path] = {}
    for folder in _font_folders():
        for root, _, names in os.walk(folder):
            for name in set(names).intersection(FONTS):
                found.setdefault(name, Path(root) / name)
    return next((found[name] for name in FONTS if name in found), None)


def _font_folders() -> list[Path]:
    home = Path.home()
    windows = os.environ.get("WINDIR")
    places = [home / ".fonts", home / ".local/share/fonts", Path("/usr/share/fonts"), Path("/usr/local/share/fonts")]
    places += [Path("/System/Library/Fonts"), Path("/Library/Fonts")]
    return places + ([Path(windows) / "Fonts"] if windows else [])
