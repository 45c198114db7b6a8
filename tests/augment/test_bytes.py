"""Same seed, same bytes: with one worker and four, after kills, and with pictures that went missing."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from augment_support import TALKS, screen
from engine_support import files

from curate.dataset.dataset import Dataset
from curate.pipeline.recipe_file import parse_recipe
from curate.pipeline.run import run

RECIPE = """
name: more
input: {{path: pages.jsonl, labels: mire, shard_rows: 7}}
workers: {workers}
seed: 3
stages:
  - {{use: dedup}}
  - {{use: split, train: 0.8, val: 0.2}}
  - {{use: augment-text, per_record: 2}}
  - {{use: augment-image, pipeline: ecommir, per_record: 2}}
  - {{use: quality}}
  - {{use: balance, cap: 40}}
exports:
  - {{use: sharegpt, template: plain}}
"""


def source(folder: Path, number: int = 30) -> None:
    """Records with a picture and a text each."""
    lines = []
    for index in range(number):
        screen(folder, f"{index}.jpg", index, (160, 320))
        label, texts = TALKS[index % len(TALKS)]
        text = "，".join(text for text in texts if text != "<image>")
        lines.append({"id": f"r{index}", "text": f"第{index}位：{text}", "image": f"{index}.jpg", "label": label})
    (folder / "pages.jsonl").write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in lines), "utf-8")


def recipe(folder: Path, workers: int) -> object:
    return parse_recipe(RECIPE.format(workers=workers), "more.yaml", folder)


def go(folder: Path, out: str, workers: int = 2) -> None:
    run(recipe(folder, workers), folder / out)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a source and a run of it by one worker."""
    folder = tmp_path_factory.mktemp("bytes")
    source(folder)
    go(folder, "one", 1)
    return folder


@pytest.mark.slow
def test_four_workers_write_what_one_writes(whole: Path) -> None:
    """Rows, ledgers, pictures and exports: a set made on a server must be the one made on a laptop."""
    go(whole, "four", 4)
    assert files(whole / "four") == files(whole / "one")
    made = sorted((whole / "one" / "images").rglob("*.jpg"))
    assert len(made) > 20


SCRIPT = """
import sys
sys.path[:0] = {paths!r}
from pathlib import Path
from curate.pipeline.recipe_file import parse_recipe
from curate.pipeline.run import run
if __name__ == "__main__":
    run(parse_recipe({text!r}, "more.yaml", Path({folder!r})), Path({out!r}))
"""


@pytest.mark.slow
def test_a_run_that_is_killed_ends_with_the_same_bytes(whole: Path) -> None:
    """A power cut in the middle of a picture leaves neither half a picture nor a stray one."""
    script = whole / "go.py"
    text = RECIPE.format(workers=2)
    script.write_text(
        SCRIPT.format(paths=[p for p in sys.path if p], text=text, folder=str(whole), out=str(whole / "killed")),
        "utf-8",
    )
    draw = random.Random(1)
    kills = 0
    while kills < 6:
        process = subprocess.Popen(
            [sys.executable, str(script)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        try:
            process.wait(timeout=draw.uniform(1.5, 7))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            kills += 1
            continue
        assert process.returncode == 0
        for path in sorted((whole / "killed").glob("0[3-6]*/rows/*.parquet"))[draw.randrange(2) :: 2]:
            path.unlink()  # it finished: make work again, so that the next kill hits something
    go(whole, "killed")
    assert files(whole / "killed") == files(whole / "one")


def test_a_picture_that_went_missing_is_made_again(tmp_path: Path) -> None:
    """Reusing a step whose pictures are gone would fail an hour later, in the export."""
    source(tmp_path, 8)
    go(tmp_path, "out", 1)
    before = files(tmp_path / "out")
    pictures = sorted((tmp_path / "out" / "images").rglob("*.jpg"))
    pictures[0].unlink()
    pictures[-1].write_bytes(b"damaged")
    go(tmp_path, "out", 1)
    assert files(tmp_path / "out") == before


def test_pictures_of_other_options_are_taken_away(tmp_path: Path) -> None:
    """A run holds what its records name, not what earlier tries left."""
    source(tmp_path, 8)
    go(tmp_path, "out", 1)
    text = RECIPE.format(workers=1).replace("pipeline: ecommir", "pipeline: trivial")
    run(parse_recipe(text, "more.yaml", tmp_path), tmp_path / "out")
    named = {
        image.path.removeprefix("made:")
        for record in Dataset.open(tmp_path / "out@augment-image")
        for image in record.images
    }
    held = {
        path.relative_to(tmp_path / "out" / "images").as_posix()
        for path in (tmp_path / "out" / "images").rglob("*.jpg")
    }
    assert held <= named
    assert held
