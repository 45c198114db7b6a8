"""Which process is reading which picture, so that two do not read the same one at the same time.

A claim is a lock on one byte of a file beside the cache. The system lets go of the locks of a process that dies, so
no claim outlives its holder.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

import xxhash

if sys.platform != "win32":
    import fcntl

NAME = "ocr.locks"
"""File name below the cache folder; its length stays 0, only places in it are locked."""


class Claims:
    """The claims of one process on pictures, which are named by their SHA-256.

    Claims only save work: where the file cannot be used, everybody gets every claim.

    Args:
        folder: Folder of the cache that the claims guard.
        engine: Signature of the engine; readings of other engines are other claims.
    """

    def __init__(self, folder: Path, engine: str) -> None:
        self._engine = engine
        self._held: set[str] = set()
        self._file: int | None = None
        if sys.platform != "win32":
            with suppress(OSError):
                self._file = os.open(folder / NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)

    def take(self, sha256: str) -> bool:
        """Claim a picture; False where another process has it."""
        return self._lock(sha256, wait=False)

    def wait(self, sha256: str) -> None:
        """Claim a picture as soon as nobody else has it. Hold no other claim meanwhile, or two may wait for ever."""
        self._lock(sha256, wait=True)

    def release(self, sha256: str) -> None:
        """Give a claim back; one that is not held is no error."""
        self._held.discard(sha256)
        if sys.platform != "win32" and self._file is not None:
            with suppress(OSError):
                fcntl.lockf(self._file, fcntl.LOCK_UN, 1, self._place(sha256))

    def release_all(self) -> None:
        """Give back whatever is still held."""
        for sha256 in list(self._held):
            self.release(sha256)

    def close(self) -> None:
        """Give all claims back and make no more."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
        self._held.clear()

    def _lock(self, sha256: str, *, wait: bool) -> bool:
        if sys.platform == "win32" or self._file is None:
            return True
        with suppress(OSError):  # a file system without locks gives every claim
            try:
                fcntl.lockf(self._file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB), 1, self._place(sha256))
            except (BlockingIOError, PermissionError):
                return False
        self._held.add(sha256)
        return True

    def _place(self, sha256: str) -> int:
        """A place in the file for a picture and this engine; two rarely meet, and then one waits for nothing."""
        return xxhash.xxh3_64_intdigest(f"{sha256} {self._engine}".encode()) >> 2
