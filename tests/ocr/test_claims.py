"""Two processes never read the same picture at the same time, and nobody waits for a dead one."""

from __future__ import annotations

import multiprocessing
import threading
import time
from pathlib import Path

import pytest
from cache_writers import hold_claim, sha

from curate.ocr.claims import Claims


@pytest.fixture
def claims(tmp_path: Path) -> Claims:
    return Claims(tmp_path, "engine")


def holder(folder: Path) -> multiprocessing.process.BaseProcess:
    """Start a process that holds the claim on picture 1, and wait until it does."""
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    process = context.Process(target=hold_claim, args=(str(folder), ready))
    process.start()
    assert ready.wait(30)
    return process


def test_a_claim_is_refused_until_its_holder_dies(tmp_path: Path, claims: Claims) -> None:
    """If this fails, a shared picture costs two inferences, or a killed worker blocks its picture for ever."""
    process = holder(tmp_path)
    assert not claims.take(sha(1))
    assert claims.take(sha(2))
    assert Claims(tmp_path, "another engine").take(sha(1))

    threading.Timer(0.3, process.kill).start()
    began = time.monotonic()
    claims.wait(sha(1))

    assert 0.2 < time.monotonic() - began < 20
    process.join()


def test_a_claim_that_was_given_back_can_be_taken(tmp_path: Path, claims: Claims) -> None:
    """If this fails, a picture that broke the engine in one worker is never tried by another."""
    for picture in (sha(1), sha(2)):
        assert claims.take(picture)
    claims.release_all()
    holder(tmp_path).kill()  # it could not have become ready without the claim


def test_without_a_lock_file_everything_may_be_read(tmp_path: Path) -> None:
    """If this fails, a cache folder that cannot be written stops OCR."""
    claims = Claims(tmp_path / "not there", "engine")
    assert claims.take(sha(1))
    claims.wait(sha(1))
    claims.release(sha(1))
    claims.close()
