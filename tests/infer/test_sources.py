"""`curate infer` on what is no export: any source, any dataset."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_support import call
from PIL import Image
from stub_server import Stub, serving

ROWS = 5


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Labelled rows with a picture each; the last one's is missing."""
    rows = []
    for number in range(ROWS):
        name = f"{number}.png"
        if number < ROWS - 1:
            Image.new("RGB", (100, 60), (number * 40, 90, 120)).save(tmp_path / name)
        rows.append(
            {"id": f"r{number}", "image": name, "text": f"这是什么 {number}", "task": "feedback", "label": "正面"}
        )
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return tmp_path / "rows.jsonl"


def test_a_source_is_asked_and_scored(tmp_path: Path, source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """If this fails, test rows must be exported by hand before a model can be asked about them."""
    with serving(Stub()) as stub:
        asked = ("infer", source, tmp_path / "answers", "--server", stub.url, "--model", "tiny", "--labels", "feedback")
        code, report = call(capsys, *asked)
        assert (code, report["answered"], report["left_out"]) == (1, ROWS - 1, {"image_missing": 1})
        assert call(capsys, *asked)[1]["known"] == ROWS - 1
        assert len(stub.bodies) == ROWS - 1
        url = stub.bodies[0]["messages"][-1]["content"][0]["image_url"]["url"]
        assert url.startswith("data:image/jpeg;")  # made to fit, as for training: 100 x 60 are no multiples of 28
    code, score = call(capsys, "evaluate", source, tmp_path / "answers")
    assert (code, score["overall"]["rows"], score["overall"]["answered"]) == (0, ROWS, ROWS - 1)


def test_a_dataset_is_asked_in_its_own_splits(tmp_path: Path, source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """If this fails, the validation rows of a run without an export cannot be asked, or all rows are."""
    assert call(capsys, "split", source, tmp_path / "run", "--train", "0.5", "--val", "0.5")[0] == 1
    with serving(Stub()) as stub:
        asked = ("infer", tmp_path / "run", tmp_path / "answers", "--server", stub.url, "--model", "tiny")
        code, report = call(capsys, *asked, "--split", "val", "--template", "plain")
    assert (code, report["rows"]) == (0, 2)


def test_a_dry_run_leaves_nothing(tmp_path: Path, source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """If this fails, looking at what would be asked fills the disk."""
    before = sorted(tmp_path.rglob("*"))
    asked = ("infer", source, tmp_path / "answers", "--server", "http://127.0.0.1:9", "--model", "m", "--dry-run")
    code, report = call(capsys, *asked, "--set", "max_failed=3")
    assert (code, report["rows"], report["pictures"]) == (0, ROWS - 1, ROWS - 1)
    assert sorted(tmp_path.rglob("*")) == before


def test_options_of_writing_are_refused_for_an_export(
    tmp_path: Path, source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """If this fails, a template is ignored that somebody asked for."""
    export = tmp_path / "export"
    assert call(capsys, "export", source, export)[0] == 1
    asked = ("infer", export, tmp_path / "out", "--server", "http://127.0.0.1:9", "--model", "m")
    code, report = call(capsys, *asked, "--template", "mire")
    assert code == 2 and "is an export already" in report["error"]
