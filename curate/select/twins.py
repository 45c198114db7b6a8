"""Records that stay, and the question whether another one is a duplicate of one of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple, Protocol

from curate.dataset.near_picture import PictureIndex, same_picture
from curate.dataset.near_text import TextIndex, unpack
from curate.select.keys import RecordKeys


class Comparison(Protocol):
    """How records are compared; the options of `dedup`."""

    @property
    def text(self) -> str:
        """How texts are compared: near, exact or off."""

    @property
    def picture(self) -> str:
        """How pictures are compared: near, exact or off."""

    @property
    def threshold(self) -> float:
        """Similarity of texts that are nearly the same."""

    @property
    def radius(self) -> int:
        """Bits by which the hashes of copies of a picture differ at most."""


class Twin(NamedTuple):
    """The row of a record that stays, and how similar the texts are (1: the same text and the same files)."""

    row: int
    similarity: float


_ALMOST = 0.9999
"""What is said of a copy whose text is the same, but whose pictures are not the same files."""


class Twins:
    """Records that stay so far; both the texts and the pictures of a duplicate must be those of one of them.

    A record is compared with those that stay, not with those that went: else a chain of small steps would join
    records that have little in common.
    """

    def __init__(self, how: Comparison) -> None:
        self._how = how
        self._records: dict[int, RecordKeys] = {}
        self._exact: dict[str, list[int]] = defaultdict(list)
        self._texts = TextIndex(how.threshold)
        self._files: dict[str, list[int]] = defaultdict(list)
        self._pictures = PictureIndex(how.radius)

    def add(self, row: int, keys: RecordKeys) -> None:
        """A record stays."""
        self._records[row] = keys
        if self._how.text != "off" and keys.exact:
            self._exact[keys.exact].append(row)
            self._texts.add(row, keys.bands, unpack(keys.sketch))
        elif keys.pictures:
            first = keys.pictures[0]
            self._files[first.sha256].append(row)
            if first.perceptual is not None:
                self._pictures.add(row, first.perceptual)

    def find(self, keys: RecordKeys) -> Twin | None:
        """The record that this one is a duplicate of; None where there is none."""
        if self._how.picture == "off" and not keys.exact:
            return None
        for row, similarity in self._candidates(keys):
            same = self._same_pictures(self._records[row], keys)
            if same is not None:
                return Twin(row, similarity if same or similarity < 1 else _ALMOST)
        return None

    def _candidates(self, keys: RecordKeys) -> Iterator[tuple[int, float]]:
        """Records with the same or a similar text; where there is no text, those with a similar first picture."""
        if self._how.text != "off" and keys.exact:
            yield from ((row, 1.0) for row in self._exact.get(keys.exact, ()))
            if self._how.text == "near":
                for row, found in self._texts.near(keys.bands, unpack(keys.sketch)):
                    if self._records[row].exact != keys.exact:
                        yield row, min(found, _ALMOST)
        elif keys.pictures:
            first = keys.pictures[0]
            yield from ((row, 1.0) for row in self._files.get(first.sha256, ()))
            if self._how.picture == "near" and first.perceptual is not None:
                yield from ((row, 1.0) for row in self._pictures.candidates(first.perceptual))

    def _same_pictures(self, one: RecordKeys, other: RecordKeys) -> bool | None:
        """Whether all pictures are the same files; None where they do not even show the same."""
        if self._how.picture == "off":
            return True
        if len(one.pictures) != len(other.pictures):
            return None
        pairs = list(zip(one.pictures, other.pictures, strict=True))
        if all(left.sha256 == right.sha256 for left, right in pairs):
            return True
        if self._how.picture == "near" and all(same_picture(*pair, self._how.radius) for pair in pairs):
            return False
        return None
