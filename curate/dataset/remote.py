"""Files of another place, `s3://bucket/folder` for example, named by a path like any other and reached through fsspec.

A `Path` made of a URL loses one slash (`s3:/bucket/folder`); everything else about it stays as it was, so such paths
are kept, joined and compared like local ones. Whoever opens one asks this module, or `working_copy`, for a local file.
"""

from __future__ import annotations

import errno
import functools
import hashlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import Any

from curate.dataset.files import TEMPORARY, write_error
from curate.errors import InputError, UsageError

_THIS_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.ENAMETOOLONG)
"""What no other place would say: the trouble is here."""


def cache_folder() -> Path | None:
    """Folder of caches that runs share: `CURATE_CACHE`, else the user's cache folder; `CURATE_CACHE=off` for none."""
    named = os.environ.get("CURATE_CACHE")
    if named == "off":
        return None
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "curate"


def copies_folder() -> Path:
    """Folder of local copies; without a cache one that goes with the process."""
    cache = cache_folder()
    return Path(_passing_folder().name) if cache is None else cache / "copies"


@functools.cache
def _passing_folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix=f"{TEMPORARY}curate-")


def short_hash(text: str) -> str:
    """16 hexadecimal characters that name a folder of copies."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


class Remote:
    """A folder (or one file) of another place.

    Args:
        url: Its URL, without a slash at the end.

    Raises:
        UsageError: the package that knows such URLs is not installed.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.system, self.root = _system(url)

    def listing(self) -> dict[str, str]:
        """Give all files below, by relative path, each with a token that changes when the file does.

        The file itself, where the URL names one, has the path `''`. Names that would lead out of a local copy, which S3
        takes like any other, are left out.

        Raises:
            UsageError: the place cannot be reached.
        """
        with reaching(self.url):
            self.system.invalidate_cache()
            try:
                found = self.system.find(self.root, detail=True)
            except FileNotFoundError:
                return {}
        below = PurePosixPath(self.root)
        names = {path: PurePosixPath(path) for path in found}
        return {
            "" if name == below else name.relative_to(below).as_posix(): _token(found[path])
            for path, name in names.items()
            if name == below or (name.is_relative_to(below) and ".." not in name.parts and "\0" not in path)
        }

    def token(self, relative: str) -> str:
        """What tells this version of a file from another.

        Raises:
            FileNotFoundError: there is none.
        """
        with reaching(self.url):
            return _token(self.system.info(self.path(relative)))

    def path(self, relative: str) -> str:
        """The file system's own path of a file."""
        return f"{self.root}/{relative}" if relative else str(self.root)

    def get(self, relative: str, target: Path) -> None:
        """Copy a file to this machine; it appears whole.

        Raises:
            FileNotFoundError: there is none.
            OutputError: it cannot be written here.
            UsageError: the place cannot be reached.
        """
        temporary = target.with_name(f"{TEMPORARY}{os.getpid()}-{short_hash(target.name)}")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with reaching(self.url):
                self.system.get_file(self.path(relative), str(temporary))
            os.replace(temporary, target)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise write_error(target, error) from error
        finally:
            temporary.unlink(missing_ok=True)

    def put(self, source: Path, relative: str) -> str:
        """Copy a file of this machine there, whole or not at all; give its token.

        Raises:
            FileNotFoundError: the local file has gone.
            UsageError: the place cannot be reached or written.
        """
        with reaching(self.url):
            self.system.put_file(str(source), self.path(relative))
            self.system.invalidate_cache(self.path(relative))
        return self.token(relative)

    def remove(self, relative: str) -> None:
        """Remove a file, if it is there."""
        with suppress(FileNotFoundError), reaching(self.url):  # gone already is what was wanted
            self.system.rm_file(self.path(relative))


def _system(url: str) -> tuple[Any, str]:
    """The file system of a URL, and its own path there."""
    try:
        import fsspec  # type: ignore[import-untyped]

        system, root = fsspec.core.url_to_fs(url)
    except ImportError as error:
        raise UsageError(
            f"{url} needs a package that is not installed ({error}); for s3:// install it with: "
            "pip install 'curate[s3]'"
        ) from error
    except ValueError as error:
        raise UsageError(f"{url} is no URL that files can be read from: {error}") from error
    return system, str(root).rstrip("/")


def _token(info: Mapping[str, Any]) -> str:
    """What tells one version of a file from another: the entity tag where there is one, else size and time."""
    mark = next((info[key] for key in ("ETag", "etag", "md5Hash", "mtime", "created") if info.get(key)), "")
    return f"{info['size']}-{str(mark).strip(chr(34))}"


@contextmanager
def reaching(url: str) -> Iterator[None]:
    """Say in one line that a place cannot be reached; files that are not there are the caller's business.

    Raises:
        UsageError: it cannot be reached, or not with these credentials.
    """
    try:
        yield
    except FileNotFoundError:
        raise
    except Exception as error:  # each file system has its own tree of errors, with no common root
        if isinstance(error, UsageError) or (isinstance(error, OSError) and error.errno in _THIS_DISK):
            raise
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise UsageError(
            f"cannot reach {url}: {reason} (credentials and endpoint come from the environment, as for every program "
            "that reads such URLs)"
        ) from error


@functools.cache
def _folder(url: str) -> tuple[Remote, dict[str, str]]:
    """A folder of pictures and what was in it when this process first asked."""
    remote = Remote(url)
    return remote, remote.listing()


def fetched(root: str, relative: str) -> Path:
    """Give a local copy of one file below a folder whose files do not change while they are worked with.

    A file that was copied before is not copied again, unless it is another one now.

    Raises:
        FileNotFoundError: there is none.
        UsageError: the place cannot be reached.
    """
    remote, files = _folder(root)
    token = files.get(relative) or files.setdefault(relative, remote.token(relative))
    local = copies_folder() / "files" / short_hash(root) / short_hash(token) / relative
    if not local.exists():
        remote.get(relative, local)
    return local


def is_there(root: str, relative: str) -> bool:
    """Whether there is such a file below a folder."""
    remote, files = _folder(root)
    if relative not in files:
        try:
            files[relative] = remote.token(relative)
        except FileNotFoundError:
            return False
    return True


def keep(root: str, relative: str, data: bytes) -> None:
    """Write a file whose name tells its content."""
    if not is_there(root, relative):
        remote, _ = _folder(root)
        with reaching(root):
            remote.system.pipe_file(remote.path(relative), data)


def fetched_file(url: str) -> Path:
    """Give a local copy of one file.

    Raises:
        InputError: there is no such file.
    """
    remote = Remote(url)
    token = remote.listing().get("")
    if token is None:
        raise InputError(f"there is no file {url}")
    local = copies_folder() / "files" / short_hash(url) / short_hash(token) / PurePosixPath(url).name
    if not local.exists():
        remote.get("", local)
    return local
