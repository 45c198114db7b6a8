"""What is compared of a record: its text and its pictures, as columns of a survey."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from curate.dataset.near_picture import PictureKey, picture_key
from curate.dataset.near_text import bands, normal, pack, sketch
from curate.dataset.pictures import PictureStore
from curate.records import PLACEHOLDER, Record

SCHEMA = pa.schema(
    [
        ("uid", pa.string()),
        ("length", pa.int64()),
        ("exact", pa.string()),
        ("bands", pa.list_(pa.uint64())),
        ("sketch", pa.binary()),
        (
            "pictures",
            pa.list_(
                pa.struct(
                    [
                        ("sha256", pa.string()),
                        ("perceptual", pa.uint64()),
                        ("thumbnail", pa.binary()),
                        ("text", pa.binary()),
                    ]
                )
            ),
        ),
    ]
)
"""
length      characters that count in the turns
exact       hash of those characters, empty where there are none
bands       keys under which similar texts meet
sketch      what their similarity is computed from
pictures    what is compared of each picture
"""


@dataclass(frozen=True)
class RecordKeys:
    """One row of a survey of `SCHEMA`."""

    uid: str
    length: int
    exact: str
    bands: list[int]
    sketch: bytes
    pictures: tuple[PictureKey, ...]

    @classmethod
    def of(cls, record: Record, store: PictureStore, *, texts: bool = True, look: bool = True) -> RecordKeys:
        """Take the keys of a record; `texts` for similar texts, `look` for similar pictures."""
        spoken = [normal(turn.text.replace(PLACEHOLDER, "")) for turn in record.turns]
        text = "\x1f".join(part for part in spoken if part)
        grams = sketch(text) if texts else sketch("")
        return cls(
            record.uid,
            len(text),
            hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest() if text else "",
            bands(grams).tolist(),
            pack(grams),
            tuple(picture_key(image, store, look) for image in record.images),
        )

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> RecordKeys:
        """Read a row of a survey."""
        pictures = tuple(
            PictureKey(one["sha256"], one["perceptual"], one["thumbnail"], one["text"]) for one in row["pictures"]
        )
        return cls(row["uid"], row["length"], row["exact"], row["bands"], row["sketch"], pictures)

    def as_row(self) -> dict[str, Any]:
        """Give the row of a survey."""
        pictures = [
            {"sha256": one.sha256, "perceptual": one.perceptual, "thumbnail": one.thumbnail, "text": one.text}
            for one in self.pictures
        ]
        return {
            "uid": self.uid,
            "length": self.length,
            "exact": self.exact,
            "bands": self.bands,
            "sketch": self.sketch,
            "pictures": pictures,
        }
