"""Cutting long pictures and putting together what was found in the pieces."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st

from curate.ocr.tiling import Box, Tile, merge, place, tiles

Bounds = tuple[float, float, float, float]


def quad(left: float, top: float, right: float, bottom: float) -> npt.NDArray[np.float32]:
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], dtype=np.float32)


def found(width: int, height: int, lines: list[Bounds], ratio: float = 2.5) -> list[Bounds]:
    """What a perfect detector sees of `lines` in each tile, merged."""
    pieces: list[list[Box]] = []
    for tile in tiles(width, height, ratio):
        seen = []
        for left, top, right, bottom in lines:
            cut = max(left, tile.left), max(top, tile.top), min(right, tile.right), min(bottom, tile.bottom)
            if cut[2] - cut[0] >= 4 and cut[3] - cut[1] >= 4:
                local = quad(cut[0] - tile.left, cut[1] - tile.top, cut[2] - tile.left, cut[3] - tile.top)
                seen.append(place(local, tile, width, height, 2.0))
        pieces.append(seen)
    return sorted(box.bounds for box in merge(pieces))


@given(st.integers(1, 30_000), st.integers(1, 30_000), st.floats(1.5, 10))
def test_tiles_cover_the_picture_and_overlap(width: int, height: int, ratio: float) -> None:
    """If this fails, a strip of a long screenshot is never looked at."""
    pieces = tiles(width, height, ratio)
    assert (pieces[0].left, pieces[0].top) == (0, 0)
    assert (pieces[-1].right, pieces[-1].bottom) == (width, height)
    for one, following in pairwise(pieces):
        assert following.top < one.bottom and following.left < one.right
        assert (following.top, following.left) > (one.top, one.left)


def test_a_usual_page_is_one_tile() -> None:
    """If this fails, phone screenshots cost twice the time."""
    assert tiles(1080, 2340, 2.5) == [Tile(0, 0, 1080, 2340)]


@given(st.integers(0, 7000), st.integers(20, 150), st.integers(0, 500), st.integers(60, 560))
def test_a_line_anywhere_on_a_tall_page_is_found_once_and_whole(top: int, height: int, left: int, width: int) -> None:
    """If this fails, lines at a seam are doubled or cut in half."""
    expected = (float(left), float(top), float(left + width), float(top + height))
    assert found(1080, 7647, [expected]) == [expected]


def test_a_line_higher_than_the_overlap_is_joined_from_both_tiles() -> None:
    """If this fails, a huge headline at a seam reads as two halves."""
    seam = tiles(1080, 7647, 2.5)[1].top
    expected = (100.0, float(seam - 60), 900.0, float(seam + 240))
    assert found(1080, 7647, [expected]) == [expected]


def test_a_line_across_the_seam_of_a_wide_picture_is_joined() -> None:
    """If this fails, a banner's line reads as two lines with letters lost at the seam."""
    seam = tiles(4000, 400, 2.5)[1].left
    expected = (float(seam - 500), 100.0, float(seam + 600), 150.0)
    assert found(4000, 400, [expected]) == [expected]


def test_close_lines_in_the_overlap_stay_apart() -> None:
    """If this fails, two lines of a paragraph at a seam become one unreadable box."""
    seam = tiles(1080, 7647, 2.5)[1].top
    lines = [(40.0, float(seam + 10 + 50 * n), 900.0, float(seam + 64 + 50 * n)) for n in range(3)]
    assert found(1080, 7647, lines) == lines
