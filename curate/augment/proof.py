"""How a new picture is proved to say what the original said: by geometry, or by reading it again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from curate.augment import geometry
from curate.augment.geometry import Quads
from curate.dataset.decode import Picture, decode
from curate.pipeline.stage import TextReader
from curate.records import Image, Line, Ocr

FEW = 64
"""Characters of a picture below which one that is misread is more than a hundredth and a half."""


@dataclass(frozen=True)
class Judgement:
    """Whether a new picture may be used, and the text in it."""

    ocr: Ocr | None
    refused: str | None
    """mirrored, characters_lost, turned, too_small or too_dark; None where it may be used."""


class Made:
    """A new picture, and its file, which is written only where somebody asks for it: encoding is dear."""

    def __init__(self, picture: Picture, encode: Callable[[Picture], bytes]) -> None:
        self.picture = picture
        self._encode = encode

    @cached_property
    def encoded(self) -> bytes:
        """The picture as a file."""
        return self._encode(self.picture)


class Proof(Protocol):
    """Judges new pictures. `quads` is called for an original before `judge` is for what was drawn from it."""

    def quads(self, image: Image, data: bytes, picture: Picture) -> Quads:
        """The corners that shall travel with the picture."""

    def judge(self, old: Picture, moved: Quads, new: Made) -> Judgement:
        """Judge a new picture, with the corners in it."""


class GeometryProof:
    """Looks at where the lines went that were read in the original, and whether light and dark still differ.

    A picture that was not read yet may hold text, so it must not be mirrored either.

    Args:
        least: Share of the characters that must still be inside the picture.
        allow_mirrored: Whether mirrored text is accepted.
    """

    def __init__(self, least: float, allow_mirrored: bool) -> None:
        self._least = least
        self._allow_mirrored = allow_mirrored

    def quads(self, image: Image, data: bytes, picture: Picture) -> Quads:
        """A probe that tells whether the picture was mirrored, then the corners of the lines."""
        self._ocr = image.ocr
        self._lines = image.ocr.lines if image.ocr else ()
        self._before = np.concatenate([geometry.probe(*picture.shape[:2]), geometry.quads_of(self._lines)])
        return self._before

    def judge(self, old: Picture, moved: Quads, new: Made) -> Judgement:
        """Judge by geometry alone."""
        may_hold_text = self._ocr is None or bool(self._lines)
        if may_hold_text and not self._allow_mirrored and geometry.mirrored(self._before, moved):
            return Judgement(None, "mirrored")
        if may_hold_text and geometry.too_dark(old, new.picture):
            return Judgement(None, "too_dark")
        height, width = new.picture.shape[:2]
        verdict = geometry.judge(self._lines, self._before[1:], moved[1:], height, width, self._least)
        ocr = self._ocr and Ocr(self._ocr.engine, "\n".join(line.text for line in verdict.lines), verdict.lines)
        return Judgement(ocr, verdict.refused)


class ReadingProof:
    """Reads the new picture and asks how many of the original's characters are read again, in whatever order.

    Args:
        reader: Reads, in the original too where no earlier stage did.
        least: Share of the original's characters that must be read.
    """

    def __init__(self, reader: TextReader, least: float) -> None:
        self._reader = reader
        self._least = least

    def quads(self, image: Image, data: bytes, picture: Picture) -> Quads:
        """None need to travel."""
        lines = image.ocr.lines if image.ocr else self._reader.read(data, picture)
        self._expected = characters(lines)
        return np.zeros((0, 4, 2), dtype=np.float32)

    def judge(self, old: Picture, moved: Quads, new: Made) -> Judgement:
        """Judge by what is read in the file."""
        lines = self._reader.read(new.encoded, decode(new.encoded))
        ocr = Ocr(self._reader.signature, "\n".join(line.text for line in lines), tuple(lines))
        lost = recall(self._expected, characters(lines)) < self._least
        return Judgement(ocr, "characters_lost" if lost else None)


class MixedProof:
    """By geometry; a picture of few characters by reading.

    Geometry sees where characters went, not that noise ate one of them. On a full page that is less than `least`
    forgives; of a logo's four characters it is the whole meaning, and reading four characters is cheap.

    Args:
        geometry: Proves pictures of many characters, without any, and those that nobody read.
        reading: Proves pictures of few.
    """

    def __init__(self, geometry: GeometryProof, reading: ReadingProof) -> None:
        self._geometry = geometry
        self._reading = reading

    def quads(self, image: Image, data: bytes, picture: Picture) -> Quads:
        """The corners of the lines, whoever judges."""
        count = sum(characters(image.ocr.lines).values()) if image.ocr else 0
        self._reads = 0 < count < FEW
        if self._reads:
            self._reading.quads(image, data, picture)
        return self._geometry.quads(image, data, picture)

    def judge(self, old: Picture, moved: Quads, new: Made) -> Judgement:
        """Judge by geometry first, which is free."""
        judgement = self._geometry.judge(old, moved, new)
        return self._reading.judge(old, moved, new) if self._reads and not judgement.refused else judgement


def characters(lines: Iterable[Line]) -> Counter[str]:
    """How often each character stands in lines, blanks left out."""
    return Counter(character for line in lines for character in line.text if not character.isspace())


def recall(expected: Counter[str], found: Counter[str]) -> float:
    """Share of the expected characters that were found, each as often as it was found; 1 where none are expected."""
    total = sum(expected.values())
    return sum((expected & found).values()) / total if total else 1.0
