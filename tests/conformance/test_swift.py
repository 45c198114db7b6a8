"""The validator's verdict is ms-swift's own, and ms-swift reads what we export."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from conformance import ask, faults
from conformance.environments import QUIET, Environment
from conformance.exports import export, split_demo
from conformance.models import tiny_model

from curate.dataset.vision import Bounds
from curate.export.check import examine
from curate.export.check.finding import Settings

pytestmark = pytest.mark.conformance

SHARED = Path(__file__).parents[3] / "shared" / "tools" / "training" / "data"
LENGTH, BOUNDS = 1024, Bounds(589_824)
SMALL = Bounds(50_176)
"""Bounds of exports: small pictures go through the model quickly."""


def check(folder: Path, files: list[Path]) -> dict[str, str]:
    """Compare verdicts, and of accepted files the tokens; give the verdicts."""
    settings = Settings(cutoff_len=LENGTH, bounds=BOUNDS, tokenizer=tiny_model(real_ids=True))
    report = examine(folder, "swift", settings)
    answers = ask.swift(folder, files, LENGTH, BOUNDS.max_pixels, BOUNDS.min_pixels)
    wrong = []
    for file in report.files:
        answer = answers[file.name]
        real = ask.verdict(answer, file.rows)
        faulty = any(one.file == file.name for one in report.errors)
        if real != file.verdict:
            wrong.append(f"{file.name}: real {real}, ours {file.verdict}: {answer}")
        elif real == "accepts" and sum(answer["image_tokens"]) != file.image_tokens:
            wrong.append(f"{file.name}: picture tokens: real {sum(answer['image_tokens'])}, ours {file.image_tokens}")
        elif real == "accepts" and not faulty and max(answer["tokens"]) != file.longest:
            wrong.append(f"{file.name}: longest: real {max(answer['tokens'])}, ours {file.longest}")
        if real == "accepts" and not faulty and min(answer["label_tokens"]) == 0:
            wrong.append(f"{file.name}: a row has nothing to learn from, and no error is told")
    assert wrong == []
    return {file.name: file.verdict for file in report.files}


def test_verdicts_on_our_faults_are_swifts(tmp_path: Path) -> None:
    """ms-swift deletes rows where LLaMA-Factory stops; a verdict of the one says nothing about the other."""
    folder = tmp_path / "data"
    faults.write_sharegpt(folder)
    files = [path for path in sorted(folder.glob("*.json*")) if path.name != "dataset_info.json"]
    verdicts = check(folder, files)

    assert len(verdicts) >= 60
    assert {"accepts", "drops", "stops", "crashes"} == set(verdicts.values())


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared faulty exports are not on this machine")
def test_verdicts_on_faults_of_others_are_swifts() -> None:
    """Whoever makes a rule and its example makes the same mistake twice; these files are not ours."""
    check(SHARED, [path for path in sorted(SHARED.glob("*.json*")) if path.name != "dataset_info.json"])


@pytest.mark.parametrize("name", ["swift", "sharegpt", "swift-embed"])
def test_exports_are_read_whole(tmp_path: Path, name: str) -> None:
    """Every row that we count must be a row that the trainer learns from, with the tokens that we promise."""
    form, _, embed = name.partition("-")
    folder = tmp_path / name
    records = split_demo(tmp_path / "run")
    export(
        records,
        folder,
        form,
        template="mire",
        images="embed" if embed else "copy",
        cutoff_len=LENGTH * 4,
        max_pixels=SMALL.max_pixels,
    )
    files = sorted(folder.glob("*.parquet" if embed else "t*.json"))
    files = [file for file in files if file.name != "index.parquet"]
    report = examine(
        folder, "swift", Settings(cutoff_len=LENGTH * 4, bounds=SMALL, tokenizer=tiny_model(real_ids=True))
    )
    answers = ask.swift(folder, files, LENGTH * 4, SMALL.max_pixels, SMALL.min_pixels)

    assert not report.errors
    for file in report.files:
        if file.name in answers:
            answer = answers[file.name]
            assert (len(answer["tokens"]), answer["dropped"], answer["crashes"]) == (file.rows, {}, {})
            assert (sum(answer["image_tokens"]), max(answer["tokens"])) == (file.image_tokens, file.longest)
            assert min(answer["label_tokens"]) > 0


def test_regions_become_boxes(tmp_path: Path) -> None:
    """A box in pixels of the wrong picture teaches the model to point beside the text."""
    folder = tmp_path / "regions"
    export(split_demo(tmp_path / "run", read=True), folder, "regions", form="swift", max_pixels=SMALL.max_pixels)
    rows = json.loads((folder / "train.json").read_text("utf-8"))
    answers = ask.swift(folder, [folder / "train.json"], LENGTH * 4, SMALL.max_pixels, SMALL.min_pixels)

    answer = answers["train.json"]
    assert rows
    assert (len(answer["tokens"]), answer["dropped"], answer["crashes"]) == (len(rows), {}, {})


def test_our_script_trains(tmp_path: Path) -> None:
    """The next step that we print must run as it stands: a word that the command line does not know ends it at once."""
    folder = tmp_path / "export"
    model = str(tiny_model(real_ids=True))
    export(split_demo(tmp_path / "run"), folder, "swift", template="mire", max_pixels=SMALL.max_pixels, model=model)
    tools = Environment("swift").make().folder / "bin"
    on_a_processor = ["--torch_dtype", "float32", "--use_cpu", "true", "--attn_impl", "sdpa", "--max_steps", "2"]
    environment = {**os.environ, **QUIET, "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}

    done = subprocess.run(
        ["sh", folder / "train_swift.sh", *on_a_processor],
        env=environment,
        capture_output=True,
        text=True,
        timeout=900,
    )

    assert done.returncode == 0, (done.stdout + done.stderr)[-2000:]
    assert list((tmp_path / "saves" / "curate-swift").rglob("adapter_model.safetensors"))
