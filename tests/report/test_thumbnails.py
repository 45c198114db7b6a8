"""Small pictures: safe, upright, and blind where they must be."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

from curate.report.thumbnails import TALLEST, WIDTH, Album, thumbnail


def encoded(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)  # type: ignore[arg-type]
    return stream.getvalue()


def test_a_picture_is_shrunk_and_loses_what_its_file_says_of_it() -> None:
    """A photo carries the place where it was taken."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "somebody's phone"
    small = thumbnail(encoded(Image.new("RGB", (2000, 1000), "red"), "JPEG", exif=exif))

    assert small is not None
    assert (small.width, small.height) == (WIDTH, 2 * WIDTH)  # turned upright
    with Image.open(io.BytesIO(small.data)) as read:
        assert (read.format, dict(read.getexif())) == ("WEBP", {})
    assert b"somebody" not in small.data


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "L", "LA", "1", "CMYK", "I;16"])
def test_pictures_of_any_mode_become_small_ones(mode: str) -> None:
    """One odd picture must not cost a report."""
    picture = Image.new(mode, (300, 5000)) if mode == "I;16" else Image.new("RGB", (300, 5000), "blue").convert(mode)
    small = thumbnail(encoded(picture, "TIFF" if mode in ("CMYK", "LA") else "PNG"))

    assert small is not None and small.height == TALLEST


@pytest.mark.parametrize("data", [b"", b"no picture", encoded(Image.new("RGB", (50, 50)))[:60], b"<svg onload=x>"])
def test_what_is_no_picture_gives_none(data: bytes) -> None:
    """A broken file is a placeholder on the page, never a crash and never its own bytes."""
    assert thumbnail(data) is None


def test_nothing_can_be_read_under_a_hidden_line() -> None:
    """A masked number above its own screenshot is not masked."""
    picture = Image.new("RGB", (400, 200), "white")
    draw = ImageDraw.Draw(picture)
    for left in range(40, 360, 8):
        draw.rectangle((left, 60, left + 3, 90), fill="black")
    polygon = (38, 58, 362, 58, 362, 92, 38, 92)
    shown, hidden = thumbnail(encoded(picture), 400), thumbnail(encoded(picture), 400, [polygon])

    assert shown is not None and hidden is not None
    stripes = [
        np.asarray(Image.open(io.BytesIO(one.data)).convert("L"), float)[70:80, 50:350] for one in (shown, hidden)
    ]
    assert stripes[0].std() > 80
    assert stripes[1].std() < 6


def test_a_picture_is_made_once_however_often_it_is_shown() -> None:
    """The same page of a catalogue stands in a hundred dialogues."""
    reads: list[int] = []

    def content() -> bytes:
        reads.append(1)
        return encoded(Image.new("RGB", (30, 30)))

    album = Album()
    assert album.get("a", content) is album.get("a", content)
    assert album.get("a", content, [(0, 0, 9, 0, 9, 9, 0, 9)]) is not album.get("a", content)
    assert len(reads) == 2
