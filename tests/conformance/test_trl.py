"""The validator's verdict is TRL's own, and TRL and `datasets` read and train on what we export."""

from __future__ import annotations

from pathlib import Path

import pytest
from conformance import ask, faults
from conformance.exports import export, split_demo
from conformance.models import tiny_model

from curate.export.check import examine
from curate.export.check.finding import Settings

pytestmark = pytest.mark.conformance


def test_verdicts_on_our_faults_are_trls(tmp_path: Path) -> None:
    """TRL looks at nothing before the first step: a bad row ends a training that runs already."""
    folder = tmp_path / "data"
    answers = ask.trl(faults.write_trl(folder))
    report = examine(folder, "trl", Settings(tokenizer=tiny_model(real_ids=True)))
    wrong = []
    for file in report.files:
        answer = answers[file.name]
        real = ask.verdict(answer, file.rows)
        if real != file.verdict:
            wrong.append(f"{file.name}: real {real}, ours {file.verdict}: {answer}")
        elif real == "accepts" and (sum(answer["image_tokens"]), max(answer["tokens"])) != (
            file.image_tokens,
            file.longest,
        ):
            wrong.append(f"{file.name}: tokens: real {answer}, ours {file.image_tokens}, {file.longest}")

    assert wrong == []
    assert {"accepts", "crashes", "stops"} == {file.verdict for file in report.files}


def test_the_export_trains(tmp_path: Path) -> None:
    """`datasets` must see pictures, and the loss must be taken of the answer alone."""
    folder = tmp_path / "trl"
    left = export(split_demo(tmp_path / "run"), folder, "trl", template="mire", max_pixels=100_352)
    report = examine(folder, "trl", Settings(tokenizer=tiny_model(real_ids=True)))
    answer = ask.trl([folder / "train.parquet"], steps=3)["train.parquet"]
    file = next(file for file in report.files if file.name == "train.parquet")

    assert left == {}
    assert not report.errors
    assert "Image(" in answer["features"]
    assert (answer["rows"], len(answer["tokens"]), answer["crashes"]) == (file.rows, file.rows, {})
    assert (sum(answer["image_tokens"]), max(answer["tokens"])) == (file.image_tokens, file.longest)
    assert all(0 < labels < tokens / 4 for labels, tokens in zip(answer["label_tokens"], answer["tokens"], strict=True))
    assert len(answer["losses"]) == 3
