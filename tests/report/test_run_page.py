"""The page of a run: it says what happened, and shows nobody's data."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from card_support import PLANTED
from PIL import Image

from curate.cli.main import invoke
from curate.report.run_page import run_page

MEANINGS = {("ingest", "image_missing"): "The picture is not there.", ("any", "stage_error"): "x"}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run in which rows failed and were dropped, with personal data in every place."""
    folder = tmp_path_factory.mktemp("runs")
    pixels = np.random.default_rng(1).integers(0, 255, (80, 60, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(folder / "there.png")
    rows = []
    for number in range(20):
        secret = PLANTED[number % len(PLANTED)]
        picture = "there.png" if number % 4 else f"{secret}.png"
        text = f"我的号码 {secret} {'好' * (number % 3)}"
        rows.append({"id": f"{secret}/{number}", "text": text, "image": picture, "label": f"催 {secret}"})
    (folder / "chats.jsonl").write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    recipe = (
        "name: 催单\ndescription: 电话 13812345678\ninput: {path: chats.jsonl}\nmax_failed: 20\n"
        "stages:\n  - use: quality\n  - use: filter\n    min: {text_length: 26}\n"
    )
    (folder / "recipe.yaml").write_text(recipe, "utf-8")
    assert invoke(["run", str(folder / "recipe.yaml"), "-o", str(folder / "run"), "-q"]) == 0
    return folder / "run"


def test_it_says_how_many_rows_went_and_why(run: Path) -> None:
    """The first question, answered on the first screen."""
    text = re.sub(r"<[^>]+>", "", run_page(run, "run", MEANINGS))

    gone = int(re.search(r"(\d+) of 20 rows that were read are not in the result", text)[1])  # type: ignore[index]
    manifest = json.loads((run / "run.json").read_text("utf-8"))
    assert gone == sum(step["dropped"] + step["failed"] for step in manifest["steps"]) > 5
    assert "set aside because they are bad: image_missing 5" in text
    assert "taken out on purpose: " in text
    assert "The picture is not there." in text


@pytest.mark.parametrize("mode", ["default", "keys-only", "strict"])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_no_canary_leaves_the_run(run: Path, mode: str, lang: str) -> None:
    """The page is mailed. Numbers were planted in texts, ids, labels, file names and the recipe's description."""
    html = run_page(run, "run", MEANINGS, lang, mode)  # type: ignore[arg-type]

    assert [secret for secret in [*PLANTED, "13812345678"] if secret in html] == []
    assert "催 " in run_page(run, "run", MEANINGS, "en", "none")
    assert any(secret in run_page(run, "run", MEANINGS, "en", "none") for secret in PLANTED)


def test_strict_shows_no_text_and_no_picture(run: Path) -> None:
    """What everybody may see is numbers."""
    html = run_page(run, "run", MEANINGS, mode="strict")

    assert "我的号码" not in html and "data:image" not in html
    assert "我的号码" in run_page(run, "run", MEANINGS) and "data:image" in run_page(run, "run", MEANINGS)
    assert "我的号码" not in run_page(run, "run", MEANINGS, mode="keys-only")


def test_the_same_run_gives_the_same_page(run: Path) -> None:
    """A page that changes without the run cannot be kept beside it."""
    assert run_page(run, "run", MEANINGS, "zh") == run_page(run, "run", MEANINGS, "zh")
    assert str(run.parent) not in run_page(run, "run", MEANINGS, mode="none")


def test_the_command_writes_the_page_into_the_run(
    run: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Who forgets the name of the file finds it where reports are."""
    assert invoke(["report", str(run), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)

    assert Path(told["page"]).read_bytes().startswith(b"<!doctype html>")
    assert told["bytes"] == (run / "reports" / "run.html").stat().st_size
    assert invoke(["report", str(tmp_path)]) == 2
    assert "is not a run of curate" in capsys.readouterr().err


def test_rare_labels_that_no_registry_declares_are_counted(run: Path) -> None:
    """A free-text label of three rows may be somebody's name."""
    html = run_page(run, "run", MEANINGS)

    assert re.search(r"\d labels? of \d+ rows are too rare to be shown", html)
    assert "are too rare to be shown" not in run_page(run, "run", MEANINGS, mode="none")
