"""The validator's verdict is LLaMA-Factory's own, in both directions, on files with every fault that we know."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conformance import ask, faults
from conformance.models import tiny_model

from curate.dataset.vision import Bounds
from curate.export.check import examine
from curate.export.check.finding import Report, Settings

pytestmark = pytest.mark.conformance

SHARED = Path(__file__).parents[3] / "shared" / "tools" / "training" / "data"
CUTOFF, BOUNDS = 1024, Bounds(589_824, 1024)


def differences(report: Report, answers: dict[str, ask.Answer]) -> list[str]:
    """Where the validator and the trainer do not say the same: verdict, rows kept, picture tokens, longest row."""
    found = []
    for file in report.files:
        answer = answers[file.name]
        real = ask.verdict(answer, file.rows)
        if real != file.verdict:
            found.append(f"{file.name}: real {real}, ours {file.verdict}: {answer.get('stops') or answer}")
        elif real in ("accepts", "drops"):
            said = (file.kept, file.image_tokens, file.longest)
            measured = (len(answer["tokens"]), sum(answer["image_tokens"]), max(answer["tokens"]))
            if said != measured:
                found.append(f"{file.name}: rows, picture tokens, longest: real {measured}, ours {said}")
    return found


def check(folder: Path, names: list[str]) -> Report:
    """Compare all entries; give the validator's report."""
    report = examine(folder, "llamafactory", Settings(cutoff_len=CUTOFF, bounds=BOUNDS, tokenizer=tiny_model()))
    answers = ask.llamafactory(folder, names, CUTOFF, BOUNDS.max_pixels, BOUNDS.min_pixels)
    assert differences(report, answers) == []
    for file in report.files:
        if file.verdict != "accepts":
            reasons = [one for one in report.errors if one.file == file.name and one.effect != "accepts"]
            assert reasons, f"{file.name} is not accepted, but no reason is given"
    return report


def test_verdicts_on_our_faults_are_llamafactorys(tmp_path: Path) -> None:
    """A rule too strict costs good rows; one too lenient costs a night's training."""
    report = check(tmp_path / "data", faults.write_sharegpt(tmp_path / "data"))

    verdicts = {file.name: file.verdict for file in report.files}
    assert len(verdicts) >= 70
    assert {"accepts", "drops", "stops", "crashes"} == set(verdicts.values())
    rows = {(one.file, one.row, one.code) for one in report.errors}
    assert ("one_bad_role_of_two", 1, "roles") in rows
    assert ("missing_file", 1, "image_missing") in rows
    assert ("image_pad_in_text", 1, "image_pad") in rows


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared faulty exports are not on this machine")
def test_verdicts_on_faults_of_others_are_llamafactorys() -> None:
    """Whoever makes a rule and its example makes the same mistake twice; these files are not ours."""
    check(SHARED, list(json.loads((SHARED / "dataset_info.json").read_text("utf-8"))))
