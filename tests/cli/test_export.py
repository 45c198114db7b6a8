"""`curate export`: nothing that it did not write is touched, and no row goes without a word."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from curate.cli import execute
from curate.dataset.lock import exclusive
from curate.errors import Interrupted
from curate.pipeline.export_step import ExportStep


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_run_of_the_same_name_is_left_alone(curate: Any, good_chats: Path, tmp_path: Path) -> None:
    """Exporting chats to `train` must not wipe a person's run `work/train`."""
    curate("ingest", str(good_chats), "work/train")
    before = files(tmp_path / "work")

    done = curate("export", str(good_chats), "train")

    assert done.code == 0, done.err
    assert files(tmp_path / "work") == before
    assert (tmp_path / "train.ingest" / "run.json").exists()
    assert "train.ingest" in done.err


def test_a_folder_in_the_place_of_the_reading_run_is_left_alone(curate: Any, good_chats: Path, tmp_path: Path) -> None:
    """`train.ingest` may be somebody's folder by accident."""
    (tmp_path / "train.ingest").mkdir()
    (tmp_path / "train.ingest" / "note.txt").write_text("mine")

    done = curate("export", str(good_chats), "train")

    assert done.code == 2
    assert "not a run of curate" in done.err
    assert files(tmp_path / "train.ingest") == {"note.txt": b"mine"}


@pytest.mark.parametrize("name", ["file", "full", "foreign", "link", "."])
def test_a_place_that_is_no_export_is_left_alone(curate: Any, good_chats: Path, tmp_path: Path, name: str) -> None:
    """A slip in the last argument must not cost a person's file."""
    (tmp_path / "file").write_text("mine")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "cat.jpg").write_text("mine")
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "export.json").write_text('{"of": "another program"}')
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    before = files(tmp_path)

    done = curate("export", str(good_chats), name)

    assert done.code == 2
    assert files(tmp_path) == before
    assert (tmp_path / "link").is_symlink()


def test_an_export_replaces_an_older_one_and_what_killed_ones_left(
    curate: Any, good_chats: Path, tmp_path: Path
) -> None:
    """Killed exports leave folders as large as the training set, which nobody would find."""
    curate("export", str(good_chats), "train")
    for name in (".tmp-12-train", ".tmp-12-old-train", ".tmp-12-other", ".tmp-my-train"):
        (tmp_path / name).mkdir()

    done = curate("export", str(good_chats), "train", "--set", "max_pixels=200704")

    assert done.code == 0, done.err
    assert sorted(path.name for path in tmp_path.glob(".tmp-*")) == [".tmp-12-other", ".tmp-my-train"]


def test_two_exports_beside_each_other_do_not_mix(curate: Any, good_chats: Path, tmp_path: Path) -> None:
    """The second one would remove what the first one is writing."""
    curate("ingest", str(good_chats), "work/chats")
    with exclusive(tmp_path):
        done = curate("export", "work/chats", "train")

    assert done.code == 2
    assert "is writing in" in done.err
    assert not (tmp_path / "train").exists()


def test_bad_rows_of_a_source_are_told_with_exit_code_1(curate: Any, chats: Path, tmp_path: Path) -> None:
    """A training set that lacks rows in silence is a training set that nobody asked for."""
    done = curate("export", str(chats), "train")

    assert done.code == 1
    assert "what happened to every row" in done.out
    assert "bad_json 1, duplicate_id 1" in done.out
    assert "curate ls train.ingest --failed" in done.err
    assert len(json.loads((tmp_path / "train" / "train.json").read_text("utf-8"))) == 5


def test_bad_rows_may_be_allowed(curate: Any, chats: Path) -> None:
    """Whoever knows of the bad rows does not want exit code 1 in a script."""
    assert curate("export", str(chats), "train", "--set", "max_failed=2").code == 0


def test_too_many_bad_rows_are_listed(curate: Any, chats: Path, tmp_path: Path) -> None:
    """`all rows failed` alone does not say what to mend."""
    done = curate("export", str(chats), "train", "--set", "max_failed=1")

    assert done.code == 1
    assert "bad_json" in done.out
    assert "Traceback" not in done.err
    assert not (tmp_path / "train").exists()


def test_json_of_an_export_is_one_document_and_quiet_is_quiet(curate: Any, chats: Path) -> None:
    """Scripts read stdout, and cron mails stderr."""
    done = curate("export", str(chats), "train", "--json", "--quiet")

    assert json.loads(done.out)["read"]["failed_rows"] == 2
    assert done.err == ""


def test_rows_that_are_left_out_of_an_export_are_told(curate: Any, tmp_path: Path) -> None:
    """Nothing is wrong with them, so the exit code is 0, but their number must be seen."""
    lines = [
        {"messages": [{"role": "user", "content": "在吗"}, {"role": "assistant", "content": "在的"}]},
        {"messages": [{"role": "user", "content": "有人吗"}]},
    ]
    (tmp_path / "chats.jsonl").write_text("\n".join(map(json.dumps, lines)), "utf-8")

    done = curate("export", "chats.jsonl", "train")

    assert "left out: " in done.out
    assert done.code == 0, done.err


@pytest.mark.parametrize("where", ["reading", "writing"])
def test_an_interrupted_export_says_how_to_go_on(
    curate: Any, good_chats: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """Ctrl-C in an export is no error; the same command continues."""

    def interrupted(*_: Any, **__: Any) -> None:
        raise Interrupted(15)

    monkeypatch.setattr(*((execute, "run") if where == "reading" else (ExportStep, "run")), interrupted)

    done = curate("export", str(good_chats), "train")

    assert done.code == 143
    assert "continues where it stopped" in done.err


def test_reading_a_source_uses_the_cache(curate: Any, good_chats: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it pictures are read again for each export."""
    seen: list[Any] = []

    def watched(*_: Any, **options: Any) -> None:
        seen.append(options["cache"])
        raise Interrupted

    monkeypatch.setattr(execute, "run", watched)
    curate("export", str(good_chats), "train")

    assert seen == [execute.cache_folder()]
    assert seen[0] is not None
