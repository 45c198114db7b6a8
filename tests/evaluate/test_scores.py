"""Scores are those of the challenge, to the last bit, and say how sure they are."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import sklearn.metrics as sklearn

from curate.dataset.predictions import Prediction, Predictions, read_predictions
from curate.evaluate import bootstrap
from curate.evaluate.calibration import calibration, expected_error
from curate.evaluate.evaluation import Options, evaluate
from curate.evaluate.gold import GoldRow, read_gold
from curate.evaluate.page import page
from curate.evaluate.private import redacted
from curate.evaluate.scores import confusion, scores
from curate.labels.registry import Registry
from curate.pipeline.source import InputOptions

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


def rows(labels: list[str], task: str = "dialogue_intent") -> list[GoldRow]:
    return [GoldRow(f"u{number}", f"s{number}", task, label, None) for number, label in enumerate(labels)]


def answers(*said: str | None, names: list[str] | None = None) -> Predictions:
    labels: list[str | None] = [None] * len(said)
    return Predictions(Path("pred"), [Prediction(one) for one in said], {"source_id": names} if names else {}, labels)


@pytest.mark.filterwarnings("ignore")
def test_scores_equal_scikit_learn_on_a_thousand_random_cases() -> None:
    """If this fails, a figure in a paper made with curate is not the metric that everybody else computes."""
    draw = random.Random(1)
    for _ in range(1000):
        labels = [chr(97 + number) for number in range(draw.randint(1, 12))]
        size = draw.randint(1, 60)
        gold = [draw.choice(labels) for _ in range(size)]
        given = [draw.choice([*labels, "X", "a "]) for _ in range(size)]
        weighted = {"average": "weighted", "zero_division": 0}
        expected = (
            sklearn.f1_score(gold, given, **weighted),
            sklearn.accuracy_score(gold, given),
            sklearn.precision_score(gold, given, **weighted),
            sklearn.recall_score(gold, given, **weighted),
        )
        found = scores(confusion(gold, given))
        assert (found.f1, found.accuracy, found.precision, found.recall) == expected
        macro = sklearn.f1_score(gold, given, average="macro", labels=sorted(set(gold)), zero_division=0)
        assert found.macro_f1 == pytest.approx(macro, abs=1e-12)


def test_the_example_of_the_metric_s_description() -> None:
    """If this fails, an answer outside the labels costs more than the row it stands in."""
    found = scores(confusion(list("aabb"), list("aXbb")))
    assert (round(found.f1, 6), found.accuracy, found.precision) == (0.833333, 0.75, 1.0)
    assert scores(confusion(["a"], ["a "])).f1 == 0


@pytest.mark.skipif(not SHARED.is_dir(), reason="the published demo rows are not beside this checkout")
def test_the_published_example_is_reproduced() -> None:
    """If this fails, our ranking metric is not the challenge's."""
    gold = read_gold(InputOptions(path=SHARED / "mire" / "demo_test.json"))
    found = evaluate(gold, read_predictions(SHARED / "fixtures" / "demo_pred.jsonl"), Options())
    expected = json.loads((SHARED / "fixtures" / "demo_metrics_expected.json").read_text("utf-8"))
    assert {name: value for name, value in found.overall.scores.as_dict().items() if name in expected} == expected


def test_rows_without_an_answer_are_wrong_and_told() -> None:
    """If this fails, leaving out hard rows raises the score."""
    found = evaluate(rows(list("aabb")), answers("a", "b", names=["s0", "s2"]), Options()).overall
    assert (found.answered, found.rows, found.scores.recall) == (2, 4, 0.5)
    assert found.confusion.pairs(5) == [("a", "(no answer)", 1), ("b", "(no answer)", 1)]


def test_the_macro_mean_is_over_the_registry_s_labels() -> None:
    """If this fails, one invented label halves the macro score."""
    registry = Registry.load("mire")
    found = evaluate(rows(["气泡", "气泡"]), answers("气泡", "胡说", names=["s0", "s1"]), Options(registry))
    assert found.overall.scores.macro_f1 == pytest.approx(2 / 3)


def test_tasks_are_scored_apart_and_groups_rolled_up() -> None:
    """If this fails, a good task hides a bad one, or a near miss inside a group looks like any miss."""
    gold = rows(["物流页面-物流列表页面"], "image_scene") + rows(["气泡"])
    gold[1] = GoldRow("u9", "s9", "dialogue_intent", "气泡", None)
    found = evaluate(gold, answers("物流页面-物流跟踪页面", "气泡", names=["s0", "s9"]), Options(Registry.load("mire")))
    by_name = {part.name: part for part in found.tasks}
    assert by_name["dialogue_intent"].scores.f1 == 1
    assert by_name["image_scene"].scores.f1 == 0
    coarse = by_name["image_scene"].coarse
    assert coarse is not None and coarse.f1 == 1


def test_answers_are_parsed_only_when_asked() -> None:
    """If this fails, a score that the challenge would give as 0 is told as 1."""
    predictions = answers("“气泡”。", names=["s0"])
    registry = Registry.load("mire")
    assert evaluate(rows(["气泡"]), predictions, Options(registry)).overall.scores.f1 == 0
    found = evaluate(rows(["气泡"]), predictions, Options(registry, parse=True))
    assert (found.overall.scores.f1, found.steps) == (1, {"stripped": 1})
    assert "answers parsed" in found.signature


def test_an_interval_covers_what_another_draw_would_give() -> None:
    """If this fails, a difference of two points on a hundred rows is told as certain."""
    draw = random.Random(4)
    gold = [draw.choice("abcd") for _ in range(400)]
    given = [label if draw.random() < 0.8 else draw.choice("abcd") for label in gold]
    drawn = bootstrap.weighted_f1_draws(gold, [given])[0]
    middle = bootstrap.interval(drawn)
    value = scores(confusion(gold, given)).f1
    assert middle.low < value < middle.high and 0.05 < middle.high - middle.low < 0.11
    again = bootstrap.weighted_f1_draws(gold, [given])[0]
    assert np.array_equal(drawn, again)


def test_two_systems_are_compared_on_the_same_rows() -> None:
    """If this fails, a system that is better on every row looks no better than chance."""
    gold = list("abcd") * 50
    better = [*gold[:190], *"x" * 10]
    worse = [*gold[:150], *"x" * 50]
    names = [f"s{number}" for number in range(200)]
    found = evaluate(rows(gold), answers(*better, names=names), Options(), answers(*worse, names=names))
    apart = found.comparison["overall"]
    assert apart.value > 0.1 and apart.low > 0 and 0 < apart.p < 0.01
    same = evaluate(rows(gold), answers(*better, names=names), Options(), answers(*better, names=names))
    assert same.comparison["overall"].p == 1


def test_confidence_is_held_against_what_is_right() -> None:
    """If this fails, a threshold for pseudo-labels is chosen by a table that is wrong."""
    sure = [0.0, 0.4, 0.6, 0.995, 0.999, 1.0, None]
    right = [False, False, True, True, True, False, True]
    bins = calibration(sure, right)
    assert [(one.low, one.rows, round(one.accuracy, 3)) for one in bins] == [
        (0.0, 2, 0.0),
        (0.5, 1, 1.0),
        (0.99, 3, 0.667),
    ]
    assert expected_error(bins) == pytest.approx((2 * 0.2 + 0.4 + 3 * (0.998 - 2 / 3)) / 6)
    assert expected_error([]) == 0


def test_rows_that_were_answered_wrongly_are_named_with_what_they_say() -> None:
    """A matrix counts mistakes; to mend them somebody has to read the rows."""
    gold = [
        replace(row, turns=({"role": "user", "text": f"第{place}行"},))
        for place, row in enumerate(rows(["a", "b", "c"]))
    ]
    found = evaluate(gold, answers("a", "c", None), Options(), answers("b", "b", "a"))

    assert found.wrong == 2
    assert [(one.source_id, one.label, one.answer, one.rival) for one in found.mistakes] == [
        ("s1", "b", "c", "right"), ("s2", "c", None, "wrong"),
    ]  # fmt: skip
    assert found.mistakes[0].turns == ({"role": "user", "text": "第1行"},)
    text = page(found, "pred")
    assert "第1行" in text and "第0行" not in text


def test_rows_that_were_answered_wrongly_are_redacted() -> None:
    """They are the only texts of the data on the page."""
    turns = ({"role": "user", "text": "打我电话13800138000吧"},)
    gold = [replace(row, turns=turns) for row in rows(["a", "b"])]
    found = evaluate(gold, answers("一个很长的回答", "a"), Options())

    shown = {mode: page(redacted(found, mode), "pred", mode=mode) for mode in ("default", "keys-only", "strict")}
    assert [mode for mode, text in shown.items() if "13800138000" in text or "一个很长的回答" in text] == []
    assert ["打我电话" in text for text in shown.values()] == [True, False, False]
    assert ["s0" in text for text in shown.values()] == [True, True, False]
