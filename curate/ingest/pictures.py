"""Facts about picture files: where they are, what they hash to, and how large they are; nothing is decoded."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from PIL import Image, UnidentifiedImageError

from curate.dataset.pictures import MADE, MAX_PIXELS, confined
from curate.errors import RowError

_THREADS = 4
_REMEMBERED = 100_000
"""Pictures whose facts are kept in memory."""
_ORIENTATION = 0x0112
_TURNED = (5, 6, 7, 8)
"""EXIF orientations that swap width and height."""


class Facts(NamedTuple):
    """What is known of one picture; width and height in pixels after its EXIF rotation."""

    path: str
    """Relative to the image root."""
    sha256: str
    width: int
    height: int
    format: str


class PictureFacts:
    """Opens every picture file once and remembers what it found.

    Args:
        root: The image root.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._known: dict[str, Facts | RowError] = {}

    def look(self, paths: Iterable[str]) -> dict[str, Facts | RowError]:
        """Give the facts of pictures, or why there are none, by the path that the source wrote."""
        wanted = list(dict.fromkeys(paths))
        new = [path for path in wanted if path not in self._known]
        found = {path: self._known[path] for path in wanted if path in self._known}
        if new:
            found.update(zip(new, self._open_all(new), strict=True))
            if len(self._known) + len(new) > _REMEMBERED:
                self._known.clear()
            for path in new:
                facts = self._known[path] = found[path]
                if isinstance(facts, Facts):
                    self._known[facts.path] = facts
        return found

    def digest(self, paths: Sequence[str]) -> str:
        """Hash the contents of pictures in the order of `paths`; a missing one counts as such."""
        total = hashlib.blake2b(digest_size=16)
        found = self.look(path for path in paths if not path.startswith(MADE))
        for path in paths:
            facts = found.get(path)
            content = facts.sha256 if isinstance(facts, Facts) else facts.code if facts else "made"
            total.update(f"{path}\x00{content}\x01".encode("utf-8", "surrogatepass"))
        return total.hexdigest()

    def _open_all(self, paths: list[str]) -> list[Facts | RowError]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of damaged EXIF data and of sizes; our own limit is checked
            if len(paths) == 1:
                return [self._open(paths[0])]
            with ThreadPoolExecutor(_THREADS) as pool:
                return list(pool.map(self._open, paths))

    def _open(self, path: str) -> Facts | RowError:
        try:
            where, file = self._find(path)
            return Facts(where, *_read(file))
        except RowError as error:
            return error

    def _find(self, path: str) -> tuple[str, Path]:
        """Look below the root for the path as it is, then for its file name alone."""
        if path.startswith(("http://", "https://")):
            raise RowError("image_missing", "the path is a web address; save the picture under the image root first")
        try:
            path.encode("utf-8")
        except UnicodeEncodeError as error:
            raise RowError("not_utf8", "the name of the picture is not UTF-8") from error
        path = path.replace("\\", "/")
        pure = PurePosixPath(path)
        if pure.is_absolute() and ".." not in pure.parts and pure.is_relative_to(self.root.absolute().as_posix()):
            path = str(pure.relative_to(self.root.absolute().as_posix()))
        try:
            return path, confined(self.root, path)
        except RowError as error:
            if error.code != "image_missing" or not pure.name or pure.name == path:
                raise
            return pure.name, confined(self.root, pure.name)


def _read(file: Path) -> tuple[str, int, int, str]:
    try:
        with open(file, "rb") as stream:
            digest = hashlib.sha256()
            while chunk := stream.read(1 << 20):
                digest.update(chunk)
            stream.seek(0)
            with Image.open(stream) as picture:
                width, height = _size(picture)
                return digest.hexdigest(), width, height, picture.format or ""
    except RowError:
        raise
    except Image.DecompressionBombError as error:
        raise RowError("image_too_large", f"the limit is {MAX_PIXELS} pixels") from error
    except UnidentifiedImageError as error:
        raise RowError("image_unreadable", "not a picture of a known format") from error
    except Exception as error:  # the row boundary: a damaged header breaks Pillow in many ways
        raise RowError("image_unreadable", type(error).__name__) from error


def _size(picture: Image.Image) -> tuple[int, int]:
    """Width and height after EXIF rotation.

    Raises:
        RowError: image_too_large.
    """
    width, height = picture.size
    if width * height > MAX_PIXELS:
        raise RowError("image_too_large", f"{width} x {height} pixels, the limit is {MAX_PIXELS}")
    if picture.format == "TIFF":  # Pillow has applied the rotation to the size already
        return width, height
    try:
        # Not `picture.getexif()`: for a PNG it decodes the whole picture to look behind its pixels.
        orientation = Image.Image.getexif(picture).get(_ORIENTATION, 1)
    except Exception:  # noqa: BLE001  (damaged EXIF data fail in many ways, and the picture is good without)
        orientation = 1
    return (height, width) if orientation in _TURNED else (width, height)
