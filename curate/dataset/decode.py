"""From a picture's bytes to upright RGB pixels, whatever a phone, a crawler or an adversary put into the file.

The number of pixels is looked at before any is decoded, only formats on a list are tried (Pillow would start
Ghostscript for an EPS file), and what goes wrong ends as a code of `curate.dataset.pictures.CODES`.
"""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import (
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageFile,
    ImageOps,
    JpegImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from curate.dataset import png
from curate.dataset.pictures import MAX_PIXELS
from curate.errors import RowError

Picture: TypeAlias = npt.NDArray[np.uint8]
"""An upright picture: height x width x 3, RGB."""

FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
"""Formats that are read (JPEG stands for MPO too). Pillow knows more; each one is one more for a bad file to break."""

_PLUGINS = (
    BmpImagePlugin,
    GifImagePlugin,
    JpegImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)
"""Imported for their registration: `Image.open` takes a format of the list above only once its plug-in is loaded."""

_WHITE, _BLACK = (255, 255, 255, 255), (0, 0, 0, 255)
_LIGHT = 200
"""Where all that can be seen of a transparent picture is at least this light, it was drawn for a dark ground."""
_SIXTEEN = ("I", "I;16", "I;16B", "I;16L", "I;16N")
_JPEG = b"\xff\xd8"


def decode(data: bytes, max_pixels: int = MAX_PIXELS, on_white: bool = False) -> Picture:
    """Decode a picture to height x width x 3, RGB, upright.

    Of an animation the first frame; transparency on white, or on black where only light colours would show.

    Args:
        data: A picture file.
        max_pixels: A picture with more is refused.
        on_white: Transparency on white in any case, as servers show it to a model.

    Raises:
        RowError: image_empty, image_unreadable, image_truncated or image_too_large.
    """
    if not data:
        raise RowError("image_empty")
    with warnings.catch_warnings():
        # Ours is the limit that counts; Pillow's warning about bombs would end on the person's screen.
        warnings.simplefilter("ignore")
        try:
            data = png.essential(data) if data.startswith(png.SIGNATURE) else data
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                _check_size(image, max_pixels)
                _load(image, data)
                return np.ascontiguousarray(_flat(_upright(image), on_white), dtype=np.uint8)
        except RowError:
            raise
        except Image.DecompressionBombError as error:
            raise RowError("image_too_large", "more pixels than any limit allows") from error
        except UnidentifiedImageError as error:
            raise RowError(*_unidentified(data)) from error
        except (
            OSError,
            EOFError,
            ValueError,
            SyntaxError,
            IndexError,
            KeyError,
            TypeError,
            struct.error,
            zlib.error,
        ) as error:
            raise RowError(*_broken(data, error)) from error
        except (MemoryError, OverflowError) as error:
            raise RowError("image_too_large", "does not fit into memory") from error


def _check_size(image: Image.Image, max_pixels: int) -> None:
    width, height = image.size
    if width < 1 or height < 1:
        raise RowError("image_unreadable", "a side of no pixels")
    if width * height > max_pixels:
        raise RowError("image_too_large", f"{width} x {height} pixels; the limit is {max_pixels}")


def _load(image: Image.Image, data: bytes) -> None:
    """Decode the pixels; a file that ends before its last pixel is an error, not a picture with a grey rest."""
    if image.format in ("JPEG", "MPO"):
        _check_progressive(image, data)
    if ImageFile.LOAD_TRUNCATED_IMAGES:
        raise RowError("image_unreadable", "another package told Pillow to accept truncated files")
    image.load()


def _check_progressive(image: Image.Image, data: bytes) -> None:
    """A progressive JPEG that was cut shows a whole, blurred picture; only its missing end gives it away."""
    if image.info.get("progressive") and b"\xff\xd9" not in data[-4096:]:
        raise RowError("image_truncated")


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except (OSError, ValueError, SyntaxError, KeyError, TypeError, struct.error):
        # EXIF that cannot be read says nothing about which side is up.
        return image


def _flat(image: Image.Image, on_white: bool) -> Any:
    """Turn any mode into RGB pixels: 16 bits scaled down, not clipped; no transparency left."""
    if image.mode in _SIXTEEN:
        return _from_deep(np.asarray(image))
    if image.mode == "F":
        return _from_deep(np.clip(np.asarray(image), 0, 65535))
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        ground = Image.new("RGBA", layer.size, _BLACK if not on_white and _drawn_for_dark(layer) else _WHITE)
        return Image.alpha_composite(ground, layer).convert("RGB")
    return image.convert("RGB")


def _drawn_for_dark(layer: Image.Image) -> bool:
    seen = np.asarray(layer.getchannel("A")) > 127
    return bool(seen.any() and not seen.all() and np.asarray(layer.convert("L"))[seen].min() >= _LIGHT)


def _from_deep(grey: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    high = np.clip(grey, 0, 65535).astype(np.float32)
    scaled = np.round(high / 257 if high.max(initial=0) > 255 else high).astype(np.uint8)
    return np.repeat(scaled[:, :, None], 3, axis=2)


def _unidentified(data: bytes) -> tuple[str, str]:
    """Tell a picture that ends within its header from a file that is none."""
    if data[4:8] == b"ftyp":  # the container of AVIF and HEIC
        return "image_unreadable", f"AVIF and HEIC are not read, only {', '.join(FORMATS)}; save it as one of these"
    begins = data.startswith((png.SIGNATURE[: len(data)], _JPEG[: len(data)]))
    return (
        ("image_truncated", "ends within its header")
        if begins
        else ("image_unreadable", "not a picture of a known format")
    )


def _broken(data: bytes, error: Exception) -> tuple[str, str]:
    text = str(error).lower()
    if isinstance(error, EOFError) or any(
        word in text for word in ("truncated", "end of file", "not enough", "unexpected end")
    ):
        return "image_truncated", ""
    return "image_unreadable", type(error).__name__
