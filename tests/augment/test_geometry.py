"""What geometry proves of a picture's text without reading it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.augment import geometry
from curate.records import Line


def box(left: float, top: float, right: float, bottom: float) -> tuple[float, ...]:
    return (left, top, right, top, right, bottom, left, bottom)


LINES = [Line("一二三四五六七八九十", 1.0, box(100, 100, 300, 130)), Line("abcdefghij", 1.0, box(100, 200, 300, 230))]


def judged(move: np.ndarray, height: int = 400, width: int = 400, least: float = 0.95) -> geometry.Verdict:  # type: ignore[type-arg]
    before = geometry.quads_of(LINES)
    after = (before @ move[:, :2].T + move[:, 2]).astype(np.float32)
    return geometry.judge(LINES, before, after, height, width, least)


def turn(degrees: float) -> np.ndarray:  # type: ignore[type-arg]
    a = np.radians(degrees)
    c, s = np.cos(a), np.sin(a)
    return np.array([[c, -s, 200 - 200 * c + 200 * s], [s, c, 200 - 200 * s - 200 * c]])


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.floats(-2, 2), min_size=4, max_size=4).filter(lambda m: abs(m[0] * m[3] - m[1] * m[2]) > 0.05),
    st.tuples(st.floats(-500, 500), st.floats(-500, 500)),
)
def test_a_quad_is_mirrored_exactly_where_the_map_turns_it_over(
    matrix: list[float], shift: tuple[float, float]
) -> None:
    """A mirrored page that slips through teaches a model to read nothing: PP-OCR reads 8 % of it."""
    a, b, c, d = matrix
    quads = geometry.quads_of(LINES)
    after = (quads @ np.array([[a, b], [c, d]]).T + np.array(shift)).astype(np.float32)
    assert geometry.mirrored(quads, after) == (a * d - b * c < 0)


def test_a_line_that_is_cut_keeps_the_characters_that_are_whole() -> None:
    """Text that is not in the picture any more must not stand in the prompt."""
    verdict = judged(np.array([[1.0, 0, -150], [0, 1, 0]]), least=0)
    assert [line.text for line in verdict.lines] == ["四五六七八九十", "defghij"]
    assert verdict.lines[0].polygon == (0.0, 100.0, 150.0, 100.0, 150.0, 130.0, 0.0, 130.0)
    assert verdict.recall == pytest.approx(0.7)


def test_lost_characters_are_counted_against_the_least_share() -> None:
    """A crop that takes a tenth of the page is not the same sample any more."""
    assert judged(np.array([[1.0, 0, -150], [0, 1, 0]])).refused == "characters_lost"
    assert judged(np.array([[1.0, 0, -99], [0, 1, 0]])).refused is None


def test_a_line_that_runs_down_is_cut_from_its_top() -> None:
    """Vertical writing (signs, classical pages) has its first character at the top."""
    lines = [Line("甲乙丙丁", 1.0, box(100, 0, 120, 200))]
    before = geometry.quads_of(lines)
    verdict = geometry.judge(lines, before, before - np.float32([0, 100]), 400, 400, 0)
    assert [line.text for line in verdict.lines] == ["丙丁"]


@pytest.mark.parametrize(
    ("degrees", "refused"), [(0, None), (10, None), (-10, None), (30, "turned"), (90, "turned"), (180, "turned")]
)
def test_pages_turned_too_far_are_refused(degrees: float, refused: str | None) -> None:
    """At 90° a third of the characters is lost to reading."""
    assert judged(turn(degrees), least=0.5).refused == refused


def test_writing_that_became_too_small_is_refused() -> None:
    """Lines of nine pixels cannot be read."""
    assert judged(np.array([[0.3, 0, 0], [0, 0.3, 0]])).refused == "too_small"
    assert judged(np.array([[0.6, 0, 0], [0, 0.6, 0]])).refused is None


def test_a_page_without_difference_between_light_and_dark_is_refused() -> None:
    """With brightness and contrast both halved, a page reads as nothing at all."""
    page = np.full((80, 80, 3), 200, np.uint8)
    page[:, ::16] = 20
    assert geometry.too_dark(page, (page * 0.2).astype(np.uint8))
    assert not geometry.too_dark(page, (page * 0.7).astype(np.uint8))


def test_a_picture_without_lines_passes() -> None:
    """A photo of a shoe has no characters to lose."""
    none = np.zeros((0, 4, 2), np.float32)
    assert geometry.judge([], none, none, 10, 10, 0.95) == geometry.Verdict(1.0, ())
