"""Reading order and paragraphs, on rectangles alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from curate.ocr.order import Rect, arrange, reading_order, rect
from curate.records import Line

coordinate = st.integers(0, 2000)
rects = st.lists(
    st.tuples(coordinate, coordinate, st.integers(1, 600), st.integers(1, 120)).map(
        lambda box: Rect(float(box[0]), float(box[1]), float(box[0] + box[2]), float(box[1] + box[3]))
    ),
    max_size=40,
)


def line(text: str, left: float, top: float, right: float, bottom: float, score: float = 0.9) -> Line:
    return Line(text, score, (left, top, right, top, right, bottom, left, bottom))


def read(*lines: Line, join: str = "lines") -> list[str]:
    return [found.text for found in arrange(lines, join)]


@given(rects)
def test_every_line_is_read_once(boxes: list[Rect]) -> None:
    """If this fails, text disappears from a picture or stands in it twice."""
    assert sorted(reading_order(boxes)) == list(range(len(boxes)))


@given(rects, st.integers(-500, 500), st.integers(-500, 500), st.sampled_from([0.25, 0.5, 2.0, 4.0]))
def test_order_does_not_depend_on_place_or_size(boxes: list[Rect], dx: int, dy: int, scale: float) -> None:
    """If this fails, the same screenshot from another phone reads in another order."""
    moved = [Rect(*((value + (dx, dy)[axis % 2]) * scale for axis, value in enumerate(box))) for box in boxes]
    assert reading_order(moved) == reading_order(boxes)


@given(st.permutations(range(12)))
def test_order_does_not_depend_on_what_the_engine_gave_first(numbers: list[int]) -> None:
    """If this fails, two engines that find the same boxes give different texts."""
    grid = [
        Rect(10.0 + 300 * (n % 3), 10.0 + 90 * (n // 3), 110.0 + 300 * (n % 3), 50.0 + 90 * (n // 3)) for n in range(12)
    ]
    assert [numbers[place] for place in reading_order([grid[n] for n in numbers])] == list(range(12))


def test_a_table_is_read_row_by_row() -> None:
    """If this fails, labels and values of an order page fall apart."""
    rows = [("商品金额", "¥99"), ("运费", "¥0"), ("实付款", "¥99")]
    lines = [
        piece
        for n, (label, value) in enumerate(rows)
        for piece in (line(label, 40, 100 * n, 240, 100 * n + 50), line(value, 900, 100 * n + 2, 1000, 100 * n + 52))
    ]
    assert read(*reversed(lines)) == ["商品金额", "¥99", "运费", "¥0", "实付款", "¥99"]


def test_columns_of_running_text_are_read_one_after_the_other() -> None:
    """If this fails, a two-column page reads straight across both columns."""
    left = [line(f"左{n}", 40, 60 * n + 200, 500, 60 * n + 250) for n in range(4)]
    right = [line(f"右{n}", 560, 60 * n + 200, 1020, 60 * n + 250) for n in range(4)]
    title = line("标题", 40, 40, 1020, 110)
    assert read(*right, *left, title) == ["标题", "左0", "左1", "左2", "左3", "右0", "右1", "右2", "右3"]


def test_vertical_text_is_read_from_right_to_left() -> None:
    """If this fails, classical Chinese reads backwards."""
    columns = [line(text, left, 20, left + 60, 900) for text, left in (("三", 10), ("一", 310), ("二", 160))]
    assert read(*columns) == ["一", "二", "三"]


def test_lines_of_a_paragraph_are_joined() -> None:
    """If this fails, `join: paragraphs` leaves sentences in pieces."""
    first = line("退货请寄：浙江省杭州市余杭区文一西路", 40, 100, 900, 150, 1.0)
    second = line("969号", 40, 152, 200, 202, 0.5)
    other = line("另一段", 40, 400, 300, 450)
    joined = arrange([first, second, other], "paragraphs")
    assert [found.text for found in joined] == ["退货请寄：浙江省杭州市余杭区文一西路969号", "另一段"]
    assert tuple(rect(joined[0])) == (40, 100, 900, 202)
    assert 0.5 < joined[0].score < 1.0


def test_english_words_are_joined_with_a_blank() -> None:
    """If this fails, the last word of one line and the first of the next become one."""
    lines = line("the quick brown", 0, 0, 400, 40), line("fox", 0, 42, 80, 82)
    assert read(*lines, join="paragraphs") == ["the quick brown fox"]
