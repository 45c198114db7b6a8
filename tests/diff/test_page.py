"""The HTML of a diff: acceptance tests 12, 13 and 14 of the specification, as far as they are about HTML."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from diff_example import example
from payloads import LONG, PAYLOADS
from PIL import Image

from curate.diff.flow import CodeCount, RemovedBy
from curate.diff.page import MAX_BYTES, PageOptions, pages, render, write
from curate.diff.page_summary import summary
from curate.diff.report import Report
from curate.diff.tables import ColumnChange
from curate.report.shell import readable
from curate.report.words import Words

VOID = {"meta", "img", "br", "input", "rect", "path", "circle", "polygon", "link"}


class Shape(HTMLParser):
    """Elements of a page, and whether they are closed in order."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}"
            self.open.pop()

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def shape(html: str) -> Shape:
    """Read a page; fails where its elements are not closed in order."""
    found = Shape()
    found.feed(html)
    found.close()
    assert found.open == []
    return found


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A picture that does not shrink to nothing."""
    pixels = np.random.default_rng(0).integers(0, 256, (400, 300, 3), dtype=np.uint8)
    path = tmp_path / "noise.png"
    Image.fromarray(pixels).save(path)
    return path


def many(report: Report, rows: int) -> Report:
    """The report with that many changed rows to show."""
    one = report.samples.changed[0]
    changed = tuple(one.model_copy(update={"uid": f"u{number:06d}"}) for number in range(rows))
    counts = report.rows.model_copy(update={"changed": rows, "a": rows + 640, "b": rows + 734})
    return report.model_copy(update={"samples": report.samples.model_copy(update={"changed": changed}), "rows": counts})


@pytest.mark.parametrize("payload", PAYLOADS)
def test_12_payloads_are_text_and_the_page_is_well_formed(payload: str) -> None:
    """Acceptance 12. Somebody's chat message must not run in the browser of who reads the report."""
    plain, found = shape(render(example("harmless"))), shape(render(example(payload)))

    assert [tag for tag, _ in found.elements] == [tag for tag, _ in plain.elements]
    for tag, attributes in found.elements:
        assert not [name for name in attributes if name.startswith("on") or name == "style"], tag
        assert (attributes.get("href") or "#").startswith("#")
    policy = next(a["content"] or "" for tag, a in found.elements if a.get("http-equiv"))
    assert "default-src 'none'" in policy and "unsafe" not in policy


def test_12_a_megabyte_without_a_blank_does_not_fill_the_page() -> None:
    """Acceptance 12. One broken cell must not make a report that no browser opens."""
    assert len(render(example(LONG))) < 60 * len(LONG)
    assert len(render(example(LONG)).encode()) <= MAX_BYTES


@pytest.mark.parametrize("pictures", [False, True])
def test_13_ten_thousand_rows_stay_below_the_limit_and_say_what_is_missing(pictures: bool, picture: Path) -> None:
    """Acceptance 13. Reports of other tools grow to 80 MB, and browsers die of them."""
    report = many(example("差异", picture if pictures else None), 10_000)
    made = pages(report)

    assert len(made.html.encode()) <= MAX_BYTES
    assert any("rows beyond what a page of this size can hold" in one for one in made.left_out)
    assert all(sentence in "".join(shape(made.html).text) for sentence in made.left_out)
    assert "10,000" in made.html and made.html.count("<article") >= 100


def test_13_a_small_limit_takes_pictures_before_counts(picture: Path) -> None:
    """Acceptance 13. What goes first is what is missed least, and the page says so."""
    report = many(example("x", picture), 150)
    made = pages(report, PageOptions(max_bytes=1_500_000))

    assert len(made.html.encode()) <= 1_500_000
    assert [word for word in made.left_out if "for size" in word]
    assert pages(report, PageOptions(max_bytes=900_000)).html.count("data:image") == 0
    for html in (made.html, pages(report, PageOptions(max_bytes=900_000)).html):
        assert "790" in html and 'class="verdict' in html


def test_pictures_can_be_enlarged_where_there_is_room(picture: Path) -> None:
    """Small print cannot be judged at 240 pixels; a page with many rows has no room for more."""
    few, many_rows = many(example("x", picture), 5), many(example("x", picture), 30)

    assert 'class="detail"' in pages(few).html
    assert 'class="detail"' not in pages(many_rows).html
    assert 'class="detail"' in pages(many_rows, PageOptions(where="files")).html
    small = pages(few, PageOptions(max_bytes=len(pages(few).html) // 2 + 300_000))
    assert 'class="detail"' not in small.html or not small.left_out
    assert pages(few, PageOptions(max_bytes=500_000)).left_out[0] == "larger pictures, for size"


def test_13_in_folder_mode_pictures_and_more_pages_lie_beside(tmp_path: Path, picture: Path) -> None:
    """A report of 500 rows with pictures is read page by page."""
    report = many(example("x", picture), 500)
    made = write(report, tmp_path / "report.html", PageOptions(where="files"))
    folder = tmp_path / "report_files"

    assert sorted(path.name for path in folder.glob("*.html")) == ["rows-2.html", "rows-3.html"]
    assert len(list(folder.glob("*.webp"))) == 2  # one picture, small and larger
    for file in (tmp_path / "report.html", folder / "rows-2.html"):
        found = shape(file.read_text("utf-8"))
        for tag, attributes in found.elements:
            if tag == "img":
                assert (file.parent / str(attributes["src"])).is_file()
            if tag == "a" and not (attributes.get("href") or "#").startswith("#"):
                assert (file.parent / str(attributes["href"])).is_file()
    assert made.left_out == ["not shown: 119 rows added", "not shown: 25 rows gone"]
    assert (
        sum(file.read_text("utf-8").count("<article") for file in [tmp_path / "report.html", *folder.glob("*.html")])
        == 502
    )


_PROGRAM = """
import sys, hashlib
sys.path.insert(0, sys.argv[1])
from diff_example import example
from curate.diff.page import render
print(hashlib.sha256(render(example("a"), "zh").encode()).hexdigest())
"""


def test_14_the_same_report_gives_the_same_bytes() -> None:
    """Acceptance 14. A page that differs without a difference cannot be compared, cached or signed."""
    support = str(Path(__file__).parents[1] / "support")
    found = {
        subprocess.run(
            [sys.executable, "-c", _PROGRAM, support],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("0", "1")
    }
    found.add(hashlib.sha256(render(example("a"), "zh").encode()).hexdigest())

    assert len(found) == 1


def test_the_first_screen_says_how_many_rows_went_why_and_what_may_matter() -> None:
    """Who has never seen the tool reads three lines and knows."""
    html = render(example("source"))
    head = "".join(shape(html).text)

    assert "26 of 840 rows are gone (3.1 %)" in head
    assert "Why they went: " in head and "below_limit 25 (9 within 2 % of the limit)" in head
    assert "May matter: 3 rows with other digits" in head
    assert "Harmless: white space (120 rows)" in head


def test_a_report_in_chinese_has_no_english_of_ours() -> None:
    """Half of a page in another language is a page that is read half."""
    html = render(example("文"), "zh")

    assert '<html lang="zh-CN">' in html
    for word in ("rows are gone", "Why they went", "What stands out", "Distributions", "made by curate"):
        assert word not in html


def test_hidden_lines_are_blurred_and_redacted_reports_have_no_pictures(tmp_path: Path) -> None:
    """A phone number in a screenshot is as readable as one in a text."""
    picture = tmp_path / "page.png"
    pixels = np.full((100, 200, 3), 255, np.uint8)
    pixels[10:30, 10:110:2] = 0
    Image.fromarray(pixels).save(picture)
    report = example("x", picture)
    hidden = _with_hidden(report)

    assert pages(report).html != pages(hidden).html
    strict = report.model_copy(update={"safety": report.safety.model_copy(update={"redaction": "strict"})})
    assert "data:image" in pages(report).html
    assert "data:image" not in pages(strict).html


def _with_hidden(report: Report) -> Report:
    plain = report.plain()
    for row in plain["samples"]["changed"]:
        for pair in row["images"]:
            for side in ("before", "after"):
                for box in (pair[side] or {}).get("boxes", []):
                    box["hidden"] = True
    return Report.from_plain(plain)


def test_the_first_screen_names_reasons_by_stage() -> None:
    """`ingest: a 1; ingest: b 1; more 2` says the stage thrice, and not what the rest is."""
    gone = [("ingest", name, 3) for name in "abcd"] + [("ocr", "e", 2), ("filter", "f", 2), ("split", "g", 1)]
    removed = tuple(RemovedBy(stage=stage, action="failed", code=code, rows=rows) for stage, code, rows in gone)
    report = example("x").model_copy(update={"removed_by": removed})

    assert summary(report, Words("en")).why == [
        "ingest: a 3, b 3, c 3, d 3",
        "ocr: e 2",
        "filter: f 2",
        "1 other reason 1",
    ]
    assert summary(report, Words("zh")).why[-1] == "其他 1 种原因 1"


def test_labels_that_went_and_labels_that_changed_are_counted_together() -> None:
    """Two labels went and one became another: three rows, not two."""
    column = ColumnChange(
        path="label", compared_as="category", changed_rows=4, classes={"removed": 2, "value": 1, "added": 1}
    )

    assert "label (3 rows)" in summary(example("x").model_copy(update={"columns": (column,)}), Words("en")).damage


def test_a_chinese_page_has_no_english_sentence_of_ours() -> None:
    """Half a sentence in another language reads like an error."""
    codes = tuple(CodeCount(action="failed", code=code, rows=1) for code in "abcde")
    report = example("x")
    stages = (report.stages[0].model_copy(update={"codes": codes, "top_reason": "a 1 and 4 others"}),)
    text = " ".join(shape(render(report.model_copy(update={"stages": stages}), "zh")).text)

    assert "a 1、b 1、c 1；其他 2 种原因 2" in text
    assert "未显示：" in text
    assert [
        word for word in ("others", "not shown", "are not", "No rules") if word in text.split("use strict")[0]
    ] == []


def test_changed_pictures_are_named_in_words() -> None:
    """`images[*] (2 rows)` is a path; who reads the first screen wants to know what happened to the pictures."""
    column = ColumnChange(
        path="images[*]", compared_as="image", changed_rows=4, classes={"pixels": 2, "re_encoded": 1, "unchecked": 1}
    )
    boxes = ColumnChange(path="images[*].ocr.lines[*]", compared_as="boxes", changed_rows=3, classes={"removed": 3})
    told = summary(example("x").model_copy(update={"columns": (column, boxes)}), Words("en"))

    assert "pictures with other pixels (2 rows)" in told.damage
    assert "pictures that could not be compared (1 row)" in told.damage
    assert "text read in pictures (3 rows)" in told.damage
    assert "pictures that were only re-encoded (1 row)" in told.harmless
    assert not [one for one in (*told.damage, *told.harmless) if "[*]" in one]


@pytest.mark.parametrize("keys", [("role", "text"), ("from", "value"), ("role", "content")])
def test_a_turn_reads_as_role_and_text(keys: tuple[str, str]) -> None:
    """`{"from": "human", "value": …}` in a report for people is a dump."""
    assert readable({keys[0]: "human", keys[1]: "好的"}) == "human: 好的"
