"""How commands speak: results on stdout, talk on stderr, JSON when asked, plain text in pipes."""

from __future__ import annotations

import functools
import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TextIO, TypeVar

import click

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")

_PAGE = 120
"""Columns of prose and frames in a pipe."""
_ENDLESS = 1_000_000
"""Columns of lines and tables in a pipe."""

Color = Literal["auto", "always", "never"]
Command = TypeVar("Command", bound=Callable[..., Any])


def printable(text: str) -> str:
    """Show control and invisible characters as `⟨U+001B⟩`, so that text of a dataset cannot steer a terminal."""
    return _UNPRINTABLE.sub(lambda match: f"⟨U+{ord(match.group()):04X}⟩", text)


def inert(text: str, stream: TextIO | None = None) -> str:
    """Write in JSON as `\\u009b` what could steer a terminal; to a program the document is the same.

    Where a stream is given that cannot write all characters (ASCII, cp1252), every one beyond ASCII is escaped.
    """
    told = _UNPRINTABLE.sub(lambda match: f"\\u{ord(match.group()):04x}", text)
    try:
        told.encode(getattr(stream, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        told = "".join(one if one.isascii() else json.dumps(one)[1:-1] for one in told)
    return told


class Output:
    """Where a command writes. Strings are plain text: square brackets in a path are square brackets.

    Args:
        as_json: One JSON document on stdout, nothing else there.
        quiet: No talk but errors.
        color: `auto` is for terminals, unless NO_COLOR is set or the terminal is `dumb`.
    """

    def __init__(self, as_json: bool = False, quiet: bool = False, color: Color = "auto") -> None:
        self.as_json = as_json
        self.quiet = quiet
        self.color = color

    @functools.cached_property
    def stdout(self) -> Console:
        """For results."""
        return _console(sys.stdout, self.color)

    @functools.cached_property
    def stderr(self) -> Console:
        """For talk; where nobody listens any more, nothing is said and nothing breaks."""
        return _console(_Patient(sys.stderr), self.color)

    def json(self, value: Any) -> None:
        """Print one JSON document."""
        click.echo(inert(json.dumps(value, ensure_ascii=False, indent=2, default=str), sys.stdout))

    def print(self, *what: RenderableType, page: bool = False) -> None:
        """Print a result; nothing with `--json`.

        Args:
            what: Texts and tables. In pipes their lines are as long as they are, so that no name is cut in two.
            page: Fold to the width of a page instead, as prose and frames need it.
        """
        if self.as_json:
            return
        what = tuple(printable(one) if isinstance(one, str) else one for one in what)
        if self.stdout.is_terminal:
            self.stdout.print(*what)
            return
        with self.stdout.capture() as captured:
            self.stdout.print(*what, width=_columns() or _PAGE if page else None, soft_wrap=not page)
        text = captured.get()
        self.stdout.file.write("\n".join(line.rstrip() for line in text.split("\n")))
        self.stdout.file.flush()

    def talk(self, what: RenderableType) -> None:
        """Say something that is not the result; nothing with `--quiet`."""
        if not self.quiet:
            self.stderr.print(printable(what) if isinstance(what, str) else what)

    def hint(self, text: str) -> None:
        """Name the next step; paths in it are quoted for the shell (`summary.typed`)."""
        from rich.text import Text

        if not self.quiet:
            self.stderr.print(Text.assemble(("next: ", "dim"), (printable(text), "")), soft_wrap=True)


class _Patient:
    """A stream whose reader may go away (`2>&1 | head -1`): what cannot be said is not said."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream if stream is not None else open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except BrokenPipeError:
            let_go(self._stream)
            return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except BrokenPipeError:
            let_go(self._stream)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def whoever_reads() -> Iterator[None]:
    """Print what goes before more work, or before an exit code that counts, even if nobody reads it any more."""
    try:
        yield
    except BrokenPipeError:
        let_go(sys.stdout)


def spare(option: str, target: Path, *read: Path | None) -> None:
    """Refuse to write over a file that the command reads.

    Raises:
        click.UsageError: `target` is one of the files of `read`; `option` names what it was given for.
    """
    if any(one is not None and one.exists() and target.exists() and target.samefile(one) for one in read):
        raise click.UsageError(f"{option} {target} would overwrite what is read from it; choose another name")


def never_fail(stream: Any) -> None:
    """Write `?` for what a stream cannot say: a terminal that knows no ✓ must not end the program."""
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="replace")


def let_go(stream: TextIO | None) -> None:
    """Send what is still to be written to a stream nowhere, because whoever read it has seen enough."""
    if stream is None:
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _columns() -> int | None:
    """The width that somebody asked for; shells do not export theirs."""
    asked = os.environ.get("COLUMNS", "")
    return max(20, int(asked)) if asked.isdecimal() and len(asked) < 6 else None


def _console(stream: Any, color: Color) -> Console:
    from rich.console import Console

    class Piped(Console):
        """A console that leaves it to the program what a reader who went away means; rich would exit with code 1."""

        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    if stream is None:  # the shell closed it
        stream = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    terminal = stream.isatty()
    never_fail(stream)
    return Piped(
        file=stream,
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=not terminal,
        width=None if terminal else _columns() or _ENDLESS,
        force_interactive=terminal and not os.environ.get("CI"),
        color_system=None if color == "never" else "auto",
        no_color=color != "always" and (not terminal or "NO_COLOR" in os.environ),
        force_terminal=terminal or color == "always",
        legacy_windows=False,
    )


def common(function: Command) -> Command:
    """Give a command `--json`, `--quiet`, `--color` and `--debug`, and its `Output` as the first argument."""

    @click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout.")
    @click.option("-q", "--quiet", is_flag=True, help="Say nothing but results and errors.")
    @click.option(
        "--color", type=click.Choice(["auto", "always", "never"]), default="auto", help="Whether to use colours."
    )
    @click.option("--debug", is_flag=True, help="Show the traceback of an error.")
    @functools.wraps(function)
    def wrapped(*arguments: Any, as_json: bool, quiet: bool, color: Color, debug: bool, **options: Any) -> Any:
        return function(Output(as_json, quiet, color), *arguments, **options)

    return wrapped  # type: ignore[return-value]
