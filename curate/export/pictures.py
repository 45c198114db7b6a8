"""The pictures of an export: made safe, written once per content, or handed to the row that holds them."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from curate.dataset.decode import decode
from curate.dataset.files import write_bytes
from curate.dataset.pictures import PictureStore
from curate.dataset.url import url_of
from curate.dataset.vision import SafePicture, Size, fit, make_safe, safe_suffix
from curate.dataset.working_copy import named
from curate.errors import RowError, UsageError
from curate.export.options import TrainingOptions
from curate.records import Image

FOLDER = "images"

_REMEMBERED = 64 << 20
"""Bytes of finished pictures that are kept for the next rows that embed them."""


@dataclass(frozen=True)
class Planned:
    """A picture of a record and the size that it will have."""

    image: Image
    original: Size
    size: Size


@dataclass(frozen=True)
class Placed:
    """A picture as a row names it."""

    path: str
    """Relative to the export, or absolute; a name without a folder where the bytes are in the row."""
    size: Size
    original: Size
    """Size after EXIF rotation, which regions are measured in."""
    data: bytes | None = None
    """The file, where pictures are embedded."""


class PictureWriter:
    """Writes each distinct picture once, under a name that its content and its size decide.

    Args:
        store: Finds originals.
        options: Of the export.
        folder: The export's folder while it is written.
        final: The export's folder when it is done, for absolute paths.
    """

    def __init__(self, store: PictureStore, options: TrainingOptions, folder: Path, final: Path | None) -> None:
        self._store = store
        self._options = options
        self._folder = folder
        self._final = final or folder.absolute()
        if options.images == "absolute" and any(url_of(named(one)) for one in (self._final, store.root) if one):
            raise UsageError(
                f"export {options.title}: images: absolute names files of this machine, but the run or its pictures "
                "are in another place; choose copy or embed"
            )
        self._recent: OrderedDict[str, SafePicture] = OrderedDict()
        self._recent_bytes = 0
        self._lock = threading.Lock()

    def plan(self, image: Image) -> Planned:
        """Give the size that a picture will have, from what ingest found out about it.

        Raises:
            RowError: image_aspect; where ingest did not look into the file, also what `decode` raises.
        """
        if image.width and image.height:
            original = Size(image.width, image.height)
        else:
            pixels = decode(self._store.read(image.path, image.sha256), on_white=True)
            original = Size(pixels.shape[1], pixels.shape[0])
        return Planned(image, original, fit(original.width, original.height, self._options.bounds))

    def place(self, planned: Planned) -> Placed:
        """Write a picture, or take its bytes.

        Raises:
            RowError: the picture cannot be read, or is not the one that was ingested.
        """
        image, size = planned.image, planned.size
        stem = f"{(image.sha256 or '')[:20]}-{size.width}x{size.height}"
        if self._options.images == "embed" or not image.sha256:
            return self._fresh(planned, stem)
        for suffix in (".jpg", ".png"):
            if (self._folder / FOLDER / (stem + suffix)).exists():
                return self._named(planned, stem + suffix)
        if self._options.images == "absolute":
            original = self._untouched(planned)
            if original is not None:
                return original
        return self._fresh(planned, stem)

    def _fresh(self, planned: Planned, stem: str) -> Placed:
        image = planned.image
        safe = self._recalled(stem)
        if safe is None:
            data = self._store.read(image.path, image.sha256)
            safe = make_safe(data, self._options.bounds, self._options.quality)
            if safe.size != planned.size:
                raise RowError("image_changed", f"{safe.size} pixels after resizing, {planned.size} were expected")
            if image.sha256 and self._options.images == "embed":
                self._remember(stem, safe)
        name = stem + safe.suffix
        if self._options.images == "embed":
            return Placed(name, planned.size, planned.original, safe.data)
        target = self._folder / FOLDER / name
        if not (self._options.images == "link" and safe.untouched and self._linked(image.path, target)):
            write_bytes(target, safe.data, sync=False)
        return self._named(planned, name)

    def _recalled(self, stem: str) -> SafePicture | None:
        with self._lock:
            if stem in self._recent:
                self._recent.move_to_end(stem)
            return self._recent.get(stem)

    def _remember(self, stem: str, safe: SafePicture) -> None:
        with self._lock:
            if stem not in self._recent:
                self._recent[stem] = safe
                self._recent_bytes += len(safe.data)
            while self._recent_bytes > _REMEMBERED:
                self._recent_bytes -= len(self._recent.popitem(last=False)[1].data)

    def _linked(self, path: str, target: Path) -> bool:
        """Link an original into the export; False where the file system cannot."""
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(self._store.find(path).resolve(), target)
        except FileExistsError:
            pass  # another thread was quicker, with the same content
        except OSError:
            return False
        return True

    def _untouched(self, planned: Planned) -> Placed | None:
        """An original that fits, named by its full path."""
        image = planned.image
        data = self._store.read(image.path, image.sha256)
        if safe_suffix(data, planned.size) is None:
            return None
        decode(data, on_white=True)
        return Placed(str(self._store.find(image.path).resolve()), planned.size, planned.original)

    def _named(self, planned: Planned, name: str) -> Placed:
        base = f"{self._final.as_posix()}/" if self._options.images == "absolute" else ""
        return Placed(f"{base}{FOLDER}/{name}", planned.size, planned.original)
