"""Lines read in pictures: what is certainly noise goes, prices and order states stay, the text follows its lines."""

from __future__ import annotations

from typing import Any

import pytest
from denoise_support import record, run, stage

from curate.records import Image, Line, Ocr

HEIGHT = 2000
Said = tuple[float, str, float]


def picture(*said: Said, path: str = "a.png", height: int | None = HEIGHT) -> Image:
    """A picture with lines: share of the height from the top, text, score."""
    lines = []
    for share, text, score in said:
        top = share * HEIGHT
        lines.append(Line(text, score, (0.0, top, 300.0, top, 300.0, top + 40, 0.0, top + 40)))
    return Image(path, width=1000, height=height, ocr=Ocr("fake", "\n".join(line.text for line in lines), tuple(lines)))


def texts(images: tuple[Image, ...], **options: Any) -> list[list[str]]:
    """The lines that are left in each picture; the joined text must say the same."""
    said = ["u: " + "<image>" * len(images) + "这个怎么弄啊"]
    row = run([record("r", said, images=images)], **options).rows.to_pylist()[0]
    left = [[line["text"] for line in image["ocr"]["lines"]] for image in row["images"]]
    assert [image["ocr"]["text"] for image in row["images"]] == ["\n".join(lines) for lines in left]
    return left


def test_the_status_bar_goes_and_the_page_stays() -> None:
    """A clock in every screenshot is learnt as if it meant something."""
    seen = picture(
        (0.0, "9:41", 0.9), (0.01, "中国移动 5G", 0.9), (0.01, "86%", 0.9), (0.05, "订单详情", 0.9), (0.5, "20:15", 0.9)
    )

    assert texts((seen,)) == [["订单详情", "20:15"]]


def test_without_a_height_nobody_knows_where_the_top_is() -> None:
    """A price at the top of a cut-out must not be taken for a battery."""
    assert texts((picture((0.0, "86%", 0.9), height=None),)) == [["86%"]]


def test_a_line_that_was_read_twice_at_one_place_stays_once() -> None:
    """Tiles overlap; the same price at two places is two prices."""
    seen = picture((0.3, "¥49.90", 0.9), (0.3, "¥49.90", 0.8), (0.7, "¥49.90", 0.9))

    assert texts((seen, picture((0.3, "¥49.90", 0.9)))) == [["¥49.90", "¥49.90"], ["¥49.90"]]


def test_chrome_goes_only_where_it_is_asked_for_and_only_at_the_edges() -> None:
    """On real screenshots a classifier gets worse without these lines, so nobody loses them unasked."""
    seen = picture(
        (0.06, "返回", 0.9), (0.5, "立即购买", 0.9), (0.95, "立即购买", 0.9), (0.95, "¥99", 0.9), (0.95, "待收货", 0.9)
    )

    assert texts((seen,)) == [["返回", "立即购买", "立即购买", "¥99", "待收货"]]
    assert texts((seen,), on=("ui-chrome",)) == [["立即购买", "¥99", "待收货"]]


def test_low_scores_go_only_where_it_is_asked_for_and_prices_stay() -> None:
    """A badly read price is still the best guess of the price."""
    seen = picture((0.2, "囗口吕", 0.2), (0.3, "¥49.90", 0.2), (0.4, "加厚款", 0.9))

    assert texts((seen,)) == [["囗口吕", "¥49.90", "加厚款"]]
    assert texts((seen,), on=("low-score",)) == [["¥49.90", "加厚款"]]
    assert texts((seen,), on=("low-score",), min_score=0.1) == [["囗口吕", "¥49.90", "加厚款"]]


def test_pictures_that_were_not_read_stay_unread() -> None:
    """Null means not read yet; an empty reading would never be read again."""
    images = (Image("a.png"), picture((0.0, "9:41", 0.9), path="b.png"), Image("c.png", ocr=Ocr("fake", "", ())))
    said = ["u: <image><image><image>这个怎么弄啊"]
    row = run([record("r", said, images=images)]).rows.to_pylist()[0]

    assert [image["ocr"] for image in row["images"]] == [
        None,
        {"engine": "fake", "text": "", "lines": []},
        {"engine": "fake", "text": "", "lines": []},
    ]


def test_a_line_without_a_polygon_lies_nowhere() -> None:
    """An engine that gives no place must not crash the row, nor lose its lines."""
    odd = Image("a.png", height=HEIGHT, ocr=Ocr("fake", "9:41\n9:41", (Line("9:41", 0.9, ()), Line("9:41", 0.9, ()))))

    assert texts((odd,)) == [["9:41", "9:41"]]


def test_a_text_that_was_joined_otherwise_is_joined_anew() -> None:
    """Text and lines must not tell two stories."""
    seen = picture((0.0, "9:41", 0.9), (0.3, "加厚", 0.9), (0.4, "保暖", 0.9))
    odd = Image(seen.path, height=HEIGHT, ocr=Ocr("fake", "9:41 加厚 保暖", seen.ocr.lines))  # type: ignore[union-attr]

    assert texts((odd,)) == [["加厚", "保暖"]]


def test_the_ledger_counts_lines() -> None:
    """`status-bar 33` must mean so many lines, not so many pictures."""
    images = (picture((0.0, "9:41", 0.9), (0.0, "5G", 0.9)), picture((0.0, "9:41", 0.9), path="b.png"))
    entries = run([record("r", ["u: <image><image>怎么弄啊这个"], images=images)], stage(levels=("ocr",))).ledger

    assert entries.select(["code", "value"]).to_pylist() == [{"code": "status-bar", "value": 3.0}]


@pytest.mark.parametrize("level", ["characters", "sentence", "word", "dialogue"])
def test_other_levels_leave_pictures_alone(level: str) -> None:
    """`--level` chooses, and nothing else happens."""
    assert texts((picture((0.0, "9:41", 0.9)),), levels=(level,)) == [["9:41"]]
