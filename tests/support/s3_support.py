"""A real S3 server on this machine, and buckets in it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest
import s3fs

_numbers = itertools.count()


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """Moto's server, in a thread; its address."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """URL of an empty bucket; credentials and endpoint are in the environment, as in a real shell."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server)
    s3fs.S3FileSystem.clear_instance_cache()
    name = f"bucket-{next(_numbers)}"
    s3fs.S3FileSystem().mkdir(name)
    return f"s3://{name}"


def names(url: str) -> list[str]:
    """Relative paths of all files below a URL, while others write there."""
    system, root = fsspec.core.url_to_fs(url)
    system.invalidate_cache()
    return [path[len(root) + 1 :] for path in system.find(root)]


def stored(url: str) -> dict[str, bytes]:
    """All files below a URL but `run.json`, which holds times."""
    system, root = fsspec.core.url_to_fs(url)
    system.invalidate_cache()
    found = system.find(root)
    return {path[len(root) + 1 :]: system.cat_file(path) for path in found if not path.endswith("/run.json")}


def upload(folder: Path, url: str) -> None:
    """Put a folder there."""
    system, root = fsspec.core.url_to_fs(url)
    for path in folder.rglob("*"):
        if path.is_file():
            system.put_file(str(path), f"{root}/{path.relative_to(folder).as_posix()}")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """Call it to be on another machine: with no cache, and with no copy of anything."""
    from curate.dataset import remote, working_copy

    numbers = itertools.count()

    def change() -> None:
        monkeypatch.setenv("CURATE_CACHE", str(tmp_path / f"machine-{next(numbers)}"))
        remote._folder.cache_clear()
        working_copy._read.clear()
        working_copy._worked_in.clear()

    change()
    yield change
    remote._folder.cache_clear()
    working_copy._read.clear()
    working_copy._worked_in.clear()
