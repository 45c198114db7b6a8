"""Scores, and the thresholds that are held against them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from augment_support import context, page, perform, screen
from PIL import Image as Pillow
from PIL import ImageFilter
from pydantic import ValidationError

from curate.errors import UsageError
from curate.pipeline.batch import Batch
from curate.pipeline.outcome import Outcome
from curate.records import Image, Line, Ocr, Record, Turn, from_table
from curate.select.filter import FilterOptions, FilterStage
from curate.select.quality import SCORES, QualityOptions, QualityStage, of_picture, of_reading, of_text


def scores(rows: list[Record], root: Path, **options: object) -> list[dict[str, float]]:
    outcome = perform(QualityStage(QualityOptions(**options), context(root)), rows)  # type: ignore[arg-type]
    return [dict(record.scores) for record in from_table(outcome.rows)]


def test_a_page_has_every_score(tmp_path: Path) -> None:
    """Names in recipes must be names that are written."""
    (found,) = scores([page(0, screen(tmp_path, "a.jpg"))], tmp_path)
    assert set(found) == set(SCORES)


def test_what_is_not_there_is_not_scored(tmp_path: Path) -> None:
    """A talk without pictures has no blur that a threshold could hold against it."""
    record = Record("u", "s", "chat", (Turn("user", "怎么用"),), scores=(("agreement", 0.5),), raw="{}")
    assert scores([record], tmp_path) == [{"agreement": 0.5, "text_han": 1.0, "text_length": 3.0, "text_repeat": 0.0}]


def test_blurred_blank_and_stretched_pictures_score_as_such(tmp_path: Path) -> None:
    """Else no threshold finds them."""
    screen(tmp_path, "a.jpg")
    with Pillow.open(tmp_path / "a.jpg") as sharp:
        first = of_picture(np.asarray(sharp))
        blurred = of_picture(np.asarray(sharp.filter(ImageFilter.GaussianBlur(4))))
    blank = of_picture(np.full((100, 900, 3), 250, np.uint8))
    assert blurred["image_blur"] < first["image_blur"] / 10
    assert (blank["image_contrast"], blank["image_blur"], blank["image_aspect"]) == (0.0, 0.0, 9.0)


def test_text_scores() -> None:
    """Length, Han share and repetition are counted as their names say."""
    assert of_text("abc哈哈哈哈哈") == {"text_length": 8.0, "text_han": 5 / 8, "text_repeat": 5 / 8}
    assert of_text("") == {"text_length": 0.0, "text_han": 0.0, "text_repeat": 0.0}


def test_reading_scores_weigh_by_characters_and_know_the_status_bar() -> None:
    """A screenshot that holds nothing but time and battery is no page."""
    lines = (
        Line("10:30", 0.5, (0, 5, 50, 5, 50, 20, 0, 20)),
        Line("付款成功一二三四五六七八九十一", 1.0, (0, 500, 50, 500, 50, 520, 0, 520)),
    )
    found = of_reading((Image("a", height=1000, ocr=Ocr("e", "", lines)),))
    assert found == {"ocr_characters": 20.0, "ocr_score": pytest.approx(0.875), "ocr_chrome": 0.25}


def test_a_bad_picture_costs_its_row(tmp_path: Path) -> None:
    """And only its row."""
    outcome = perform(
        QualityStage(QualityOptions(), context(tmp_path)),
        [page(0, Image("no.jpg")), page(1, screen(tmp_path, "a.jpg"))],
    )
    assert (outcome.counts.failed, outcome.counts.changed) == (1, 1)


def held(value: float | None, **options: object) -> Outcome:
    record = Record(
        "u", "s", "chat", (Turn("user", "x"),), scores=(("blur", value),) if value is not None else (), raw="{}"
    )
    return perform(FilterStage(FilterOptions(**options), context()), [record])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "options", "codes"),
    [
        (19.0, {"min": {"blur": 20}}, {"dropped": {"below_threshold": 1}}),
        (20.0, {"min": {"blur": 20}}, {"noted": {"near_threshold": 1}}),
        (22.0, {"min": {"blur": 20}}, {"noted": {"near_threshold": 1}}),
        (22.1, {"min": {"blur": 20}}, {}),
        (21.0, {"min": {"blur": 20}, "near": 0}, {}),
        (21.0, {"max": {"blur": 20}}, {"dropped": {"above_threshold": 1}}),
        (None, {"max": {"blur": 20}, "missing": "drop"}, {"dropped": {"score_missing": 1}}),
    ],
)
def test_thresholds(value: float | None, options: dict[str, object], codes: dict[str, dict[str, int]]) -> None:
    """What goes, what stays, and what just stayed: a person who tunes needs all three."""
    outcome = held(value, **options)
    assert outcome.counts.codes == codes
    for entry in outcome.ledger.to_pylist():
        assert entry["code"] == "score_missing" or (entry["metric"], entry["value"], entry["threshold"]) == (
            "blur",
            value,
            20.0,
        )


def scored(number: int, **scores: float) -> Record:
    return Record(f"u{number}", f"s{number}", "chat", (Turn("user", "x"),), scores=tuple(scores.items()), raw="{}")


def test_a_record_without_the_score_stays_beside_those_that_have_it() -> None:
    """Dialogues without pictures have no sharpness, and are not blurred either."""
    rows = [scored(0, blur=30), scored(1)]
    outcome = perform(FilterStage(FilterOptions(min={"blur": 20}), context()), rows, shard=1)
    assert outcome.rows["uid"].to_pylist() == ["u0", "u1"]


@pytest.mark.parametrize(
    ("there", "said"), [({}, "there are none yet"), ({"image_blur": 3.0}, "there are: image_blur")]
)
def test_a_threshold_on_a_score_that_no_record_has_is_told(there: dict[str, float], said: str) -> None:
    """A misspelt score would let everything pass, and the data would be believed to be filtered."""
    stage = FilterStage(FilterOptions(min={"image_blurr": 20}), context())
    with pytest.raises(UsageError, match=f"no record has the score 'image_blurr'; {said}"):
        perform(stage, [scored(0, **there)])


def test_nothing_at_all_may_be_filtered() -> None:
    """A step that let no row through is no reason to stop a run."""
    outcome = perform(FilterStage(FilterOptions(min={"image_blur": 20}), context()), [scored(0, image_blur=3.0)])
    stage = FilterStage(FilterOptions(min={"image_blur": 20}), context())
    empty = Batch(outcome.rows, "filter", stage.codes)
    assert stage.decide(stage.survey(empty)).num_rows == 0


def test_no_threshold_is_no_number() -> None:
    """NaN is neither above nor below anything: every record would pass."""
    with pytest.raises(ValidationError, match="finite"):
        FilterOptions(min={"blur": float("nan")})


def test_a_filter_without_thresholds_is_refused() -> None:
    """It would drop nothing and look as if it had worked."""
    for options in ({}, {"min": {"a": 2}, "max": {"a": 1}}):
        with pytest.raises(ValueError, match=r"threshold|no record can pass"):
            FilterOptions(**options)  # type: ignore[arg-type]
