"""The picture files that rows name: is there one, can it be decoded, and do trainer and server see the same in it."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from curate.dataset.decode import FORMATS
from curate.dataset.vision import MAX_ASPECT, PATCH, Bounds, Size
from curate.export.check.finding import Settings

_READABLE = (*FORMATS, "AVIF", "ICO", "JPEG2000", "PCX", "TGA")
"""What is tried: the formats of `decode` and what else trainers may meet; never one that starts another program."""

_BROKEN = (OSError, EOFError, ValueError, SyntaxError, IndexError, KeyError, TypeError, struct.error, zlib.error)
_ORIENTATION = 0x0112
_NOTHING = Size(0, 0)


@dataclass(frozen=True)
class Probe:
    """What there is to know of a picture."""

    code: str = ""
    """Why it cannot be used: image_missing, image_empty, image_truncated, image_unreadable, image_too_large."""
    message: str = ""
    size: Size = _NOTHING
    mode: str = "RGB"
    turned: bool = False
    """Whether EXIF says that it is to be turned."""
    transparent: bool = False
    outside: bool = False
    """Whether its path is absolute or leads out of the folder."""

    def unsafe(self, bounds: Bounds) -> list[str]:
        """What trainer and server see differently."""
        found = []
        size = self.size
        if self.turned:
            found.append("EXIF turns it, which trainers ignore and servers obey")
        if self.transparent:
            found.append("transparent, which is black to trainers and white to servers")
        elif self.mode not in ("RGB", "L", "1"):
            found.append(f"mode {self.mode}, not 8-bit RGB")
        if size.width % PATCH or size.height % PATCH:
            found.append(f"{size} pixels, sides are no multiples of {PATCH}")
        if not bounds.min_pixels <= size.width * size.height <= bounds.max_pixels:
            area = size.width * size.height
            found.append(f"{area:,} pixels, outside {bounds.min_pixels:,} to {bounds.max_pixels:,}")
        return found

    @property
    def too_long(self) -> bool:
        """Whether Qwen2-VL's processor refuses it for its shape."""
        short, long = sorted((self.size.width, self.size.height))
        return long > MAX_ASPECT * short


class PictureFiles:
    """Looks at pictures, at each file once.

    Args:
        folder: What relative paths are relative to.
        settings: Whether pictures are decoded, and where the folder will be.
    """

    def __init__(self, folder: Path, settings: Settings) -> None:
        self._folder = folder
        self._root = folder.resolve()
        self._settings = settings
        self._seen: dict[Path, Probe] = {}

    def look(self, picture: Any) -> Probe:
        """Look at a picture as a row names it: a path, or a mapping of `bytes` and `path`."""
        if isinstance(picture, dict):
            if isinstance(picture.get("bytes"), bytes):
                return self._open(picture["bytes"])
            picture = picture.get("path")
        if not isinstance(picture, str) or not picture or "\0" in picture:
            return Probe("image_missing", f"{picture!r} is not the path of a picture")
        path = self._place(picture)
        if path not in self._seen:
            self._seen[path] = self._examine(path, picture)
        return self._seen[path]

    def _place(self, picture: str) -> Path:
        path = Path(picture)
        final = self._settings.final
        if final is not None and path.is_relative_to(final):
            path = path.relative_to(final)
        return self._folder / path

    def _examine(self, path: Path, picture: str) -> Probe:
        try:
            if not path.is_file():
                return Probe("image_missing", f"there is no file {picture}")
            outside = Path(picture).is_absolute() or not path.resolve().is_relative_to(self._root)
            if path.stat().st_size == 0:
                return Probe("image_empty", f"{picture} has no bytes")
            return self._open(path, picture, outside and self._settings.final is None)
        except OSError as error:
            return Probe("image_unreadable", f"{picture}: {error.strerror or error}")

    def _open(self, source: Path | bytes, name: str = "an embedded picture", outside: bool = False) -> Probe:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                stream = io.BytesIO(source) if isinstance(source, bytes) else source
                with Image.open(stream, formats=_READABLE) as image:
                    probe = Probe(
                        size=Size(*image.size),
                        mode=image.mode,
                        turned=image.getexif().get(_ORIENTATION, 1) not in (0, 1),
                        transparent=image.has_transparency_data,
                        outside=outside,
                    )
                    if self._settings.decode:
                        image.load()
                    return probe
            except Image.DecompressionBombError as error:
                return Probe("image_too_large", f"{name}: {error}")
            except _BROKEN as error:
                cut = any(word in str(error).lower() for word in ("truncated", "not enough", "end of file"))
                return Probe("image_truncated" if cut else "image_unreadable", f"{name}: {error}")
