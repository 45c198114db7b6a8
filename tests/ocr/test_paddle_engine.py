"""PaddleOCR 3 for real, offline, with networks from a wheel; runs in an environment of its own."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ocr_truth import agreement, demo_pages, total
from paddle_models import paddle_models, paddle_python

from curate.errors import MissingExtra, UsageError
from curate.ocr.engine import EngineSettings
from curate.ocr.paddle import PaddleEngine

ROOT = Path(__file__).resolve().parents[2]
PAGES = [page for page in demo_pages() if len(page.texts) > 10][:3]

OFFLINE = """
import runpy, socket, sys
def refuse(*arguments, **options): raise SystemExit("network: " + repr(arguments))
socket.socket.connect = refuse
socket.getaddrinfo = refuse
sys.argv[0] = "curate"
runpy.run_module("curate.cli.main", run_name="__main__")
"""


@pytest.mark.skipif(importlib.util.find_spec("paddleocr") is not None, reason="paddleocr is installed here")
def test_without_the_extra_the_install_command_is_named() -> None:
    """If this fails, `--engine paddleocr` ends in a stack trace on a plain install."""
    with pytest.raises(MissingExtra, match=r"pip install 'curate\[paddle\]'"):
        PaddleEngine(EngineSettings())


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return paddle_models(tmp_path_factory.mktemp("paddle"))


def curate(home: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "HOME": str(home),
        "PYTHONPATH": str(ROOT),
        "CURATE_CACHE": str(home / "cache"),
    }
    command = [paddle_python(), "-c", OFFLINE, *arguments]
    return subprocess.run([str(part) for part in command], env=environment, capture_output=True, text=True)


def lines(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    assert done.returncode == 0, done.stderr
    (picture,) = json.loads(done.stdout)["pictures"]
    found: list[dict[str, Any]] = picture["lines"]
    return found


@pytest.mark.slow
def test_it_reads_what_rapidocr_reads(tmp_path: Path, models: Path) -> None:
    """If this fails, the reference engine and the default one cannot be exchanged, or something is sent or fetched."""
    parts = []
    for page in PAGES:
        paddle = lines(
            curate(
                tmp_path, "ocr", page.path, "--engine", "paddleocr", "--set", f"model_dir={models}", "--text", "--json"
            )
        )
        rapid = lines(curate(tmp_path, "ocr", page.path, "--text", "--json"))
        assert set(paddle[0]) == set(rapid[0]) == {"text", "score", "polygon"}
        assert all(len(line["polygon"]) == 8 and 0 < line["score"] <= 1 for line in paddle)
        parts.append(agreement([line["text"] for line in rapid], [line["text"] for line in paddle]))
    both = total(parts)
    assert min(both.recall, both.precision) > 0.98  # lines may be cut at other blanks, the letters are the same


@pytest.mark.slow
def test_it_reads_a_data_set_like_any_engine(tmp_path: Path, models: Path) -> None:
    """If this fails, `curate ocr IN OUT --engine paddleocr` is not a stage like any other."""
    photos = tmp_path / "photos"
    photos.mkdir()
    for page in PAGES:
        (photos / page.path.name).write_bytes(page.path.read_bytes())
    command = ["ocr", photos, tmp_path / "out", "--engine", "paddleocr", "--set", f"model_dir={models}", "--json"]

    first, again = curate(tmp_path, *command), curate(tmp_path, *command)

    assert (first.returncode, again.returncode) == (0, 0), first.stderr + again.stderr
    (step,) = [step for step in json.loads(first.stdout)["steps"] if step["title"] == "ocr"]
    assert (step["changed"], step["tally"]["pictures_read"]) == (3, 3)
    signature = json.loads((tmp_path / "out" / "01-ocr" / "stage.json").read_text("utf-8"))["signature"]
    assert "paddleocr/3.7.0 paddle/3.3.1/cpu PP-OCRv4_mobile_det@" in signature["environment"]["engine"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "curate fetches nothing by itself"),
        (("--provider", "openvino"), "provider must be auto or cuda"),
        (("--provider", "cuda"), "paddlepaddle-gpu"),
        (("--set", "precision=bf16"), "precision must be auto or f32"),
        (("--set", "model_dir=nowhere"), "there is no network for 'det' in"),
    ],
)
def test_what_cannot_work_is_said_in_one_line(tmp_path: Path, options: tuple[str, ...], words: str) -> None:
    """If this fails, a missing network starts a download, or a wrong option ends in a stack trace."""
    done = curate(tmp_path, "ocr", PAGES[0].path, "--engine", "paddleocr", *options, "--text")
    assert done.returncode == 2
    assert words in done.stderr and "Traceback" not in done.stderr


def test_a_folder_that_is_no_network_is_named(tmp_path: Path) -> None:
    """If this fails, a wrong `model_dir` is found out in a worker, after ingest."""
    from curate.ocr.paddle import _hash, _model

    (tmp_path / "x_det").mkdir()
    (tmp_path / "x_det" / "inference.yml").write_text("Global: {}")
    with pytest.raises(UsageError, match=r"does not say Global\.model_name"):
        _model("det", tmp_path)
    with pytest.raises(UsageError, match=r"holds no inference\.pdiparams"):
        _hash(tmp_path / "x_det")


def test_the_python_that_runs_the_tests_is_left_alone() -> None:
    """If this fails, the environment for PaddleOCR was made inside the one that runs the tests."""
    from conformance.environments import cache

    assert not cache().is_relative_to(Path(sys.prefix))
