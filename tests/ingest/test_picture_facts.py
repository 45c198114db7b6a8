"""What is found out about pictures without decoding them."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from unittest.mock import patch

import pytest
from PIL import Image

from curate.errors import RowError
from curate.ingest import pictures
from curate.ingest.pictures import Facts, PictureFacts


def save(path: Path, kind: str, orientation: int) -> bytes:
    """A picture of 6 by 4 stored pixels with an EXIF orientation."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    stream = io.BytesIO()
    Image.new("RGB", (6, 4)).save(stream, kind, exif=exif)
    path.write_bytes(stream.getvalue())
    return stream.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize(("orientation", "size"), [(1, (6, 4)), (3, (6, 4)), (6, (4, 6)), (8, (4, 6))])
def test_size_is_that_of_the_picture_as_people_see_it(
    tmp_path: Path, kind: str, orientation: int, size: tuple[int, int]
) -> None:
    """OCR polygons are pixels of the rotated picture; a swapped size puts them outside of it."""
    data = save(tmp_path / "a", kind, orientation)
    found = PictureFacts(tmp_path).look(["a"])["a"]
    assert found == Facts("a", hashlib.sha256(data).hexdigest(), *size, kind)


def test_a_picture_is_opened_once_in_a_run(tmp_path: Path) -> None:
    """Real dialogues send the same picture again and again."""
    save(tmp_path / "a", "PNG", 1)
    facts = PictureFacts(tmp_path)
    with patch.object(pictures, "_read", wraps=pictures._read) as read:
        facts.look(["a"])
        facts.digest(["a", "a"])
    assert read.call_count == 1


def test_the_digest_notices_changed_and_missing_pictures(tmp_path: Path) -> None:
    """A resumed run must read again what belongs to pictures that changed."""
    digests = [PictureFacts(tmp_path).digest(["a"])]
    for orientation in (1, 3):
        save(tmp_path / "a", "PNG", orientation)
        digests.append(PictureFacts(tmp_path).digest(["a"]))
    assert len(set(digests)) == 3


def test_a_link_out_of_the_root_is_refused(tmp_path: Path) -> None:
    """A dataset from the net must not make curate read private files."""
    save(tmp_path / "secret", "PNG", 1)
    root = tmp_path / "root"
    root.mkdir()
    (root / "a").symlink_to(tmp_path / "secret")
    found = PictureFacts(root).look(["a"])["a"]
    assert isinstance(found, RowError)
    assert found.code == "image_path_escapes"


def test_an_absolute_path_below_the_root_is_kept_relative(tmp_path: Path) -> None:
    """ms-swift files name absolute paths; the record must not, or the dataset cannot move."""
    save(tmp_path / "a", "PNG", 1)
    found = PictureFacts(tmp_path).look([str(tmp_path / "a")])[str(tmp_path / "a")]
    assert isinstance(found, Facts)
    assert found.path == "a"
