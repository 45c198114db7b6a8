"""What OCR must hold on real networks and many pictures: memory, reading order, one inference a picture, resumption."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from engine_support import files
from ocr_truth import demo_pages
from PIL import Image as Pillow

from curate.ocr.cache import ReadingCache
from curate.ocr.order import Rect, reading_order
from curate.ocr.stage import OcrOptions
from curate.pipeline.recipe import Recipe
from curate.pipeline.run import run
from curate.pipeline.source import InputOptions

ROOT = Path(__file__).resolve().parents[2]
TRUTH = ROOT / "tests" / "demo_data" / "truth"
SCREENS = ROOT.parent / "shared" / "data" / "screens"
LAYERED = "116ea304-f751-7ee7-df40-d6b92d674441-10083-0"
"""A dialog box lies over a page: two texts at one place, which no order by geometry can part."""


def tau(order: list[int]) -> float:
    """Kendall's tau of an order to 0, 1, 2, …; 1 for fewer than two."""
    pairs = [(order[i] < order[j]) for i in range(len(order)) for j in range(i + 1, len(order))]
    return (2 * sum(pairs) - len(pairs)) / len(pairs) if pairs else 1.0


def page_taus(folder: Path) -> dict[str, float]:
    found = {}
    for path in sorted(folder.glob("*.json")):
        boxes = [Rect(*line["box"]) for line in json.loads(path.read_text("utf-8"))["lines"]]
        found[path.stem] = tau(reading_order(boxes))
    return found


def test_pages_are_read_in_the_order_in_which_they_were_written() -> None:
    """If this fails, prices stand beside other goods, and a dialogue in a screenshot is told backwards."""
    found = page_taus(TRUTH)
    assert len(found) > 40
    assert found.pop(LAYERED) > 0.8
    assert min(found.values()) > 0.94
    assert sum(found.values()) / len(found) > 0.99


@pytest.mark.skipif(not SCREENS.is_dir(), reason="the pages with ground truth are not beside this checkout")
def test_screens_are_read_in_the_order_in_which_they_were_written() -> None:
    """If this fails, the same as above, on pages nobody tuned the rules on."""
    found = page_taus(SCREENS)
    assert found and min(found.values()) > 0.95


def source(folder: Path, records: int, pictures: int) -> Path:
    """Records that share pictures, in no order of them."""
    (folder / "images").mkdir(parents=True)
    for number in range(pictures):
        Pillow.new("RGB", (40, 20), (number, 0, 0)).save(folder / "images" / f"{number}.png")
    rows = [
        {
            "id": str(number),
            "conversations": [
                {"from": "human", "value": f"<image>这是什么 {number}"},
                {"from": "gpt", "value": "好的"},
            ],
            "images": [f"{number * 7 % pictures}.png"],
        }
        for number in range(records)
    ]
    (folder / "rows.json").write_text(json.dumps(rows), "utf-8")
    return folder / "rows.json"


def test_a_picture_that_many_records_share_is_read_once(tmp_path: Path) -> None:
    """If this fails, a product picture in a thousand dialogues costs a thousand inferences."""
    path = source(tmp_path, 1000, 100)
    recipe = Recipe(
        name="shared",
        input=InputOptions(path=path, images=tmp_path / "images", shard_rows=50),
        stages=[OcrOptions(engine="fake")],
        workers=2,
    )

    first = run(recipe, tmp_path / "one", cache=tmp_path / "cache").steps[-1].tally
    again = run(recipe, tmp_path / "two", cache=tmp_path / "cache").steps[-1].tally

    assert first["pictures_read"] == 100
    assert again == {"pictures_read": 0, "pictures_cached": 100 * 20 // 2}
    assert files(tmp_path / "one") == files(tmp_path / "two")


@pytest.mark.slow
def test_memory_does_not_grow_with_the_pictures() -> None:
    """If this fails, a folder of thousands of pictures of many sizes ends out of memory."""
    done = subprocess.run(
        [sys.executable, ROOT / "tests" / "support" / "ocr_memory.py", "200"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    held = json.loads(done.stdout)
    told = [value >> 20 for value in held]
    assert held[-1] <= 1.2 * held[0], told
    assert held[-1] <= 1.05 * held[len(held) // 2], told


@pytest.mark.slow
def test_a_killed_reading_goes_on_where_it_was(tmp_path: Path) -> None:
    """If this fails, kill -9 after an hour of OCR throws the hour away, or the two halves do not fit together."""
    folder = ROOT / "pipelines" / "demo" / "images"
    command = [sys.executable, "-m", "curate.cli.main", "ocr", str(folder), "--set", "max_failed=100"]

    def start(out: Path, cache: Path) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "CURATE_CACHE": str(cache)}
        return subprocess.Popen([*command, str(out)], env=environment, start_new_session=True)

    def known() -> int:
        return sum(held.pictures for held in ReadingCache(tmp_path / "cache").holdings())

    killed = start(tmp_path / "out", tmp_path / "cache")
    deadline = time.monotonic() + 120
    while known() < 10:
        assert killed.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    before = known()

    assert start(tmp_path / "out", tmp_path / "cache").wait() == 0
    assert start(tmp_path / "whole", tmp_path / "other").wait() == 0

    tally = json.loads((tmp_path / "out" / "run.json").read_text("utf-8"))["steps"][-1]["tally"]
    assert 10 <= before <= tally["pictures_cached"] and tally["pictures_read"] > 0
    assert tally["pictures_read"] + before == known()
    assert files(tmp_path / "out") == files(tmp_path / "whole")


def test_the_demo_pages_have_their_pictures() -> None:
    """If this fails, measurements on the demo's pages measure nothing."""
    assert all(page.path.exists() for page in demo_pages())
