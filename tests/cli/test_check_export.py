"""`curate export --check`: one table of verdicts and findings, an exit code that scripts can use, nothing written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pillow


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """A folder that curate did not write: one good row, one that is dropped, one picture that is not safe."""
    folder = tmp_path / "theirs"
    folder.mkdir()
    Pillow.new("RGB", (100, 60)).save(folder / "a.png")
    good = {
        "conversations": [{"from": "human", "value": "<image>a"}, {"from": "gpt", "value": "b"}],
        "images": ["a.png"],
    }
    bad = {**good, "id": "second", "conversations": [*reversed(good["conversations"])]}
    (folder / "rows.json").write_text(json.dumps([good, bad]))
    columns = {"messages": "conversations", "images": "images"}
    info = {"theirs": {"file_name": "rows.json", "formatting": "sharegpt", "columns": columns}}
    (folder / "dataset_info.json").write_text(json.dumps(info))
    return folder


def test_findings_name_row_reason_and_remedy(curate: Any, theirs: Path) -> None:
    """A verdict without the row sends a person through ten thousand of them."""
    before = sorted(theirs.iterdir())
    done = curate("export", "--check", "theirs")

    assert done.code == 1
    verdict = next(line.split() for line in done.out.splitlines() if line.startswith("  theirs "))
    assert verdict[:4] == ["theirs", "drops", "2", "1"]
    assert "theirs row 1 (second)" in done.out
    assert "turn 0 is of 'gpt', expected 'human'" in done.out
    assert "100 x 60 pixels, sides are no multiples of 28" in done.out
    assert "not valid: 1 errors, 1 warnings" in done.out
    assert sorted(theirs.iterdir()) == before


def test_the_same_folder_is_another_thing_to_another_program(curate: Any, theirs: Path) -> None:
    """ms-swift takes the row that LLaMA-Factory drops, and learns nonsense from it."""
    done = json.loads(curate("export", "--check", "theirs", "--for", "swift", "--json").out)

    assert (done["for"], done["valid"]) == ("swift", False)
    assert [(file["file"], file["verdict"]) for file in done["files"]] == [("rows.json", "accepts")]
    assert [one["row"] for one in done["findings"] if one["code"] == "roles"] == [1]


def test_an_export_of_curate_is_valid(curate: Any, good_chats: Path) -> None:
    """What one command writes the other one must accept, with exit code 0."""
    for form, consumer in (("sharegpt", "llamafactory"), ("swift", "swift"), ("trl", "trl"), ("openai", "vllm")):
        assert curate("export", str(good_chats), form, "--format", form).code == 0
        done = curate("export", "--check", form, "--for", consumer)
        assert (done.code, "valid, 0 warnings" in done.out) == (0, True), done.out


def test_budgets_are_given_by_set(curate: Any, theirs: Path) -> None:
    """The length that a person trains with is not always in the folder."""
    done = json.loads(curate("export", "--check", "theirs", "--set", "cutoff_len=20", "--json").out)

    assert "image_tokens_cut" in done["counts"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--check", "theirs", "in"], "--check DIR takes neither IN nor OUT"),
        (["--for", "swift", "in", "out"], "--for belongs to --check DIR"),
        (["--check", "theirs", "--set", "cutof=1"], "--check takes --set KEY=NUMBER"),
        (["--check", "nowhere"], "there is no folder nowhere"),
        (["in"], "name IN and OUT, or IN and --hub DIR, or --check DIR"),
        (["in", "out", "--images", "folder"], "'folder' is not one of 'link', 'copy', 'embed', 'absolute'"),
    ],
)
def test_slips_are_told(curate: Any, theirs: Path, arguments: list[str], message: str) -> None:
    """The answer to a slip is what is allowed."""
    done = curate("export", *arguments)

    assert done.code == 2
    assert message in done.err


def test_pictures_of_a_source_can_be_linked(curate: Any, tmp_path: Path) -> None:
    """A folder of pictures that fit already must not be copied."""
    (tmp_path / "photos").mkdir()
    Pillow.new("RGB", (280, 560)).save(tmp_path / "photos" / "a.png")
    row = {
        "id": "1",
        "messages": [{"role": "user", "content": "<image>"}, {"role": "assistant", "content": "ok"}],
        "images": ["a.png"],
    }
    (tmp_path / "rows.jsonl").write_text(json.dumps(row))
    done = curate("export", "rows.jsonl", "out", "--image-root", "photos", "--images", "link")

    assert done.code == 0, done.err
    (written,) = (tmp_path / "out" / "images").iterdir()
    assert written.samefile(tmp_path / "photos" / "a.png")


def test_rows_that_are_fetched_from_elsewhere_are_no_missing_file(curate: Any, theirs: Path) -> None:
    """LLaMA-Factory's own dataset_info.json names a hundred data sets of hubs, each of which was told to stop it."""
    info = json.loads((theirs / "dataset_info.json").read_text("utf-8"))
    info["hub"] = {"hf_hub_url": "somebody/chats", "formatting": "sharegpt"}
    (theirs / "dataset_info.json").write_text(json.dumps(info), "utf-8")

    told = json.loads(curate("export", "--check", "theirs", "--json").out)

    assert [(one["code"], one["message"]) for one in told["findings"] if one["file"] == "hub"] == [
        ("elsewhere", "hf_hub_url")
    ]
    assert "file_missing" not in told["counts"]
