# ruff: noqa: F811  fixtures are imported and used by name
"""Every command that reads a run or a source reads it on S3 too, and says URLs where it says paths."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from command_support import call
from s3_support import bucket, machine, s3_server, stored, upload  # noqa: F401  fixtures

from curate.cli.main import invoke
from curate.dataset.dataset import Dataset
from curate.dataset.remote import cache_folder

pytestmark = pytest.mark.usefixtures("machine")
DEMO = Path(__file__).parents[2] / "pipelines" / "demo"


@pytest.fixture
def place(
    bucket: str,
    machine: Callable[[], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> str:
    """A bucket with the demo's data and a run made of them, seen from a machine that has neither."""
    upload(DEMO, f"{bucket}/in")
    monkeypatch.chdir(tmp_path)
    assert invoke(["denoise", f"{bucket}/in/train.json", f"{bucket}/run", "--set", "max_failed=10"]) == 0
    capsys.readouterr()
    machine()
    return bucket


def test_a_source_and_its_pictures_are_read_there(
    place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Screenshots lie in a bucket; nobody should have to copy all of them by hand first."""
    assert invoke(["denoise", str(DEMO / "train.json"), "here", "--set", "max_failed=10"]) == 0
    capsys.readouterr()
    there = {name: data for name, data in stored(f"{place}/run").items() if name.endswith(".parquet")}
    here = {
        path.relative_to(tmp_path / "here").as_posix(): path.read_bytes()
        for path in (tmp_path / "here").rglob("*.parquet")
    }
    assert there == here
    assert invoke(["ls", f"{place}/run", "--failed", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)


def test_commands_read_a_run_there(place: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What was made on a cluster is looked at from a laptop, and the commands that are named next work there."""
    uid = next(iter(Dataset.open(f"{place}/run"))).uid
    for words in (
        ["show", f"{place}/run@denoise"],
        ["show", f"{place}/run", uid],
        ["ls", f"{place}/run"],
        ["ls", place],
        ["why", uid, "--run", f"{place}/run"],
        ["diff", f"{place}/run"],
        ["diff", f"{place}/run@ingest", f"{place}/run@denoise"],
        ["report", f"{place}/run", "-o", "page.html"],
        ["card", f"{place}/run"],
        ["export", f"{place}/run", "out"],
        ["ocr", f"{place}/in/images", f"{place}/read", "-n"],
    ):
        code = invoke(words)
        said = capsys.readouterr()
        assert code == 0, (words, said)
        assert "s3:/b" not in said.out + said.err
    exported = json.loads(Path("out/train.json").read_bytes())
    assert all((Path("out") / name).exists() for row in exported for name in row["images"])


def test_pictures_of_a_run_there_are_found_from_another_machine(place: str) -> None:
    """A run that only the machine which made it can read is no shared run."""
    data = Dataset.open(f"{place}/run")
    image = next(record for record in data if record.images).images[0]
    assert data.pictures.read(image.path, image.sha256)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["show", "{}/nothing"], "there is no such file or folder"),
        (["report", "{}/run"], "--out FILE"),
        (["export", "{}/run", "{}/out"], "name a folder of this machine"),
        (
            ["diff", "{}/in/train.json", "{}/in/train.json", "--report", "{}/page.html"],
            "only runs are written in another place",
        ),
        (["denoise", "{}/in/train.json", "{}/in"], "holds the source"),
        (["denoise", "{}/in/train.json", "{}/in/images"], "is not empty and not a run of curate"),
        (["denoise", "{}/run", "{}/run"], "holds the source"),
        (["denoise", "{}/in/none.json", "{}/other"], "there is no such file or folder"),
    ],
)
def test_what_cannot_be_done_there_is_said(
    bucket: str,
    words: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A folder named `s3:` in the working folder is not what anybody wanted."""
    upload(DEMO, f"{bucket}/in")
    empty = {"recipe": {"name": "denoise"}, "steps_planned": []}
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.json").write_text(json.dumps(empty))
    upload(tmp_path / "run", f"{bucket}/run")
    monkeypatch.chdir(tmp_path)
    assert invoke([word.format(bucket) for word in words]) == 2
    assert said in capsys.readouterr().err
    assert not Path("s3:").exists()


def test_copies_can_go_when_everything_was_sent(place: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Copies fill the disk; those of work that exists nowhere else must stay."""
    run = ["denoise", f"{place}/in/train.json", f"{place}/run", "--set", "max_failed=10"]
    assert invoke(run) == 0
    capsys.readouterr()
    copy = next(cache_folder().glob("copies/runs/*/run"))  # type: ignore[union-attr]
    (copy / "new.txt").write_text("not sent yet")
    code, said = call(capsys, "cache", "--prune", "copies")
    assert (code, said["stay"], copy.exists()) == (0, [f"{place}/run"], True)
    assert invoke(run) == 0
    capsys.readouterr()
    code, planned = call(capsys, "cache", "--prune", "copies", "--dry-run")
    assert copy.exists()
    code, said = call(capsys, "cache", "--prune", "copies")
    assert (said["stay"], said["freed"] > 0, said["freed"]) == ([], True, planned["freed"])
    assert not copy.exists()
    assert "new.txt" in stored(f"{place}/run")
