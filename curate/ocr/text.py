"""What a picture says, for stages that are not about reading: one that was just made must still be readable."""

from __future__ import annotations

import hashlib

from curate.dataset.decode import Picture
from curate.ocr.cache import Reading, ReadingCache
from curate.ocr.engine import EngineSettings, make_engine
from curate.ocr.order import arrange
from curate.pipeline.stage import Context
from curate.records import Line


class PictureText:
    """Reads single pictures with an engine, through the cache that the `ocr` stage uses too."""

    def __init__(self, context: Context, engine: str) -> None:
        self._engine = make_engine(engine, EngineSettings(threads=context.threads))
        self._cache = ReadingCache(context.cache) if context.cache else None
        self.signature = self._engine.signature()

    def read(self, data: bytes, picture: Picture) -> list[Line]:
        """Give the lines of a picture in reading order, polygons in its pixels."""
        digest = hashlib.sha256(data).hexdigest()
        known = self._cache.get(digest, self.signature) if self._cache else None
        if known is None:
            height, width = picture.shape[:2]
            known = Reading(width, height, tuple(self._engine.read([picture])[0]))
            if self._cache:
                self._cache.put([(digest, known)], self.signature)
        return list(arrange(known.lines, "lines"))


def text_reader(context: Context, engine: str) -> PictureText:
    """Make a reader; nothing heavy is loaded before the first picture that the cache does not know.

    Raises:
        UsageError: there is no such engine, or it cannot run here.
    """
    return PictureText(context, engine)
