"""Every write to disk goes through here, so that a reader sees a whole file or none."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

import xxhash

from curate.dataset.url import url_of
from curate.errors import OutputError

TEMPORARY = ".tmp-"
"""Prefix of files that are being written; `sweep` removes what a killed run left."""

_CHUNK = 1 << 20


@contextmanager
def atomic_write(path: Path, sync: bool = True) -> Iterator[BinaryIO]:
    """Open `path` for writing; the file appears under its name, whole, when the block ends well.

    Args:
        path: The file.
        sync: Whether it must be on the disk, power failure or not, before it appears. Files whose hash is
            checked before they are used again can do without.

    Raises:
        OutputError: the disk is full or the folder cannot be written.
    """
    if url_of(path):
        raise OutputError(f"{path} cannot be written: only runs are written in another place; name a local file")
    temporary = path.with_name(f"{TEMPORARY}{os.getpid()}-{threading.get_ident()}-{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(temporary, "wb") as stream:
            yield stream
            if sync:
                stream.flush()
                os.fsync(stream.fileno())
        os.replace(temporary, path)
    except OSError as error:
        with suppress(OSError):  # on a read-only disk it cannot be removed, nor is it there
            temporary.unlink(missing_ok=True)
        raise write_error(path, error) from error
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_error(path: Path, error: OSError) -> OutputError:
    """Say in one line why a file could not be written and what helps."""
    hints = {
        errno.ENOSPC: "the disk is full; free some space and run the same command again, it continues",
        errno.EDQUOT: "the quota is used up; free some space and run the same command again, it continues",
        errno.EROFS: "the file system is read-only; choose another place",
        errno.EACCES: "no permission to write there; choose another place",
        errno.EPERM: "no permission to write there; choose another place",
    }
    return OutputError(f"cannot write {path}: {hints.get(error.errno or 0, error.strerror or error)}")


def write_bytes(path: Path, data: bytes, sync: bool = True) -> None:
    """Write a whole file atomically; `sync` as for `atomic_write`."""
    with atomic_write(path, sync) as stream:
        stream.write(data)


def write_json(path: Path, value: Any) -> None:
    """Write JSON atomically: UTF-8, two blanks of indent, a newline at the end."""
    write_bytes(path, (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode("utf-8"))


def read_json(path: Path) -> Any | None:
    """Read a JSON file that curate wrote; None where there is none or it is damaged (then it is made again)."""
    try:
        return json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None


def content_hash(path: Path) -> str:
    """XXH3-128 of a file's bytes, 32 hexadecimal characters; guards against damage, not against an adversary."""
    digest = xxhash.xxh3_128()
    with open(path, "rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def digest(value: Any) -> str:
    """BLAKE2b-128 of a JSON value with sorted keys: 32 hexadecimal characters."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def sweep(folder: Path) -> int:
    """Remove temporary files and folders that a killed process left below `folder`; give their number."""
    leftovers = sorted(folder.rglob(f"{TEMPORARY}*")) if folder.is_dir() else []
    for path in leftovers:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return len(leftovers)
