"""An engine for tests, of curate and of what is built on it: reads what a side file says, needs no models.

Without a side file every picture reads as one line that follows from its pixels, so that pipelines can be tried out
on any pictures: the same picture always reads the same, another one differently.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import orjson

from curate.dataset.decode import Picture
from curate.errors import UsageError
from curate.ocr.engine import EngineSettings
from curate.records import Line

LINE_HEIGHT = 20.0


def picture_key(image: Picture) -> str:
    """Name a decoded picture by its content: 16 hexadecimal characters from its size and pixels."""
    height, width = image.shape[:2]
    return hashlib.sha256(f"{width}x{height}:".encode() + image.tobytes()).hexdigest()[:16]


class FakeEngine:
    """Reads pictures from a mapping of `picture_key` to lines; a picture that is not in it holds no text.

    Args:
        texts: Lines of each picture; None makes one line up for every picture.
    """

    def __init__(self, texts: Mapping[str, Sequence[str]] | None = None) -> None:
        self._texts = texts
        self.read_count = 0
        """How many pictures this engine has read so far: what a cache should save."""

    @classmethod
    def from_settings(cls, settings: EngineSettings) -> FakeEngine:
        """Make the engine from its side file, a JSON object of `picture_key` to a list of lines.

        Raises:
            UsageError: the side file is missing or is something else.
        """
        if settings.texts is None:
            return cls()
        try:
            found = orjson.loads(settings.texts.read_bytes())
        except (OSError, orjson.JSONDecodeError) as error:
            raise UsageError(f"the side file {settings.texts} of the fake engine cannot be read: {error}") from error
        if not isinstance(found, dict) or not all(isinstance(lines, list) for lines in found.values()):
            raise UsageError(f"the side file {settings.texts} must be a JSON object of picture key to list of lines")
        return cls(found)

    def read(self, images: Sequence[Picture]) -> list[list[Line]]:
        """Give each picture's lines, one below the other from its top left corner."""
        self.read_count += len(images)
        return [self._lines(image) for image in images]

    def signature(self) -> str:
        """Name the texts by their hash."""
        if self._texts is None:
            return "fake/1"
        return f"fake/1 {hashlib.sha256(orjson.dumps(self._texts, option=orjson.OPT_SORT_KEYS)).hexdigest()[:12]}"

    def close(self) -> None:
        """Nothing is held."""

    def _lines(self, image: Picture) -> list[Line]:
        key = picture_key(image)
        texts = [f"picture {key}"] if self._texts is None else self._texts.get(key, ())
        return [Line(text, 1.0, _polygon(number, image.shape[1])) for number, text in enumerate(texts)]


def _polygon(number: int, width: int) -> tuple[float, ...]:
    top, bottom, right = number * LINE_HEIGHT, (number + 1) * LINE_HEIGHT, float(width)
    return (0.0, top, right, top, right, bottom, 0.0, bottom)
