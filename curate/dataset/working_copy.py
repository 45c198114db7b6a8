"""A folder of another place, worked on in a local copy: brought here before, and kept in step while it changes.

What stands there at any moment may be half of an old state and half of a new one, after a kill for example. That does
no harm: whoever reads a run checks its files by content, here as on a local disk.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal, NamedTuple

from curate.dataset.files import TEMPORARY, read_json, write_bytes
from curate.dataset.lease import LEASE
from curate.dataset.remote import Remote, copies_folder, fetched_file, short_hash
from curate.dataset.url import url_of
from curate.errors import CurateError, InputError

_THREADS = 8
"""Files that travel at once."""
_EVERY = 5.0
"""Seconds between looks for new files."""


Part = Literal["all", "records", "manifests"]
"""What is brought of a folder: of a run everything but pictures, of a folder of runs what each says of itself."""

_PARTS: dict[Part, Callable[[str], bool]] = {
    "all": lambda name: True,
    "records": lambda name: not name.startswith("images/"),
    "manifests": lambda name: name.endswith("/run.json") and name.count("/") == 1,
}


class _Known(NamedTuple):
    """A file that is the same here and there."""

    token: str
    size: int
    changed: int
    """Nanoseconds, of the local file."""


class WorkingCopy:
    """The local copy of a remote folder.

    Args:
        url: The folder.
        folder: Where the copy is; what is known of it stands in a file beside.

    Raises:
        UsageError: the package that knows such URLs is not installed.
    """

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder
        self._remote = Remote(url)
        self._memory = folder.with_name(f"{folder.name}.json")
        self._busy = threading.Lock()
        value = read_json(self._memory)
        known = value.get("files", {}) if isinstance(value, dict) and value.get("url") == url else {}
        self._known = {name: _Known(*entry) for name, entry in known.items()}

    def pull(self, part: Part = "all") -> None:
        """Bring here what changed there; what was made here and has not been sent yet stays.

        Raises:
            UsageError: the place cannot be reached.
        """
        with self._busy:
            self.folder.mkdir(parents=True, exist_ok=True)
            listed = self._remote.listing()
            there = {name: listed[name] for name in listed if name not in ("", LEASE) and _PARTS[part](name)}
            here = self._here()
            for name in [name for name in self._known if name not in there]:
                if here.get(name) == self._known.pop(name)[1:]:  # removed there, and not made anew here
                    (self.folder / name).unlink(missing_ok=True)
            wanted = [name for name, token in there.items() if not self._is_here(name, token, here)]
            self._travel(wanted, lambda name: self._get(name, there[name]))

    def push(self) -> None:
        """Send what changed here since the last time, and remove there what was removed here.

        Raises:
            UsageError: the place cannot be reached or written.
        """
        with self._busy:
            here = self._here()
            gone = [name for name in self._known if name not in here]
            changed = [name for name, stat in here.items() if self._known.get(name, ("",))[1:] != stat]
            self._travel(gone, self._drop)
            self._travel(sorted(changed, key=_last), lambda name: self._put(name, here[name]))

    def unsent(self) -> bool:
        """Whether anything here has not been sent yet."""
        here = self._here()
        return any(self._known.get(name, ("",))[1:] != stat for name, stat in here.items())

    @contextmanager
    def kept_in_step(self) -> Iterator[None]:
        """Send what changes while the block runs, and all of it at the end, however the block ends.

        Raises:
            UsageError: not everything could be sent; it is kept here, and sent the next time.
        """
        over = threading.Event()
        thread = threading.Thread(target=self._follow, args=(over,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
            self.push()

    def _follow(self, over: threading.Event) -> None:
        while not over.wait(_EVERY):
            with suppress(CurateError, OSError):  # the last push says so, if it still cannot be done by then
                self.push()

    def _is_here(self, name: str, token: str, here: dict[str, tuple[int, int]]) -> bool:
        known = self._known.get(name)
        return known is not None and known.token == token and name in here

    def _here(self) -> dict[str, tuple[int, int]]:
        """Size and time of change of all whole files, by relative path."""
        found: dict[str, tuple[int, int]] = {}
        for folder, folders, names in os.walk(self.folder):
            folders[:] = [name for name in folders if not name.startswith(TEMPORARY)]
            for name in names:
                if not name.startswith(TEMPORARY):
                    path = Path(folder) / name
                    with suppress(FileNotFoundError):
                        found[path.relative_to(self.folder).as_posix()] = _stat(path)
        return found

    def _get(self, name: str, token: str) -> None:
        with suppress(FileNotFoundError):  # removed since it was listed
            self._remote.get(name, self.folder / name)
            self._known[name] = _Known(token, *_stat(self.folder / name))

    def _put(self, name: str, stat: tuple[int, int]) -> None:
        with suppress(FileNotFoundError):  # replaced or removed since it was seen; the next time sends what is there
            self._known[name] = _Known(self._remote.put(self.folder / name, name), *stat)

    def _drop(self, name: str) -> None:
        self._remote.remove(name)
        del self._known[name]

    def _travel(self, names: Iterable[str], one: Callable[[str], None]) -> None:
        """Do something with many files at once; what was done is remembered, whatever happens."""
        wanted = list(names)
        if not wanted:
            return
        try:
            with ThreadPoolExecutor(_THREADS) as threads:
                for _ in threads.map(one, wanted):
                    pass
        finally:
            value = {"url": self.url, "files": dict(sorted(self._known.items()))}
            write_bytes(self._memory, json.dumps(value, ensure_ascii=False).encode(), sync=False)


def _stat(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns


def _last(name: str) -> int:
    """Files that say what others are go last."""
    return 1 if name.endswith(".json") and name.count("/") <= 2 else 0


def copy_to_work_in(path: Path) -> WorkingCopy | None:
    """The copy in which a run in another place is made; None for a path of this machine."""
    url = url_of(path)
    if url is None:
        return None
    copy = WorkingCopy(url, copies_folder() / "runs" / short_hash(url) / Path(url).name)
    _worked_in[copy.folder] = path
    return copy


_worked_in: dict[Path, Path] = {}
_read: dict[Path, Path] = {}
"""Copies that are worked in, or were brought here to be read, and what they are copies of."""


def at_hand(path: Path, part: Part = "all") -> Path:
    """Give a folder that can be read here: the path itself, or a copy that is brought here once in each process.

    Raises:
        UsageError: the place cannot be reached.
    """
    url = url_of(path)
    if url is None:
        return path
    copy = WorkingCopy(url, copies_folder() / "read" / short_hash(f"{url} {part}") / Path(url).name)
    if copy.folder not in _read:
        copy.pull(part)
        _read[copy.folder] = path
    return copy.folder


def brought(path: Path) -> Path:
    """Give what a path names as a path of this machine: a file, a folder, a run (without its pictures), or `RUN@STEP`.

    Raises:
        InputError: it names another place, and nothing is stored there.
        UsageError: the place cannot be reached.
    """
    url = url_of(path)
    if url is None:
        return path
    files = Remote(url).listing()
    if "" in files:
        return fetched_file(url)
    if files:
        runs = any(map(_PARTS["manifests"], files))
        return at_hand(path, "records" if "run.json" in files else "manifests" if runs else "all")
    if "@" in path.name:
        name, _, step = path.name.rpartition("@")
        run = brought(path.with_name(name))
        return run.with_name(f"{run.name}@{step}")
    raise InputError(f"{url}: there is no such file or folder")


def origin(path: Path) -> Path:
    """Where a folder came from, if it is a copy that `at_hand` gave; else the folder itself."""
    return _read.get(path, path)


def named(path: Path) -> str:
    """A path as the person knows it: the URL for what lies in a copy."""
    for folder, place in (*_worked_in.items(), *_read.items()):
        if path.is_relative_to(folder):
            path = place / path.relative_to(folder)
    return url_of(path) or str(path)
