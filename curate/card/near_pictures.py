"""Pictures that are nearly another one, encoded or scaled anew, and whether they are used in more than one split."""

from __future__ import annotations

from collections import defaultdict

import pyarrow as pa

from curate.dataset.near_picture import RADIUS, PictureIndex, PictureKey, picture_key, same_picture
from curate.dataset.pictures import PictureStore
from curate.records import Image, Ocr

MOST_PICTURES = 300
"""Different pictures up to which they are looked for: each is decoded whole, 5 to 50 ms."""


class NearPictures:
    """Remembers the different pictures of a small dataset; compares them when it is asked."""

    def __init__(self) -> None:
        self._pictures: dict[str, Image] = {}
        self._splits: dict[str, set[str]] = defaultdict(set)

    @property
    def counted(self) -> bool:
        """Whether there are few enough pictures to look at."""
        return len(self._pictures) <= MOST_PICTURES

    def add(self, table: pa.Table) -> None:
        """Remember the pictures of a batch; none any more where there are too many."""
        if not self.counted:
            return
        for images, split in zip(table["images"].to_pylist(), table["split"].to_pylist(), strict=True):
            for one in images or ():
                name = one["sha256"] or one["path"]
                read = None if one["ocr"] is None else Ocr(one["ocr"]["engine"] or "", one["ocr"]["text"] or "", ())
                image = Image(one["path"], one["sha256"], one["width"], one["height"], one["format"], read)
                self._pictures.setdefault(name, image)
                self._splits[name] |= {split} if split else set()

    def compare(self, store: PictureStore) -> tuple[int, int]:
        """Count pictures that are nearly an earlier one, and pictures that nearly one in another split is."""
        index, names = PictureIndex(RADIUS), list(self._pictures)
        keys: list[PictureKey] = []
        near: dict[str, set[str]] = defaultdict(set)
        repeated = 0
        for number, name in enumerate(names):
            key = picture_key(self._pictures[name], store)
            keys.append(key)
            if key.perceptual is None:
                continue
            found = [one for one in index.candidates(key.perceptual) if same_picture(keys[one], key, RADIUS)]
            repeated += bool(found)
            for one in found:
                near[name].add(names[one])
                near[names[one]].add(name)
            index.add(number, key.perceptual)
        return repeated, sum(self._leaks(name, around) for name, around in near.items())

    def _leaks(self, name: str, around: set[str]) -> bool:
        own = self._splits[name]
        return bool(own) and bool(set().union(*(self._splits[one] for one in around)) - own)
