"""The command line's habits: quick help, clean streams, exit codes, clear errors."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import get_completion_class

from curate.cli.main import COMMANDS

HEAVY = {"pandas", "polars", "pyarrow", "numpy", "PIL", "rich", "pydantic", "torch", "cv2"}


def curate(*arguments: str, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the installed command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "curate.cli.main", *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p), **environment},
        check=False,
    )


def chats(folder: Path, rows: int = 12) -> Path:
    """A small source that needs no pictures."""
    path = folder / "chats.jsonl"
    lines = [
        {
            "messages": [
                {"role": "user", "content": f"第{n}款灯可以调光吗"},
                {"role": "assistant", "content": "可以调节三档亮度"},
            ]
        }
        for n in range(rows)
    ]
    path.write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in lines), "utf-8")
    return path


def test_help_is_quick_and_imports_nothing_heavy() -> None:
    """Help that takes seconds is help that nobody reads. (Processor time: a busy machine is not our fault.)"""
    code = (
        "import sys\nimport curate.cli.main as m\nm.invoke(['--help'])\n"
        f"print({HEAVY!r} & set(sys.modules), file=sys.stderr)"
    )
    best = 9.0
    for _ in range(5):
        before = os.times()
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        after = os.times()
        best = min(best, after.children_user + after.children_system - before.children_user - before.children_system)

    assert done.stderr.strip() == "set()"
    assert best < 0.25


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_help_with_examples(name: str) -> None:
    """An option without an example is an option that is guessed."""
    done = curate(name, "--help")

    assert done.returncode == 0
    assert "Examples:" in done.stdout
    assert "--json" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["rnu"], "did you mean 'run'"),
        (["run", "demmo"], "did you mean 'demo'"),
        (["run", "demo", "--st", "x=1"], "--set"),
        (["run", "missing.yaml"], "there is no recipe file missing.yaml"),
        (["ingest", "nothing.json", "out"], "there is no such file"),
        (["show", "nowhere"], "there is no dataset nowhere"),
        (["reasons", "image_trunkated"], "did you mean 'image_truncated'"),
        (["schema", "recipee"], "recipe"),
    ],
)
def test_a_wrong_command_is_answered_with_the_right_one(tmp_path: Path, arguments: list[str], said: str) -> None:
    """Errors say what, where, and how to fix it; on stderr, with exit code 2."""
    done = curate(*arguments, cwd=tmp_path)

    assert done.returncode == 2
    assert said in done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", [[], ["thesaurus"]])
def test_a_group_without_a_command_shows_its_help(arguments: list[str]) -> None:
    """A first look is no error; scripts that forgot the command still stop."""
    done = curate(*arguments)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Usage: curate")


@pytest.mark.parametrize("arguments", [["reasons"], ["reasons", "--json"], ["show", "run"], ["ls", "."]])
def test_a_reader_who_has_seen_enough_is_no_failure(tmp_path: Path, arguments: list[str]) -> None:
    """`curate show RUN | head -1` with `set -o pipefail`: exit code 1 would say that rows failed."""
    (tmp_path / "in.jsonl").write_text('{"text": "a"}\n' * 3, "utf-8")
    assert curate("ingest", "in.jsonl", "run", cwd=tmp_path).returncode == 0
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "curate.cli.main", *arguments],
        cwd=tmp_path,
        stdout=writing,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writing)
    assert (done.returncode, b"Traceback" in done.stderr) == (0, False), done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a device that is always full")
def test_a_full_disk_is_no_bug(tmp_path: Path) -> None:
    """Nobody should report a bug because a disk is full, or a name too long."""
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "curate.cli.main", "reasons"], stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert (done.returncode, b"No space left" in done.stderr, b"bug" in done.stderr) == (2, True, False)
    named = curate("ingest", str(Path(__file__)), "x" * 300, cwd=tmp_path)
    assert (named.returncode, "File name too long" in named.stderr) == (2, True)


def test_errors_are_json_when_asked(tmp_path: Path) -> None:
    """A script must not parse sentences."""
    done = curate("show", "nowhere", "--json", cwd=tmp_path)

    assert json.loads(done.stderr)["exit_code"] == 2


def test_a_whole_session_speaks_json_on_stdout_and_nothing_else(tmp_path: Path) -> None:
    """One stray line on stdout breaks every pipe."""
    source = str(chats(tmp_path))
    session = [
        ["denoise", source, "work/clean"],
        ["ls"],
        ["ls", "work/clean"],
        ["ls", "work/clean", "--failed", "--dropped"],
        ["show", "work/clean"],
        ["show", "work/clean", "0"],
        ["why", "0", "--run", "work/clean"],
        ["export", "work/clean", "train"],
        ["reasons"],
        ["schema", "recipe"],
        ["schema", "record"],
        ["schema", "ledger"],
        ["completion", "bash"],
        ["version"],
        ["cache"],
        ["init", "project"],
        ["denoise", source, "work/clean", "--dry-run"],
    ]
    for arguments in session:
        done = curate(*arguments, "--json", cwd=tmp_path)

        assert done.returncode == 0, (arguments, done.stderr)
        json.loads(done.stdout)


def test_piped_output_has_no_escape_sequences(tmp_path: Path) -> None:
    """Colours in a log file are noise."""
    for environment in ({}, {"FORCE_COLOR": "1", "CI": "1"}, {"NO_COLOR": "1"}):
        done = curate("denoise", str(chats(tmp_path)), f"work/{len(environment)}", cwd=tmp_path, **environment)

        assert done.returncode == 0
        assert "\x1b" not in done.stdout + done.stderr
        assert "\r" not in done.stdout + done.stderr


def test_text_of_a_dataset_cannot_steer_the_terminal(tmp_path: Path) -> None:
    """A dialogue that clears the screen, or recolours it, is an attack."""
    path = tmp_path / "evil.jsonl"
    path.write_text(json.dumps({"text": "\x1b[2J[red]危险[/red] \u202etxt", "id": "\x1b]0;x"}), "utf-8")
    curate("ingest", str(path), "work/evil", cwd=tmp_path)

    shown = curate("show", "work/evil", cwd=tmp_path).stdout

    assert "\x1b" not in shown
    assert "⟨U+001B⟩[2J[red]危险[/red]" in shown


def test_an_ascii_terminal_does_not_crash_the_program(tmp_path: Path) -> None:
    """A server without a locale is where long runs happen."""
    done = curate(
        "denoise", str(chats(tmp_path)), "work/a", cwd=tmp_path, LC_ALL="C", PYTHONIOENCODING="ascii", PYTHONUTF8="0"
    )

    assert done.returncode == 0


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    """Looking must be free."""
    done = curate("denoise", str(chats(tmp_path)), "work/x", "--dry-run", cwd=tmp_path)

    assert "denoise" in done.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["chats.jsonl"]


def test_a_folder_that_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    """Nobody forgives a tool that overwrites their photos."""
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.txt").write_text("meow")

    done = curate("denoise", str(chats(tmp_path)), "photos", cwd=tmp_path)

    assert done.returncode == 2
    assert "not a run of curate" in done.stderr
    assert [path.name for path in (tmp_path / "photos").iterdir()] == ["cat.txt"]


def test_completion_works_for_every_shell() -> None:
    """TAB is how people learn a tool."""
    for shell in ("bash", "zsh", "fish", *(["powershell"] if get_completion_class("powershell") else [])):
        assert "_CURATE_COMPLETE" in curate("completion", shell).stdout
    done = curate(_CURATE_COMPLETE="bash_complete", COMP_WORDS="curate de", COMP_CWORD="1")
    assert "denoise" in done.stdout


EXTRAS = (
    "paddleocr", "paddle", "vllm", "synonyms", "ray", "s3fs", "mlcroissant", "tokenizers", "opencc", "datasets", "torch",
)  # fmt: skip


def test_options_are_completed_with_every_extra_missing() -> None:
    """One broken package must not kill TAB for all commands."""
    code = (
        f"import sys\nsys.modules.update(dict.fromkeys({EXTRAS!r}))\n"
        "from click.shell_completion import ShellComplete\nfrom curate.cli.main import COMMANDS, cli\n"
        "complete = ShellComplete(cli, {}, 'curate', '_CURATE_COMPLETE').get_completions\n"
        "for name in COMMANDS:\n"
        "    assert '--help' in {one.value for one in complete([name], '--')}, name\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.stderr == ""


def test_a_plan_says_what_it_guesses_and_why_a_source_is_read_again(tmp_path: Path) -> None:
    """`31,023 rows` of a file that has 30,000, and `8 of 1 inputs changed`, cost the rest of the plan its credit."""
    lines = [json.dumps({"id": str(n), "text": "x" * (n % 7 + 1)}) for n in range(300)]
    (tmp_path / "in.jsonl").write_text("\n".join(lines), "utf-8")
    command = ["quality", "in.jsonl", "out", "--of", "text", "--set", "input.shard_rows=50"]

    def planned() -> list[str]:
        told = curate(*command, "--dry-run", cwd=tmp_path).stdout
        return next(line for line in told.splitlines() if line.split()[:1] == ["ingest"]).split(None, 3)

    assert planned()[2].startswith("~")
    assert curate(*command, cwd=tmp_path).returncode == 0
    assert planned()[1:3] == ["reuse", "300"]
    (tmp_path / "in.jsonl").write_text("\n".join([*lines, '{"text": "y"}']), "utf-8")
    assert planned()[3].startswith("its input changed")
