"""How commands speak: results on stdout, talk on stderr, JSON when asked, plain text in pipes."""

from __future__ import annotations

import functools
import json
import os
import re
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")

Command = TypeVar("Command", bound=Callable[..., Any])


def printable(text: str) -> str:
    """Show control and invisible characters as `⟨U+001B⟩`, so that text of a dataset cannot steer a terminal."""
    return _UNPRINTABLE.sub(lambda match: f"⟨U+{ord(match.group()):04X}⟩", text)


class Output:
    """Where a command writes.

    Args:
        as_json: One JSON document on stdout, nothing else there.
        quiet: No talk but errors.
    """

    def __init__(self, as_json: bool = False, quiet: bool = False) -> None:
        self.as_json = as_json
        self.quiet = quiet

    @functools.cached_property
    def stdout(self) -> Console:
        """For results."""
        return _console(stderr=False)

    @functools.cached_property
    def stderr(self) -> Console:
        """For talk."""
        return _console(stderr=True)

    def json(self, value: Any) -> None:
        """Print one JSON document."""
        click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))

    def print(self, *what: RenderableType, **options: Any) -> None:
        """Print a result; nothing with `--json`."""
        if not self.as_json:
            self.stdout.print(*what, **options)

    def talk(self, *what: RenderableType, **options: Any) -> None:
        """Say something that is not the result; nothing with `--quiet`."""
        if not self.quiet:
            self.stderr.print(*what, **options)

    def hint(self, text: str) -> None:
        """Name the next step."""
        from rich.text import Text

        self.talk(Text.assemble(("next: ", "dim"), (text, "")), soft_wrap=True)


def _console(stderr: bool) -> Console:
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    terminal = stream.isatty()
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="replace")  # a terminal that knows no ✓ must not end the program
    return Console(
        stderr=stderr,
        highlight=False,
        soft_wrap=not terminal,
        width=None if terminal else int(os.environ.get("COLUMNS", "120")),
        force_interactive=terminal and not os.environ.get("CI"),
        no_color=not terminal or "NO_COLOR" in os.environ,
        force_terminal=terminal,
        legacy_windows=False,
    )


def common(function: Command) -> Command:
    """Give a command `--json`, `--quiet` and `--debug`, and its `Output` as the first argument."""

    @click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout.")
    @click.option("-q", "--quiet", is_flag=True, help="Say nothing but results and errors.")
    @click.option("--debug", is_flag=True, help="Show the traceback of an error.")
    @functools.wraps(function)
    def wrapped(*arguments: Any, as_json: bool, quiet: bool, debug: bool, **options: Any) -> Any:
        return function(Output(as_json, quiet), *arguments, **options)

    return wrapped  # type: ignore[return-value]
