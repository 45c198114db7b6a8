"""Where pictures are: originals below one image root, and files that stages made, kept by content.

A path of a record that starts with `MADE` is a file that a stage made (`made:ab/abcdef….webp`, below the
`images` folder of the run). Every other path is relative to the image root of the source.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Sequence, Set
from pathlib import Path, PurePosixPath

import pyarrow as pa
import pyarrow.compute as pc

from curate.dataset import remote
from curate.dataset.files import write_bytes
from curate.dataset.url import url_of
from curate.errors import RowError

MADE = "made:"
MAX_PIXELS = 120_000_000
"""A picture with more pixels than this is refused unless an option says otherwise."""

CODES = {
    "image_missing": "The picture file does not exist under the image root.",
    "image_path_escapes": "The picture's path is absolute or leads out of the image root (.. or a symbolic link).",
    "image_not_a_file": "The picture's path is a folder, a pipe or a device.",
    "image_empty": "The picture file has no bytes.",
    "image_unreadable": "The file is not a picture of a known format, or cannot be read.",
    "image_truncated": "The picture file ends too early.",
    "image_too_large": "The picture has more pixels than the limit allows.",
    "image_changed": "The picture's bytes are not those that were ingested.",
}
"""Ledger codes that any stage which opens pictures may use."""


class PictureStore:
    """Finds the file of a picture, and keeps pictures that stages make.

    Args:
        root: The image root of the source; None where the source has no pictures.
        made: Folder for pictures that stages make.
        inherited: Folders of earlier runs whose pictures the records still name.

    Each of them may be in another place (`s3:/bucket/images`, see `remote`); then files come here when they are needed.
    """

    def __init__(self, root: Path | None, made: Path, inherited: Sequence[Path] = ()) -> None:
        self.root = root
        self.made = made
        self.inherited = tuple(inherited)

    def find(self, path: str) -> Path:
        """Give the file of a record's picture.

        Raises:
            RowError: image_missing, image_path_escapes, image_not_a_file or image_empty.
        """
        if path.startswith(MADE):
            name = path[len(MADE) :]
            return confined(next((one for one in self.inherited if _is_there(one, name)), self.made), name)
        if self.root is None:
            raise RowError(
                "image_missing", "no image root was given (input.images, --images, or --image-root of export)"
            )
        return confined(self.root, path)

    def read(self, path: str, sha256: str | None = None) -> bytes:
        """Read a picture's bytes; where `sha256` is given they must still be those that were ingested.

        Raises:
            RowError: as `find`, image_unreadable, or image_changed.
        """
        file = self.find(path)
        try:
            data = file.read_bytes()
        except OSError as error:
            raise RowError("image_unreadable", error.strerror or "cannot be read") from error
        if sha256 is not None and hashlib.sha256(data).hexdigest() != sha256:
            raise RowError("image_changed")
        return data

    def lost(self, paths: Iterable[str]) -> str | None:
        """The first of some pictures that stages made which is not there any more, or damaged; None where all are."""
        for path in sorted(paths):
            name = path[len(MADE) :]
            digest = PurePosixPath(name).stem
            if not any(_holds(folder, name, digest) for folder in (self.made, *self.inherited)):
                return name
        return None

    def prune(self, wanted: Set[str]) -> int:
        """Remove the made pictures of this run that `wanted`, paths of records, does not name; give their number."""
        names = {path[len(MADE) :] for path in wanted}
        strays = [path for path in self.made.glob("??/*") if path.relative_to(self.made).as_posix() not in names]
        for path in strays:
            path.unlink(missing_ok=True)
        return len(strays)

    def keep(self, data: bytes, suffix: str) -> tuple[str, str]:
        """Store a picture that a stage made; give its path for the record and its SHA-256."""
        digest = hashlib.sha256(data).hexdigest()
        name = f"{digest[:2]}/{digest}{suffix}"
        if url := url_of(self.made):
            remote.keep(url, name, data)
        elif not holds(self.made / name, digest):
            write_bytes(self.made / name, data, sync=False)  # its name tells whether it is whole: see `holds`
        return MADE + name, digest


def made_paths(rows: pa.Table) -> set[str]:
    """Paths of all pictures in the records of a table that a stage made."""
    if not rows.num_rows:
        return set()
    paths = pc.list_flatten(rows["images"].combine_chunks()).field("path")
    return set(paths.filter(pc.fill_null(pc.starts_with(paths, MADE), False)).to_pylist())


def holds(file: Path, digest: str) -> bool:
    """Whether a file is there with the content that this SHA-256 names."""
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest() == digest
    except OSError:
        return False


def _is_there(folder: Path, name: str) -> bool:
    url = url_of(folder)
    return remote.is_there(url, name) if url else (folder / name).exists()


def _holds(folder: Path, name: str, digest: str) -> bool:
    url = url_of(folder)
    if url is None:
        return holds(folder / name, digest)
    return remote.is_there(url, name) and holds(remote.fetched(url, name), digest)


def confined(root: Path, path: str) -> Path:
    """Resolve `path` below `root` and make sure that it is a regular file with content, inside it.

    Raises:
        RowError: image_missing, image_path_escapes, image_not_a_file or image_empty.
        UsageError: the root is in another place that cannot be reached.
    """
    pure = PurePosixPath(path.replace("\\", "/"))
    if pure.is_absolute() or ".." in pure.parts or "\0" in path or (len(path) > 1 and path[1] == ":"):
        raise RowError("image_path_escapes")
    if url := url_of(root):
        return _from_afar(url, pure.as_posix())
    file = root / pure
    try:
        real = file.resolve(strict=True)
        info = os.stat(real)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise RowError("image_missing") from error
    except (OSError, RuntimeError, ValueError) as error:
        raise RowError(
            "image_unreadable", "the path cannot be followed (a loop of links, or a name too long)"
        ) from error
    if not real.is_relative_to(root.resolve()):
        raise RowError("image_path_escapes")
    if not stat.S_ISREG(info.st_mode):
        raise RowError("image_not_a_file")
    if info.st_size == 0:
        raise RowError("image_empty")
    return file


def _from_afar(url: str, name: str) -> Path:
    try:
        file = remote.fetched(url, name)
    except FileNotFoundError as error:
        raise RowError("image_missing") from error
    if file.stat().st_size == 0:
        raise RowError("image_empty")
    return file
