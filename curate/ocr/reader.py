"""Reads pictures for the stage: each distinct one once, through the cache, a few decoded at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from curate.dataset.decode import Picture, decode
from curate.dataset.pictures import PictureStore
from curate.errors import CurateError, RowError
from curate.ocr.cache import Reading, ReadingCache
from curate.ocr.claims import Claims
from curate.ocr.engine import Engine
from curate.records import Line

GROUP_PIXELS = 40_000_000
"""Pixels that are held decoded at one time; a single larger picture is read alone."""


@dataclass(frozen=True)
class Source:
    """Where a record says that a picture is."""

    path: str
    sha256: str | None = None


@dataclass
class _Group:
    """Pictures that are decoded and wait to be read, by content."""

    pictures: dict[str, Picture] = field(default_factory=dict)
    sources: dict[str, list[Source]] = field(default_factory=dict)
    pixels: int = 0

    def add(self, digest: str, source: Source, picture: Picture) -> None:
        self.pictures[digest] = picture
        self.sources[digest] = [source]
        self.pixels += picture.shape[0] * picture.shape[1]


class Reader:
    """Reads pictures with an engine.

    Args:
        engine: Reads decoded pictures.
        pictures: Gives their bytes.
        cache: Knows what was read before; None reads everything.
        max_pixels: A picture with more is not decoded.
        group: How many pictures the engine is given at a time.
    """

    def __init__(
        self, engine: Engine, pictures: PictureStore, cache: ReadingCache | None, max_pixels: int, group: int
    ) -> None:
        self._engine = engine
        self._signature = engine.signature()
        self._pictures = pictures
        self._cache = cache
        self._claims = Claims(cache.path.parent, self._signature) if cache else None
        self._max_pixels = max_pixels
        self._size = group
        self.read_count = 0
        """Pictures that the engine has read."""
        self.cached_count = 0
        """Pictures that the cache knew."""

    def read(self, sources: Sequence[Source]) -> Iterator[tuple[Source, Reading | RowError]]:
        """Give for each distinct source what was read in it or what is wrong with it, in any order.

        A file is opened even where the cache knows the picture: a missing or changed one is found on every run,
        not only on the first. A picture that another process is reading just now is looked up last.
        """
        try:
            yield from self._read(sources)
        finally:
            if self._claims:
                self._claims.release_all()  # an error must not leave others waiting

    def _read(self, sources: Sequence[Source]) -> Iterator[tuple[Source, Reading | RowError]]:
        group = _Group()
        done: dict[str, Reading | RowError] = {}
        elsewhere: list[Source] = []
        for source in dict.fromkeys(sources):
            try:
                data = self._pictures.read(source.path, source.sha256)
                digest = hashlib.sha256(data).hexdigest()
                if digest in group.pictures:
                    group.sources[digest].append(source)
                    continue
                known = done.get(digest) or self._known(digest)
                if known is None and self._claims and not self._claims.take(digest):
                    elsewhere.append(source)
                    continue
                known = known or self._finished_meanwhile(digest)
                if known is not None:
                    done[digest] = known
                    yield source, known
                    continue
                picture = self._decode(digest, data)
            except RowError as error:
                yield source, error
                continue
            if group.pictures and group.pixels + picture.shape[0] * picture.shape[1] > GROUP_PIXELS:
                yield from self._finish(group, done)
                group = _Group()
            group.add(digest, source, picture)
            if len(group.pictures) >= self._size:
                yield from self._finish(group, done)
                group = _Group()
        yield from self._finish(group, done)
        for source in elsewhere:
            yield from self._read_behind(source, done)

    def _read_behind(
        self, source: Source, done: dict[str, Reading | RowError]
    ) -> Iterator[tuple[Source, Reading | RowError]]:
        """Wait for the process that has claimed a picture; read it here where that one did not get to it."""
        try:
            data = self._pictures.read(source.path, source.sha256)
            digest = hashlib.sha256(data).hexdigest()
            if digest in done:
                yield source, done[digest]
                return
            assert self._claims is not None, "only with claims is anything read elsewhere"
            self._claims.wait(digest)
            known = self._finished_meanwhile(digest)
            if known is not None:
                done[digest] = known
                yield source, known
                return
            group = _Group()
            group.add(digest, source, self._decode(digest, data))
        except RowError as error:
            yield source, error
            return
        yield from self._finish(group, done)

    def _decode(self, digest: str, data: bytes) -> Picture:
        try:
            return decode(data, self._max_pixels)
        except RowError:
            self._release(digest)
            raise

    def _finished_meanwhile(self, digest: str) -> Reading | None:
        """What another process has read between a look into the cache and the claim; the claim is then given back."""
        try:
            known = self._known(digest)
        except RowError:
            self._release(digest)
            raise
        if known is not None:
            self._release(digest)
        return known

    def _release(self, digest: str) -> None:
        if self._claims:
            self._claims.release(digest)

    def _known(self, digest: str) -> Reading | None:
        reading = self._cache.get(digest, self._signature) if self._cache else None
        if reading is None:
            return None
        if reading.width * reading.height > self._max_pixels:
            raise RowError(
                "image_too_large", f"{reading.width} x {reading.height} pixels; the limit is {self._max_pixels}"
            )
        self.cached_count += 1
        return reading

    def _finish(
        self, group: _Group, done: dict[str, Reading | RowError]
    ) -> Iterator[tuple[Source, Reading | RowError]]:
        if not group.pictures:
            return
        results = self._run(group.pictures)
        self.read_count += len(results)
        done.update(results)
        if self._cache:
            good = [(digest, result) for digest, result in results.items() if isinstance(result, Reading)]
            self._cache.put(good, self._signature)
        for digest in results:
            self._release(digest)
        for digest, result in results.items():
            for source in group.sources[digest]:
                yield source, result

    def _run(self, pictures: dict[str, Picture]) -> dict[str, Reading | RowError]:
        """Read a group; where the engine fails on it, find the pictures to blame by reading them one by one."""
        try:
            lines = self._engine.read(list(pictures.values()))
        except (CurateError, MemoryError):
            raise
        except Exception as error:  # noqa: BLE001  the row boundary: an engine may raise anything
            if len(pictures) == 1:
                return {digest: RowError("ocr_failed", type(error).__name__) for digest in pictures}
            results: dict[str, Reading | RowError] = {}
            for digest, picture in pictures.items():
                results |= self._run({digest: picture})
            return results
        return {
            digest: Reading(picture.shape[1], picture.shape[0], tuple(_plain(line) for line in found))
            for (digest, picture), found in zip(pictures.items(), lines, strict=True)
        }


def _plain(line: Line) -> Line:
    """A line of plain numbers, so that what a plug-in gives is the same when it comes back from the cache."""
    return Line(str(line.text), round(float(line.score), 4), tuple(float(number) for number in line.polygon))
