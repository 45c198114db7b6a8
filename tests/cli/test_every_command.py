"""What holds for every command, the next one included: the table of commands is gone through whole."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click
import pytest
from session import CALLS, arguments, commands, elsewhere, prepare, words
from stub_server import Stub, serving

from curate.cli.main import invoke

SUPPORT = Path(__file__).parents[1] / "support"


class Session(NamedTuple):
    """A folder in which all calls work."""

    server: str
    """Address of a model server."""

    def typed(self, name: str, turn: int) -> list[str]:
        """What is typed for a call; another turn has other outputs where they must be new."""
        return arguments(name, turn, self.server)


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """A folder with everything that the calls need, and a server to ask; gives what is typed for a call."""
    folder = tmp_path_factory.mktemp("session")
    prepare(folder)
    with pytest.MonkeyPatch.context() as patch, serving(Stub()) as stub:
        patch.chdir(folder)
        patch.setenv("CURATE_CACHE", str(folder / "cache"))
        patch.delenv("COLUMNS", raising=False)
        yield Session(stub.url)


def test_the_session_calls_every_command() -> None:
    """A command that is not called here may break every habit of the others."""
    called = {tuple(word for word in words(name) if not word.startswith("-")) for name in CALLS}

    assert {name for name, _ in commands()} == called


def test_pipes_get_plain_text(
    session: Session, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Colours and bars in a log file are noise, whatever a CI system sets."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("CI", "1")
    bad = []
    for name in CALLS:
        code = invoke(session.typed(name, 1))
        said = capsys.readouterr()
        if code not in (0, 1) or "\x1b" in said.out + said.err or "\r" in said.out + said.err:
            bad.append((name, code, said.err[-500:]))

    assert bad == []


def test_json_is_all_that_stdout_has(session: Session, capsys: pytest.CaptureFixture[str]) -> None:
    """One stray line breaks every program that reads it."""
    bad = []
    for name in CALLS:
        code = invoke([*session.typed(name, 2), "--json"])
        said = capsys.readouterr()
        try:
            json.loads(said.out)
        except ValueError:
            bad.append((name, code, said.out[:200], said.err[-300:]))

    assert bad == []


@pytest.mark.parametrize(("encoding", "form"), [("ascii", ()), ("cp1252", ("--json",))])
def test_a_stream_that_cannot_write_chinese_ends_nothing(
    session: Session, monkeypatch: pytest.MonkeyPatch, encoding: str, form: tuple[str, ...]
) -> None:
    """LC_ALL=C on a server, cp1252 on Windows: the work must not be lost for a tick mark."""
    bad = []
    for name in CALLS:
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="") for _ in "12")
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "stderr", err)
            code = invoke([*session.typed(name, 3 + len(form)), *form])
        out.flush()
        err.flush()
        told = out.buffer.getvalue().decode(encoding)  # type: ignore[attr-defined]
        if code not in (0, 1) or (form and json.loads(told) is Ellipsis):
            bad.append((name, code, err.buffer.getvalue()[-300:]))  # type: ignore[attr-defined]

    assert bad == []


@pytest.mark.parametrize("name", [name for name, _ in commands()], ids=" ".join)
def test_a_mistyped_option_is_answered_with_the_right_one(
    name: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody reads the whole help for one letter."""
    code = invoke([*name, "--jsno"])
    said = capsys.readouterr()

    assert (code, said.out) == (2, "")
    assert "--json" in said.err


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["diff", "a", "b", "--on-duplicate-key", "eror"], "'error'"),
        (["report", "run", "--redact", "strickt"], "'strict'"),
        (["diff", "a", "b", "--text-diff", "zzz"], None),
    ],
)
def test_a_mistyped_choice_is_answered_with_the_right_one(
    words: list[str], meant: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    """The list of allowed values may be long; what was meant is one of them."""
    assert invoke(words) == 2
    said = capsys.readouterr().err
    assert f"Did you mean {meant}?" in said if meant else "Did you mean" not in said


def test_what_is_chosen_from_a_list_is_suggested(capsys: pytest.CaptureFixture[str]) -> None:
    """`--lang chinese` must say which languages there are."""
    for name, command in commands():
        for option in command.params:
            if isinstance(option.type, click.Choice) and isinstance(option, click.Option):
                context = click.Context(command)
                with pytest.raises(click.BadParameter) as caught:
                    option.type.convert("nonsense", option, context)
                assert str(next(iter(option.type.choices))) in caught.value.format_message(), (name, option.name)


def test_a_dry_run_changes_no_byte(session: Session, capsys: pytest.CaptureFixture[str]) -> None:
    """Looking must be free, in every command that offers it."""
    dry = {name for name, command in commands() if any("--dry-run" in option.opts for option in command.params)}
    calls = [name for name in CALLS if words(name) in dry]
    assert {words(name) for name in calls} == dry
    for name in calls:
        before = tree(Path())
        typed = elsewhere(name, "fresh", session.server) or session.typed(name, 9)
        code = invoke([*typed, *(["--prune", "all"] if name == "cache" else []), "--dry-run"])
        preview = name.startswith("denoise --") or name == "ocr --text"
        after = tree(Path())
        assert (name, code) == (name, 2 if preview else 0), capsys.readouterr().err
        assert (name, dict(before.items() ^ after.items())) == (name, {})


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["read-only", "full"])
def test_a_disk_that_takes_nothing_is_an_error_with_one_line(session: Session, kind: str) -> None:
    """A traceback, or a run that seems to be done, is how a night is lost."""
    if subprocess.run(["unshare", "-rm", "true"], check=False, capture_output=True).returncode:
        pytest.skip("this system gives no namespace to mount a small disk in")
    for name in CALLS:
        invoke([*session.typed(name, 11), "-q"])
    command = ["unshare", "-rm", sys.executable, str(SUPPORT / "bad_disk.py"), kind, session.server]
    path = os.pathsep.join([str(SUPPORT), *(one for one in sys.path if one)])
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)
    errors = {name: (code, said) for name, code, said in answers}

    assert set(errors) == {name for name in CALLS if elsewhere(name, "x")}
    wrong = {n: e for n, e in errors.items() if e[0] != 2 or kind not in e[1].lower() or "Traceback" in e[1]}
    assert wrong == {}
    assert [name for name, (_, said) in errors.items() if "--out" in said] == []  # most commands have no such option


def tree(folder: Path) -> dict[str, str]:
    """Every file with the hash of its bytes; two files of SQLite come and go by reading."""
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        for path in sorted(folder.rglob("*"))
        if not path.name.endswith(("-shm", "-wal"))
    }


def test_the_help_of_no_command_imports_what_is_heavy() -> None:
    """Help that takes seconds is help that nobody reads."""
    heavy = {"pandas", "polars", "PIL", "numpy", "torch", "rich", "pyarrow", "cv2"}
    names = [list(name) for name, _ in commands()]
    code = (
        "import contextlib, io, sys\nfrom curate.cli.main import invoke\n"
        f"for name in {names!r}:\n"
        "    with contextlib.redirect_stdout(io.StringIO()):\n"
        "        assert invoke([*name, '--help']) == 0, name\n"
        f"    assert not {heavy!r} & set(sys.modules), (name, {heavy!r} & set(sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.stderr == ""
