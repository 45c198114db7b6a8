"""Answers become labels only where models agree and are sure, and gold stays gold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from curate.dataset.pictures import PictureStore
from curate.errors import UsageError
from curate.pipeline.batch import Batch
from curate.pipeline.outcome import Outcome
from curate.pipeline.stage import Context
from curate.records import Record, Turn, from_table, to_table
from curate.select.pseudo import PseudoOptions, PseudoStage

LITERALS = {"97": 97, "true": True, "-1": -1, "[1]": [1]}
LABELS = {"scene": ("退款", "支付", "物流")}


def record(number: int, label: str | None = None) -> Record:
    return Record(
        f"u{number}", f"s{number}", "scene", (Turn("user", "?"),), (), label, "gold" if label else None, raw="{}"
    )


def answers(path: Path, *rows: tuple[int, str | None, float | None]) -> Path:
    columns = list(zip(*[(f"u{number}", answer, sure) for number, answer, sure in rows], strict=True))
    names = ("uid", "predicted", "confidence")
    kinds = (pa.string(), pa.string(), pa.float64())
    pq.write_table(
        pa.table({name: pa.array(values, kind) for name, kind, values in zip(names, kinds, columns, strict=True)}), path
    )
    return path


def run(records: list[Record], *predictions: Path, **options: Any) -> Outcome:
    context = Context(PictureStore(None, Path()), labels=LABELS)
    stage = PseudoStage(PseudoOptions(predictions=predictions, **options), context)
    stage.open()
    surveys = [stage.survey(Batch(to_table([one]), "pseudo", stage.codes)) for one in records]
    stage.verdict = stage.decide(pa.concat_tables(surveys))
    batch = Batch(to_table(records), "pseudo", stage.codes, labels=LABELS)
    stage.process(batch)
    return batch.outcome()


def codes(outcome: Outcome) -> dict[str, str]:
    return {row["uid"]: row["code"] for row in outcome.ledger.to_pylist()}


def test_sure_answers_become_labels_and_the_rest_goes_with_a_reason(tmp_path: Path) -> None:
    """If this fails, guesses train the next model, or rows vanish without a word."""
    one = answers(tmp_path / "one.parquet", (0, "退款", 0.995), (1, "支付", 0.98), (2, None, None), (4, "胡说", 1.0))
    outcome = run([record(n) for n in range(5)], one)
    assert codes(outcome) == {
        "u0": "pseudo_labelled",
        "u1": "below_threshold",
        "u2": "no_prediction",
        "u3": "no_prediction",
        "u4": "label_not_allowed",
    }
    (kept,) = from_table(outcome.rows)
    assert (kept.label, kept.label_from, kept.confidence, kept.split) == ("退款", "pseudo", 0.995, "train")
    near = next(row for row in outcome.ledger.to_pylist() if row["uid"] == "u1")
    assert (near["metric"], near["value"], near["threshold"]) == ("confidence", 0.98, 0.99)


def test_gold_labels_are_never_touched(tmp_path: Path) -> None:
    """If this fails, a wrong guess replaces what a person decided."""
    one = answers(tmp_path / "one.parquet", (0, "支付", 1.0))
    gold = record(0, "退款")
    assert list(from_table(run([gold], one).rows)) == [gold]


def test_several_models_must_agree(tmp_path: Path) -> None:
    """If this fails, one model's error passes although the other knew better."""
    one = answers(tmp_path / "one.parquet", (0, "退款", 1.0), (1, "退款", 1.0), (2, "退款", 1.0))
    two = answers(tmp_path / "two.parquet", (0, "退款", 0.995), (1, "支付", 1.0), (2, None, None))
    records = [record(n) for n in range(3)]
    outcome = run(records, one, two)
    assert codes(outcome) == {"u0": "pseudo_labelled", "u1": "disagreement", "u2": "no_prediction"}
    assert next(from_table(outcome.rows)).confidence == 0.995
    assert codes(run(records, one, two, agree=1))["u2"] == "pseudo_labelled"


def test_a_label_has_a_threshold_and_a_cap_of_its_own(tmp_path: Path) -> None:
    """If this fails, common labels drown the rare ones in the next round."""
    one = answers(
        tmp_path / "one.parquet", *[(n, "退款", 0.9 + n / 100) for n in range(5)], (5, "支付", 0.6), (6, "物流", 0.6)
    )
    outcome = run([record(n) for n in range(7)], one, threshold=0.5, thresholds={"物流": 0.7, "scene": 0.55}, cap=2)
    assert {uid for uid, code in codes(outcome).items() if code == "pseudo_labelled"} == {"u3", "u4", "u5"}
    assert codes(outcome)["u6"] == "below_threshold" and codes(outcome)["u0"] == "over_cap"


def test_rows_without_a_label_may_stay(tmp_path: Path) -> None:
    """If this fails, `others: keep` loses the rows that the next round must answer."""
    one = answers(tmp_path / "one.parquet", (0, "退款", 0.1))
    outcome = run([record(0)], one, others="keep")
    assert list(from_table(outcome.rows)) == [record(0)] and codes(outcome) == {}


def test_answers_without_a_confidence_need_a_threshold_of_zero(tmp_path: Path) -> None:
    """If this fails, an unknown confidence counts as certainty."""
    one = answers(tmp_path / "one.parquet", (0, "退款", None))
    assert codes(run([record(0)], one)) == {"u0": "below_threshold"}
    assert codes(run([record(0)], one, threshold=0)) == {"u0": "pseudo_labelled"}


def test_a_confidence_that_a_csv_writes_as_text_counts(tmp_path: Path) -> None:
    """Every row of a spreadsheet was dropped as not sure enough."""
    path = tmp_path / "best.csv"
    path.write_text("uid,predicted,confidence\nu1,退款,0.995\nu2,支付,\nu3,物流,0.5,more\n", "utf-8")
    outcome = run([record(1), record(2), record(3)], path)
    assert outcome.rows["label"].to_pylist() == ["退款"]
    assert outcome.counts.codes["dropped"] == {"below_threshold": 2}


@pytest.mark.parametrize("value", ["97", "true", "sure", "-1", "nan", "[1]"])
def test_a_confidence_that_is_no_probability_is_told(tmp_path: Path, value: str) -> None:
    """Percents are all above 0.99: every wrong answer would become a label."""
    as_json = tmp_path / "p.jsonl"
    as_json.write_text(
        json.dumps({"uid": "u1", "predicted": "退款", "confidence": LITERALS.get(value, value)}), "utf-8"
    )
    as_csv = tmp_path / "p.csv"
    as_csv.write_text(f"uid,predicted,confidence\nu1,退款,{value}\n", "utf-8")
    for path in (as_json, as_csv):
        with pytest.raises(UsageError, match=f"{path.name}, prediction 1: a confidence is a number from 0 to 1"):
            run([record(1)], path)


def test_a_csv_with_an_endless_field_is_told(tmp_path: Path) -> None:
    """Python's reader has a limit of its own, which is the file's trouble and no bug."""
    path = tmp_path / "p.csv"
    path.write_text("uid,predicted\nu1," + "x" * 200_000 + "\n", "utf-8")
    with pytest.raises(UsageError, match="not valid CSV: field larger"):
        run([record(1)], path)


def test_the_ledger_names_the_model(tmp_path: Path) -> None:
    """If this fails, nobody can tell later which model a label comes from."""
    folder = tmp_path / "answers"
    folder.mkdir()
    answers(folder / "predictions.parquet", (0, "退款", 1.0))
    (folder / "infer.json").write_text('{"options": {"model": "mire-7b"}}')
    other = answers(tmp_path / "other.parquet", (0, "退款", 1.0))
    (row,) = run([record(0)], folder, other).ledger.to_pylist()
    assert row["detail"] == "answers (model mire-7b), other.parquet"


def test_tasks_that_are_not_named_are_left_alone(tmp_path: Path) -> None:
    """If this fails, the threshold for scenes labels dialogues, too."""
    one = answers(tmp_path / "one.parquet", (0, "退款", 1.0))
    outcome = run([record(0)], one, tasks=["intent"])
    assert list(from_table(outcome.rows)) == [record(0)] and codes(outcome) == {}
    assert codes(run([record(0)], one, tasks=["scene"])) == {"u0": "pseudo_labelled"}


def test_without_predictions_no_row_is_touched() -> None:
    """If this fails, the first round of a recipe loses the rows that its model is to be asked about."""
    outcome = run([record(0), record(1, "退款")])
    assert list(from_table(outcome.rows)) == [record(0), record(1, "退款")] and codes(outcome) == {}


def test_other_predictions_make_the_stage_run_again(tmp_path: Path) -> None:
    """If this fails, new answers change nothing, because the old result is taken for valid."""

    def environment(sure: float) -> object:
        path = answers(tmp_path / "one.parquet", (0, "退款", sure))
        return PseudoStage(PseudoOptions(predictions=(path,)), Context(PictureStore(None, Path()))).environment()

    assert environment(0.5) != environment(0.6)


def test_what_cannot_be_used_is_said(tmp_path: Path) -> None:
    """If this fails, a typing error ends in a stack trace or in an empty data set."""
    (tmp_path / "lines.jsonl").write_text('{"predict": "x"}')
    with pytest.raises(UsageError, match="does not say which row"):
        run([record(0)], tmp_path / "lines.jsonl")
    with pytest.raises(UsageError, match="cannot be read"):
        PseudoStage(
            PseudoOptions(predictions=(tmp_path / "gone.parquet",)), Context(PictureStore(None, Path()))
        ).environment()
    with pytest.raises(ValidationError, match="agree is 2, but there are 1 predictions"):
        PseudoOptions(predictions=(tmp_path,), agree=2)
