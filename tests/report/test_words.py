"""The words of pages: both languages say the same things, and nothing is said that no page asks for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from curate.report.words import LANGUAGES, Words, fields, table

CODE = Path(__file__).parents[2] / "curate"
SOURCES = [
    path.read_text("utf-8")
    for path in sorted(CODE.rglob("*"))
    if path.suffix in (".j2", ".py") and path.parent.name in ("templates", "report", "diff", "evaluate")
]
USED = {key for text in SOURCES for key in re.findall(r"""\b(?:t|words)\(\s*["'](\w+)["']""", text)}
USED |= {key for text in SOURCES for key in re.findall(r"""["'](diff_\w+)["']""", text)}
USED |= {f"finding_{key}" for text in SOURCES for key in re.findall(r"""_said\(\s*["'](\w+)["']""", text)}
USED |= {"finding_leaks", "finding_leaks_more"}
GROUPS = (
    "status_",
    "action_",
    "class_",
    "state_",
    "filter_",
    "verdict_",
    "run_status_",
    "diff_turns_",
    "pictures_",
    "evaluation_rival_",
    "finding_drift_",
)
"""Keys that are made of a group and a name at run time."""


@pytest.mark.parametrize("key", sorted(table()))
def test_every_text_is_there_in_both_languages_with_the_same_values(key: str) -> None:
    """A value that one language forgets is a number that its readers never see."""
    texts = table()[key]

    assert set(texts) == set(LANGUAGES)
    assert fields(texts["en"]) == fields(texts["zh"])
    assert all(text and "{{" not in text for text in texts.values())


def test_every_word_that_a_page_asks_for_is_there_and_no_other() -> None:
    """A missing word ends the page; one that nobody uses gets stale."""
    assert sorted(USED - set(table())) == []
    unused = {key for key in set(table()) - USED if not key.startswith(GROUPS)}
    assert unused - {"before", "after", "picture"} == set()


def test_numbers_get_separators_and_the_word_that_fits() -> None:
    """1 rows and 12345 rows are both hard to read."""
    words = Words("en")

    assert words("diff_digits", rows=1) == "1 row with other digits"
    assert words("diff_digits", rows=12345) == "12,345 rows with other digits"
    assert Words("zh")("diff_digits", rows=12345) == "12,345 行数字改变"
    assert words.named("class", "width") == "full or half width"
    assert words.named("class", "no-such-class") == "no-such-class"
