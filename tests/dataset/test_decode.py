"""Picture files of every kind end as upright RGB pixels or as a code."""

from __future__ import annotations

import io
import json
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from curate.dataset.decode import decode
from curate.dataset.pictures import CODES, PictureStore
from curate.errors import RowError
from curate.ingest.pictures import Facts, PictureFacts

SHARED = Path(__file__).resolve().parents[3] / "shared"
MAKER = SHARED / "tools" / "make_bad_images.py"

SAME = {"image_not_an_image": "image_unreadable", "image_unsupported": "image_unreadable"}
DECIDED = {
    "jpeg_no_eoi.jpg": "image_truncated",  # Pillow cannot tell it from one that lacks pixels
    "jpeg_hole.jpg": "read",  # libjpeg mends it and says nothing
    "bomb_95mp.png": "read",  # below our limit of 120 MP
}


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def code_of(data: bytes, **options: int) -> str:
    with pytest.raises(RowError) as caught:
        decode(data, **options)
    assert caught.value.code in CODES
    return caught.value.code


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF"])
def test_a_file_cut_anywhere_never_crashes(kind: str) -> None:
    """If this fails, one half-downloaded picture stops the run."""
    noise = np.random.default_rng(0).integers(0, 255, (40, 60, 3), dtype=np.uint8)
    data = encoded(Image.fromarray(noise), kind)
    for end in range(0, len(data), max(1, len(data) // 60)):
        try:
            decode(data[:end])
        except RowError as error:
            assert error.code in CODES


def test_too_many_pixels_are_refused_before_they_are_decoded() -> None:
    """If this fails, a picture bomb fills the memory."""
    assert code_of(encoded(Image.new("1", (3000, 3000)), "PNG"), max_pixels=1_000_000) == "image_too_large"


def test_a_rotated_photo_is_turned_upright() -> None:
    """If this fails, boxes do not lie on the picture that the person sees."""
    image = Image.new("RGB", (30, 20), "white")
    image.paste((255, 0, 0), (0, 0, 8, 8))
    exif = Image.Exif()
    exif[0x0112] = 6
    upright = decode(encoded(image, "PNG", exif=exif))
    assert upright.shape == (30, 20, 3)
    assert upright[2, -3].tolist() == [255, 0, 0]


def test_a_damaged_checksum_of_the_pixels_is_an_error() -> None:
    """If this fails, a picture with flipped bits is read as if nothing were wrong."""
    data = bytearray(encoded(Image.new("RGB", (20, 20), "white"), "PNG"))
    data[data.index(b"IDAT") - 4 + 8 + int.from_bytes(data[data.index(b"IDAT") - 4 : data.index(b"IDAT")], "big")] ^= 1
    assert code_of(bytes(data)) == "image_unreadable"


@pytest.mark.parametrize("ink", [0, 255])
def test_text_on_a_transparent_ground_stays_visible(ink: int) -> None:
    """If this fails, black text on transparent black, or white on transparent white, reads as an empty picture."""
    image = Image.new("RGBA", (40, 20), (ink, ink, ink, 0))
    image.paste((ink, ink, ink, 255), (10, 5, 30, 15))
    assert np.ptp(decode(encoded(image, "PNG"))) == 255


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not MAKER.exists():
        pytest.skip("the maker of odd pictures is not beside this checkout")
    out = tmp_path_factory.mktemp("odd")
    runpy.run_path(str(MAKER))["build"](out)
    return out


def test_every_odd_file_ends_as_it_should(odd: Path) -> None:
    """If this fails, a kind of file that occurs in the wild is misread, or its code does not say what it is."""
    store = PictureStore(odd / "images", odd / "made")
    wrong = []
    for item in json.loads((odd / "expected.json").read_text("ascii")):
        if item["name"] == "chmod000.png":
            continue
        got = _outcome(store, item)
        if item["name"] in DECIDED:
            allowed = [DECIDED[item["name"]]]
        else:
            allowed = ["read"] if item["expected"] == "read" else [item["code"], *item["accept"]]
        if got not in {SAME.get(code, code) for code in allowed}:
            wrong.append((item["name"], got, allowed))
    assert wrong == []


def test_sizes_measured_at_ingest_are_those_that_are_decoded(odd: Path) -> None:
    """If this fails, boxes and the width and height beside them belong to two different pictures."""
    facts = PictureFacts(odd / "images")
    store = PictureStore(odd / "images", odd / "made")
    items = json.loads((odd / "expected.json").read_text("ascii"))
    names = [item["name"] for item in items if "size" in item and item["name"] not in DECIDED]
    found = facts.look(names)
    # Ingest opens the file as it is and refuses a damaged or huge comment, which decoding leaves out, and a name
    # that is no Unicode.
    measured = {name: fact for name in names if isinstance(fact := found[name], Facts)}
    assert set(names) - set(measured) <= {"png_bad_crc_text.png", "png_ztxt_bomb.png", "latin1_\udce9\udcff.png"}
    for name, fact in measured.items():
        pixels = decode(store.read(name))
        assert (fact.height, fact.width) == pixels.shape[:2], name


def _outcome(store: PictureStore, item: dict[str, Any]) -> str:
    try:
        pixels = decode(store.read(item["name"]))
    except RowError as error:
        return error.code
    if "size" in item and [pixels.shape[1], pixels.shape[0]] != item["size"]:
        return "wrong size"
    for x, y, colour, tolerance in item.get("probes", []):
        if np.abs(pixels[y, x].astype(int) - colour).max() > tolerance:
            return "wrong colour"
    if np.ptp(pixels.mean(axis=2)) < item.get("min_contrast", 0):
        return "no contrast"
    return "read"


def test_a_picture_of_a_format_that_is_not_read_is_told_what_is() -> None:
    """Shops' servers send AVIF; `not a picture of a known format` sent people to look for damage."""
    with pytest.raises(RowError, match=r"AVIF and HEIC are not read, only .*JPEG.*; save it as one of these"):
        decode(b"\x00\x00\x00\x20ftypavif" + bytes(64))
