"""Pictures that are the same picture, encoded or scaled anew: a perceptual hash, confirmed by text or thumbnail."""

from __future__ import annotations

import itertools
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np

from curate.dataset.decode import decode
from curate.dataset.near_text import normal, pack, similarity, sketch, unpack
from curate.dataset.pictures import PictureStore
from curate.errors import RowError
from curate.records import Image

SIDE, KEPT = 32, 8
"""Pixels of the small picture that the hash is made from, and of its lowest frequencies that make it (8 x 8 bits)."""
RADIUS = 8
"""Bits of 64 by which copies differ at most: re-encoded at half size 2 to 6, different chat screenshots 14 to 28."""
THUMBNAIL = 24
"""Pixels of the side of the thumbnail that confirms a copy where no text was read in both."""
DIFFERENCE = 10
"""Grey values by which any pixel of two thumbnails of copies differs at most.

Copies of 45 pages and 40 photos at quality 20 to 85, from a third to one and a half of the size: 3 to 10. Different
pages of one layout, within 10 bits of each other: 11 to 102.
"""
WIDEST = 12
"""Largest radius that the index finds without trying too many keys."""
CONFIRMED = 0.7
"""Similarity of what was read in two pictures from which on their text is the same, misreadings allowed."""
_FLAT = 4.0
"""Spread of brightness below which a picture shows nothing that a hash could tell from another blank one."""
_JPEG = b"\xff\xd8"
_PARTS, _BITS = 4, 16


@dataclass(frozen=True)
class PictureKey:
    """What is compared of a picture."""

    sha256: str
    perceptual: int | None
    """64 bits; None where the picture is blank, cannot be read, or was not looked at."""
    thumbnail: bytes | None
    """The picture in grey, 24 x 24; likewise."""
    text: bytes | None
    """Packed sketch of the text in it; None where it was not read."""


def picture_key(image: Image, store: PictureStore, look: bool = True) -> PictureKey:
    """Take the key of a picture; one that cannot be read has only its hash. Without `look` the file is not opened."""
    text = None if image.ocr is None else pack(sketch(normal(image.ocr.text)))
    hashes = None
    if look:
        try:
            hashes = perceptual_hash(store.read(image.path))
        except RowError:
            pass  # whoever works on the picture sets its record aside; here it is just like no other
    perceptual, thumbnail = hashes or (None, None)
    return PictureKey(image.sha256 or image.path, perceptual, thumbnail, text)


def perceptual_hash(data: bytes) -> tuple[int, bytes] | None:
    """The pHash of a picture (which of its 63 lowest frequencies are above their median) and its thumbnail.

    None for a blank picture, whose frequencies are noise.

    Raises:
        RowError: the picture cannot be decoded.
    """
    import cv2

    grey = _grey(data)
    small = cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    if float(small.std()) < _FLAT:
        return None
    low = np.asarray(cv2.dct(small.astype(np.float32)))[:KEPT, :KEPT].ravel()
    bits = low > np.median(low[1:])
    bits[0] = False  # the mean brightness, which says nothing of what is shown
    thumbnail = cv2.resize(grey, (THUMBNAIL, THUMBNAIL), interpolation=cv2.INTER_AREA)
    return int.from_bytes(np.packbits(bits).tobytes(), "big"), np.ascontiguousarray(thumbnail).tobytes()


def _grey(data: bytes) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """The picture in grey; a JPEG is decoded at a quarter of its size where that is enough."""
    import cv2

    grey = None
    if data.startswith(_JPEG):
        grey = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_REDUCED_GRAYSCALE_4)
    if grey is None or min(grey.shape) < 2 * SIDE:
        grey = cv2.cvtColor(decode(data), cv2.COLOR_RGB2GRAY)
    return np.asarray(grey, dtype=np.uint8)


def same_picture(one: PictureKey, other: PictureKey, radius: int) -> bool:
    """Whether two pictures are copies of one: the same file, or hashes within `radius` bits and the same text.

    Where text was not read in both, or there is none, their thumbnails must be nearly equal.
    """
    if one.sha256 == other.sha256:
        return True
    if one.perceptual is None or other.perceptual is None:
        return False
    if bin(one.perceptual ^ other.perceptual).count("1") > radius:
        return False
    if one.text and other.text:
        return similarity(unpack(one.text), unpack(other.text)) >= CONFIRMED
    if one.thumbnail is None or other.thumbnail is None:
        return False
    left, right = (np.frombuffer(key.thumbnail or b"", np.uint8).astype(np.int16) for key in (one, other))
    return bool(np.abs(left - right).max() <= DIFFERENCE)


class PictureIndex:
    """Finds hashes within a few bits of another.

    A hash is cut into four parts of 16 bits: of two that differ in `radius` bits, one part differs in a quarter of
    them at most, so it is enough to look up each part with so many bits turned over.

    Args:
        radius: Bits that may differ, at most 12.
    """

    def __init__(self, radius: int) -> None:
        self._masks = [
            sum(1 << bit for bit in chosen)
            for turned in range(radius // _PARTS + 1)
            for chosen in itertools.combinations(range(_BITS), turned)
        ]
        self._rows: dict[tuple[int, int], list[int]] = defaultdict(list)

    def add(self, row: int, perceptual: int) -> None:
        """Remember a hash under its row."""
        for place, part in _parts(perceptual):
            self._rows[place, part].append(row)

    def candidates(self, perceptual: int) -> list[int]:
        """Rows whose hash may be near enough, in ascending order; all that are near enough are among them."""
        found: set[int] = set()
        for place, part in _parts(perceptual):
            for mask in self._masks:
                found.update(self._rows.get((place, part ^ mask), ()))
        return sorted(found)


def _parts(perceptual: int) -> list[tuple[int, int]]:
    return [(place, (perceptual >> (place * _BITS)) & 0xFFFF) for place in range(_PARTS)]
