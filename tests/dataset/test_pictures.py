"""Picture paths stay inside their root, whatever the source writes."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from curate.dataset.pictures import PictureStore, confined
from curate.errors import RowError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "images"
    (root / "sub").mkdir(parents=True)
    (root / "good.jpg").write_bytes(b"x")
    (root / "empty.jpg").touch()
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    (root / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    (root / "loop.jpg").symlink_to(root / "loop.jpg")
    os.mkfifo(root / "pipe.jpg")
    return root


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("../secret.jpg", "image_path_escapes"),
        ("sub/../../secret.jpg", "image_path_escapes"),
        ("/etc/passwd", "image_path_escapes"),
        ("..\\secret.jpg", "image_path_escapes"),
        ("C:\\secret.jpg", "image_path_escapes"),
        ("link.jpg", "image_path_escapes"),
        ("nul\0.jpg", "image_path_escapes"),
        ("missing.jpg", "image_missing"),
        ("good.jpg/more.jpg", "image_missing"),
        ("loop.jpg", "image_unreadable"),
        ("x" * 5000, "image_unreadable"),
        ("pipe.jpg", "image_not_a_file"),
        ("sub", "image_not_a_file"),
        ("", "image_not_a_file"),
        ("empty.jpg", "image_empty"),
    ],
)
def test_a_path_that_is_no_picture_of_ours_is_coded(root: Path, path: str, code: str) -> None:
    """A path like ../../.ssh/id_rsa must never be opened, nor a pipe that never ends."""
    with pytest.raises(RowError) as caught:
        confined(root, path)

    assert caught.value.code == code


def test_a_picture_that_changed_since_ingest_is_refused(root: Path) -> None:
    """Text read from another picture than the one in the record would be wrong without a word."""
    store = PictureStore(root, root / "made")
    digest = hashlib.sha256(b"x").hexdigest()
    assert store.read("good.jpg", digest) == b"x"
    (root / "good.jpg").write_bytes(b"y")

    with pytest.raises(RowError, match="image_changed"):
        store.read("good.jpg", digest)


def test_a_made_picture_is_kept_once_by_content(root: Path) -> None:
    """Augmentation writes the same picture for many records."""
    store = PictureStore(root, root.parent / "made")

    one, two = store.keep(b"pixels", ".webp"), store.keep(b"pixels", ".webp")

    assert one == two
    assert store.read(one[0], one[1]) == b"pixels"
    assert PictureStore(root, root.parent / "other", [root.parent / "made"]).read(*one) == b"pixels"
