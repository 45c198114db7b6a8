"""The main job, end to end, as a user runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from curate import Dataset
from curate.pipeline.recipe_file import shipped_folder

REAL = Path(__file__).parent.parent.parent / "shared" / "data" / "mire" / "demo_test.json"
needs_real = pytest.mark.skipif(
    not REAL.exists(), reason="the official MIRE demo file is not beside this checkout; it may not be copied"
)


def curate(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(one for one in sys.path if one)
    command = [sys.executable, "-m", "curate.cli.main", *arguments]
    variables = {**os.environ, "PYTHONPATH": path, **environment}
    return subprocess.run(
        command, capture_output=True, text=True, encoding="utf-8", cwd=cwd, env=variables, check=False
    )


def run(*arguments: str, cwd: Path, code: int = 0, **environment: str) -> dict[str, Any]:
    done = curate("run", *arguments, "--json", cwd=cwd, **environment)
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the demo was run."""
    folder = tmp_path_factory.mktemp("demo with blanks 和汉字")
    result = run("demo", cwd=folder)
    assert result["status"] == "finished"
    return folder


def test_the_demo_accounts_for_every_row(demo: Path) -> None:
    """What came in is kept, dropped or failed; nothing vanishes."""
    steps = json.loads((demo / "work" / "demo" / "run.json").read_text("utf-8"))["steps"]

    for step, following in zip(steps, [*steps[1:], None], strict=True):
        assert step["rows_in"] == step["kept"] + step["dropped"] + step["failed"]
        assert step["rows_out"] == step["kept"] + step["added"]
        assert following is None or following["rows_in"] == step["rows_out"]


def test_the_demo_does_to_each_record_what_was_written_down(demo: Path) -> None:
    """Bad rows fail with their own code, good ones keep what matters and lose the noise."""
    expected = json.loads((Path(__file__).parent / "demo_data" / "expected.json").read_text("utf-8"))
    kept = {record.source_id: record for record in Dataset.open(demo / "work" / "demo")}
    failed: dict[str, str] = {}
    for step in ("00-ingest", "01-ocr"):
        data = Dataset.open(demo / "work" / "demo" / step)
        codes = {row["uid"]: row["code"] for row in data.ledger().to_pylist() if row["action"] == "failed"}
        failed.update({row["source_id"]: codes[row["uid"]] for row in data.failed().to_pylist()})

    for source_id, wanted in expected.items():
        if wanted["fate"] == "failed":
            assert failed.get(source_id) == wanted["code"], wanted["key"]
            continue
        record = kept[source_id]
        text = "\n".join(turn.text for turn in record.turns)
        assert record.label == wanted["label"]
        assert [one for one in wanted.get("keep", []) if one not in text] == [], wanted["key"]
        assert [one for one in wanted.get("gone", []) if one in text] == [], wanted["key"]
    assert len(kept) + len(failed) == len(expected)


def test_the_demo_reads_what_stands_in_the_pictures(demo: Path) -> None:
    """OCR runs for real: most characters of the rendered pages come back."""
    truth = Path(__file__).parent / "demo_data" / "truth"
    found = total = 0
    for record in Dataset.open(demo / "work" / "demo@ocr"):
        for image in record.images:
            page = truth / f"{Path(image.path).stem}.json"
            if not page.exists() or image.ocr is None:
                continue
            wanted = "".join("".join(line["text"].split()) for line in json.loads(page.read_text("utf-8"))["lines"])
            read = list("".join(image.ocr.text.split()))
            total += len(wanted)
            for character in wanted:
                if character in read:
                    read.remove(character)
                    found += 1

    assert total > 1000
    assert found / total > 0.95


def test_the_demo_export_is_what_trainers_read(demo: Path) -> None:
    """Placeholders fit pictures, roles alternate, files are there, sides are multiples of 28."""
    folder = demo / "work" / "demo" / "exports" / "sharegpt"
    info = json.loads((folder / "dataset_info.json").read_text("utf-8"))
    rows = 0
    for entry in info.values():
        for row in json.loads((folder / entry["file_name"]).read_text("utf-8")):
            rows += 1
            texts = [turn["value"] for turn in row["conversations"]]
            assert [turn["from"] for turn in row["conversations"]] == ["human", "gpt"]
            assert texts[0].count("<image>") == len(row["images"])
            assert texts[1].strip()
            for name in row["images"]:
                with Image.open(folder / name) as picture:
                    assert (picture.mode, picture.width % 28, picture.height % 28) == ("RGB", 0, 0)
    assert rows == Dataset.open(demo / "work" / "demo").count()
    assert set(info) == {"demo_train", "demo_val"}


def test_a_second_run_does_nothing_and_changes_nothing(demo: Path) -> None:
    """Running again must be free, in another process too."""
    before = {
        path: path.read_bytes() for path in (demo / "work").rglob("*") if path.is_file() and path.name != "run.json"
    }
    again = run("demo", cwd=demo)

    assert [step["reused"] for step in [*again["steps"], *again["exports"]]] == [True] * 5
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.slow
def test_another_run_from_scratch_gives_the_same_bytes(demo: Path, tmp_path: Path) -> None:
    """Same input, same recipe, same bytes: without the cache, with another number of workers."""
    run("demo", "--workers", "1", "--out", "again", cwd=tmp_path, CURATE_CACHE="off")

    def content(folder: Path) -> dict[str, bytes]:
        return {
            p.relative_to(folder).as_posix(): p.read_bytes()
            for p in folder.rglob("*")
            if p.is_file() and p.name != "run.json"
        }

    assert content(tmp_path / "again") == content(demo / "work" / "demo")


def test_the_demo_data_is_small_and_has_its_licence() -> None:
    """It is installed with the package."""
    files = [path for path in (shipped_folder() / "demo").rglob("*") if path.is_file()]

    assert sum(path.stat().st_size for path in files) < 4_000_000
    assert (shipped_folder() / "demo" / "LICENSE.md").exists()


@needs_real
def test_the_official_file_without_pictures_fails_row_by_row(tmp_path: Path) -> None:
    """Ten rows, each with a clear code, nothing lost, exit code 1 with a table."""
    (tmp_path / "images").mkdir()
    done = curate("run", "mire", "--set", f"input.path={REAL}", "--set", "input.images=images", cwd=tmp_path)
    failed = Dataset.open(tmp_path / "work" / "mire@ingest")

    assert done.returncode == 1
    assert done.stdout.count("image_missing") == 10
    assert "all 10 rows failed (image_missing 10)" in done.stderr
    assert sorted(failed.failed()["source_id"].to_pylist()) == sorted(
        row["id"] for row in json.loads(REAL.read_text("utf-8"))
    )


@needs_real
def test_the_official_file_goes_through_and_comes_back(tmp_path: Path) -> None:
    """Ten rows through to ShareGPT; ingest and write-back give the same bytes."""
    source = json.loads(REAL.read_text("utf-8"))
    (tmp_path / "images").mkdir()
    for number, name in enumerate(name for row in source for name in row["image"]):
        picture = Image.new("RGB", (360, 780), "white")
        ImageDraw.Draw(picture).text((20, 200 + number * 20), f"ORDER {number}", fill="black", font_size=40)
        picture.save(tmp_path / "images" / Path(name).name)
    result = run("mire", "--set", f"input.path={REAL}", "--set", "input.images=images", cwd=tmp_path)
    back = curate("export", "work/mire", "back", "--format", "source", cwd=tmp_path)

    assert result["exports"][0]["rows"]["train"] + result["exports"][0]["rows"].get("val", 0) == 10
    assert back.returncode == 0, back.stderr
    assert (tmp_path / "back" / "source.json").read_bytes() == REAL.read_bytes()


@needs_real
def test_the_mire_template_gives_the_official_prompts_byte_for_byte(tmp_path: Path) -> None:
    """A model that was tuned on other bytes than it is asked with answers worse."""
    source = json.loads(REAL.read_text("utf-8"))
    (tmp_path / "images").mkdir()
    for name in (name for row in source for name in row["image"]):
        Image.new("RGB", (56, 56), "white").save(tmp_path / "images" / Path(name).name)
    assert curate("ingest", str(REAL), "work/raw", "--images", "images", cwd=tmp_path).returncode == 0
    assert curate("export", "work/raw", "train", "--template", "mire", cwd=tmp_path).returncode == 0

    rows = json.loads((tmp_path / "train" / "train.json").read_text("utf-8"))
    assert [row["conversations"][0]["value"] for row in rows] == [row["instruction"] for row in source]
    assert [row["conversations"][1]["value"] for row in rows] == [row["output"] for row in source]
