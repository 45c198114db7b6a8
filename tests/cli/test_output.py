"""How commands speak: plain text, quoted hints, and patience with readers that go away."""

from __future__ import annotations

import errno
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from curate.cli import progress
from curate.cli.progress import LineProgress
from curate.dataset.files import write_error


def test_brackets_in_paths_are_brackets(curate: Any, chats: Path, tmp_path: Path) -> None:
    """`photos [red]` is a folder, and `[/b]` is no reason to crash."""
    folder = tmp_path / "photos [red]"
    folder.mkdir()
    chats.rename(folder / "chats.jsonl")

    done = curate("ingest", "photos [red]/chats.jsonl", "work/x[/b] [bold]", "--set", "max_failed=9")

    assert done.code == 0, done.err
    assert "ingest → work/x[/b] [bold]" in done.err
    assert "work/x[/b] [bold]" in curate("ls", "work/x[").out
    assert "no rows dropped in work/x[/b] [bold]" in curate("ls", "work/x[/b] [bold]", "--dropped").err
    assert "work/x[/b] [bold]" in curate("show", "work/x[/b] [bold]").out
    assert "x[/b] [bold]" in curate("ingest", "photos [red]/chats.jsonl", "work/x[/b] [bold]", "--dry-run").out


def test_a_hint_can_be_pasted_into_a_shell(curate: Any, chats: Path) -> None:
    """A path with a blank in it is two arguments."""
    done = curate("ingest", str(chats), "work/my run; ls")

    assert "curate ls 'work/my run; ls' --failed" in done.err
    assert "curate show 'work/my run; ls'" in done.err
    assert "cd 'my project' && curate run" in curate("init", "my project").err
    assert "curate show 'work/my run; ls' UID" in curate("show", "work/my run; ls", "-n", "1").err


@pytest.mark.parametrize("closing", ["2>&1 | head -n 1", "2>&1 | true", "| true", "2>&-", ">&-", ">&- 2>&-"])
@pytest.mark.parametrize("command", ["ingest", "export"])
def test_a_reader_that_goes_away_does_not_end_a_run(chats: Path, command: str, closing: str) -> None:
    """`2>&1 | head -1` must not cost the night's run, nor its exit code."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    redirect, _, reader = closing.partition("|")
    line = f"({sys.executable} -m curate.cli.main {command} chats.jsonl x {redirect}; echo $? > code)"
    line += f" | (sleep 0.1; {reader})" if reader else ""
    subprocess.run(["bash", "-c", line], cwd=chats.parent, env=environment, check=False, capture_output=True)

    assert (chats.parent / "code").read_text() == "1\n"
    done = "x/run.json" if command == "ingest" else "x/export.json"
    assert (chats.parent / done).exists()


def test_the_rate_does_not_count_the_loading_of_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """An hour promised for a minute's work makes people press Ctrl-C."""
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    said = io.StringIO()
    lines = LineProgress(Console(file=said, width=200))
    lines.start("ocr", 1000, "images", "")
    for second, units in ((100, 1), (131, 310)):
        now[0] = second
        lines.advance(units, 0)

    assert said.getvalue().splitlines() == [
        "ocr 1/1,000 0% failed 0",
        "ocr 311/1,000 31% 10.0 images/s eta 1 min 9 s failed 0",
    ]


def test_init_does_not_replace_edited_sample_data(curate: Any, tmp_path: Path) -> None:
    """Somebody may have made the sample data their own."""
    sample = tmp_path / "s" / "demo" / "train.json"
    sample.parent.mkdir(parents=True)
    sample.write_text("mine")

    done = curate("init", "s")

    assert done.code == 2
    assert "demo/train.json is there already" in done.err
    assert sample.read_text() == "mine"
    assert not (tmp_path / "s" / "curate.yaml").exists()
    assert curate("init", "s", "--force").code == 0
    assert sample.read_text() != "mine"


def test_a_pipe_is_no_source(curate: Any, tmp_path: Path) -> None:
    """It waited for ever."""
    os.mkfifo(tmp_path / "pipe")

    for command in ("ingest", "export", "show"):
        done = curate(command, "pipe", *(["out"] if command != "show" else []))
        assert done.code == 2
    assert "save it to a file first" in curate("ingest", "pipe", "out").err


def on_a_terminal(*arguments: str, **environment: str) -> str:
    """What a command writes to a terminal."""
    import pty

    child, terminal = pty.fork()
    if child == 0:
        os.environ.update({"TERM": "xterm-256color", "COLUMNS": "100", **environment})
        os.environ["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        os.execv(sys.executable, [sys.executable, "-m", "curate.cli.main", *arguments])
    said = b""
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # Linux tells the end so
            break
        if not part:
            break
        said += part
    os.waitpid(child, 0)
    os.close(terminal)
    return said.decode("utf-8", "replace")


COLOUR = re.compile(r"\x1b\[(?:\d+;)*(?:3[0-8]|4[0-8]|9[0-7])(?:;\d+)*m")


@pytest.mark.parametrize(
    ("options", "environment", "colours", "any_sequence"),
    [
        ((), {}, True, True),
        ((), {"NO_COLOR": "1"}, False, True),
        (("--color", "always"), {"NO_COLOR": "1"}, True, True),
        (("--color", "never"), {}, False, False),
        ((), {"TERM": "dumb"}, False, False),
    ],
)
def test_colours_are_for_terminals_that_want_them(
    chats: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[str, ...],
    environment: dict[str, str],
    colours: bool,
    any_sequence: bool,
) -> None:
    """NO_COLOR is a promise; a pipe alone cannot show whether it is kept."""
    monkeypatch.chdir(chats.parent)
    (chats.parent / "b.jsonl").write_text(chats.read_text("utf-8").replace("灯", "台灯"), "utf-8")

    said = on_a_terminal("diff", "chats.jsonl", "b.jsonl", *options, **environment)

    assert "different" in said
    assert (bool(COLOUR.search(said)), "\x1b[" in said) == (colours, any_sequence)


def test_options_of_all_commands_may_stand_before_the_command(curate: Any, chats: Path) -> None:
    """`curate -q run` is a habit from other tools; an error that names no way out teaches nothing."""
    assert curate("-q", "ingest", str(chats), "work/x", "--set", "max_failed=9").err == ""
    assert json.loads(curate("--json", "--color", "never", "version").out)["curate"]
    assert json.loads(curate("--color=never", "--json", "show", "nowhere").err)["exit_code"] == 2
    assert curate("-q").code == 2


@pytest.mark.parametrize("out", ["file/out", "file", "full", "chats.jsonl"])
@pytest.mark.parametrize("command", ["split", "ingest", "export"])
def test_advice_names_no_option_that_a_command_lacks(curate: Any, chats: Path, command: str, out: str) -> None:
    """`choose another folder with --out` was the answer of commands that answer `No such option: --out`."""
    (chats.parent / "file").write_text("mine", "utf-8")
    (chats.parent / "full").mkdir()
    (chats.parent / "full" / "cat.jpg").write_text("mine", "utf-8")

    done = curate(command, "chats.jsonl", out)

    assert (done.code, "--out" in done.err) == (2, False), done.err


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.EPERM])
def test_a_place_that_takes_nothing_is_answered_without_an_option(number: int) -> None:
    """The same for a disk that is read-only, whatever writes on it."""
    assert str(write_error(Path("x"), OSError(number, "no"))).endswith("; choose another place")
