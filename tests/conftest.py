"""One cache of readings for the whole session, so that the demo's pictures are read once and not in every test."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the cache of the person who runs the tests out of it."""
    before = os.environ.get("CURATE_CACHE")
    os.environ["CURATE_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    yield
    if before is None:
        del os.environ["CURATE_CACHE"]
    else:
        os.environ["CURATE_CACHE"] = before
