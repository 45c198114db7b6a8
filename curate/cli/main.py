"""The `curate` command: groups the commands, loads each only when it is called, turns errors into exit codes."""

from __future__ import annotations

import difflib
import errno
import importlib
import os
import re
import sys
from typing import TYPE_CHECKING, Any

import click

from curate import __version__, errors
from curate.cli.output import inert, let_go, never_fail, printable

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

COMMANDS = {
    "run": "run a recipe, or continue a run that was interrupted",
    "ingest": "read a source into a dataset",
    "ocr": "read the text in pictures",
    "denoise": "take the noise out of dialogues",
    "rules": "list denoising rules, explain one, or test a file of your own",
    "label": "check labels; write coarse-fine answers, or the way back",
    "quality": "score pictures, texts and OCR",
    "filter": "drop what is beyond a threshold",
    "dedup": "drop records that occur twice",
    "split": "share out train, val and test without leaks",
    "balance": "give each label a floor and a cap",
    "augment-text": "add copies in other words",
    "augment-image": "add copies with changed pictures",
    "thesaurus": "write a table of synonyms for augment-text",
    "export": "write a training set",
    "card": "measure a dataset and keep its data card",
    "serve": "print how to serve a model for an export",
    "infer": "ask a fine-tuned model",
    "select": "let the answers of models become labels",
    "evaluate": "score predictions",
    "submit": "write a challenge's submission file from predictions",
    "show": "show a dataset or one record",
    "diff": "tell what changed between two data sets, or in a run",
    "report": "write a run as an HTML page",
    "why": "tell what happened to one record",
    "ls": "list runs, or the steps of one run",
    "reasons": "list every code of the ledger and what it means",
    "schema": "print the schema of recipes, records or the ledger",
    "cache": "show, verify or prune what OCR has read",
    "init": "write a recipe to start from",
    "doctor": "check this machine",
    "completion": "print the shell's completion script",
    "version": "print versions",
}
"""Command names, in the order of `--help`, with one line each; the code is in `curate/cli/NAME.py`."""

EXIT_CODES = """\b
Exit codes:
  0    done
  1    rows failed, or a check did not pass
  2    the command, the recipe or the input is wrong
  70   a bug in curate
  130  stopped with Ctrl-C; run the same command to continue
  143  ended by SIGTERM; run the same command to continue
"""
_COMMON = ("--json", "-q", "--quiet", "--debug")
"""Options of every command that may stand before it, too."""


_OUTSIDE = {
    errno.EACCES, errno.EDQUOT, errno.EIO, errno.ELOOP, errno.EMFILE, errno.ENAMETOOLONG, errno.ENOSPC, errno.EPERM,
    errno.EROFS,
}  # fmt: skip
"""What a disk, a file system or its rights refuse; no bug of curate, wherever it comes up."""
_NO_ARGUMENTS: tuple[type[click.UsageError], ...] = (
    (click.exceptions.NoArgsIsHelpError,) if hasattr(click.exceptions, "NoArgsIsHelpError") else ()
)
"""What click raises where a group is called without a command; before 8.2 it printed the help itself."""


class LazyGroup(click.Group):
    """A group that knows its commands by name and imports one only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All commands, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"curate.cli.{cmd_name.replace('-', '_')}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say what it may have been meant to be."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            hint = f"did you mean '{near[0]}'?" if near else "commands: " + ", ".join(COMMANDS)
            raise click.UsageError(f"there is no command '{args[0]}'; {hint}", ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a reader of its output who has seen enough is no failure, for which click would exit 1."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            let_go(sys.stdout)
            return 0

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from the table, importing none."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete command names from the table, so that one broken extra cannot break TAB."""
        from click.shell_completion import CompletionItem

        names = [CompletionItem(name, help=text) for name, text in COMMANDS.items() if name.startswith(incomplete)]
        return names or super().shell_complete(ctx, incomplete)


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=EXIT_CODES,
)
@click.version_option(__version__, "-V", "--version", message="curate %(version)s")
def cli() -> None:
    """Turn customer-service dialogues and screenshots into training sets, with every row accounted for.

    \b
    Start with:
      curate run demo            the whole pipeline on a small shipped dataset
      curate init                a recipe of your own

    Every command takes --json, --quiet, --color and --debug, before its name or behind it.
    """


def main() -> None:
    """Run the command line and exit."""
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")  # as in the workers, see pipeline/pool.py
    sys.exit(invoke(sys.argv[1:]))


def invoke(arguments: list[str]) -> int:
    """Run one command; give the exit code. All errors are told on stderr."""
    arguments = _behind_command(arguments)
    as_json = "--json" in arguments
    for stream in (sys.stdout, sys.stderr):
        never_fail(stream)
    debug = "--debug" in arguments or bool(os.environ.get("CURATE_DEBUG"))
    try:
        result = cli.main(arguments, prog_name="curate", standalone_mode=False)
        if sys.stdout is not None:
            sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except BrokenPipeError:
        let_go(sys.stdout)
        return 0
    except (click.exceptions.Abort, KeyboardInterrupt):
        return _tell("interrupted", 130, as_json)
    except _NO_ARGUMENTS as error:  # its message is the help
        click.echo(error.format_message(), err=True)
        return 2
    except click.ClickException as error:
        return _tell(_with_help(error), 2, as_json)
    except Exception as error:  # the last boundary: a bug is told as one
        if debug:
            raise
        if isinstance(error, OSError) and error.errno in _OUTSIDE:
            return _tell(f"{error.filename or 'the output'}: {error.strerror}", 2, as_json)
        code = exit_code(error)
        text = str(error) if isinstance(error, errors.CurateError) and code != 70 else _bug(error)
        return _tell(text, code, as_json)


def _behind_command(arguments: list[str]) -> list[str]:
    """Put options that every command has behind the command, for whom `curate -q run` is a habit."""
    front: list[str] = []
    rest = list(arguments)
    while rest and (rest[0] in _COMMON or rest[0].startswith("--color")):
        front.append(rest.pop(0))
        if front[-1] == "--color" and rest:
            front.append(rest.pop(0))
    if not rest or rest[0].startswith("-"):
        return arguments
    end = rest.index("--") if "--" in rest else len(rest)
    return [*rest[:end], *front, *rest[end:]]


def exit_code(error: BaseException) -> int:
    """The exit code of an error; the tree is in `curate.errors`."""
    if isinstance(error, errors.UsageError):
        return 2
    if isinstance(error, errors.RunFailed):
        return 1
    if isinstance(error, errors.Interrupted):
        return 128 + error.signal_number
    return 70


def _with_help(error: click.ClickException) -> str:
    message = error.format_message() + _nearest_choice(error)
    path = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else None
    return f"{message}\nhelp: {path} --help" if path else message


def _nearest_choice(error: click.ClickException) -> str:
    """What may have been meant by a value that is not on the list; click suggests commands and options only."""
    chosen = re.match(r"'(.*?)' is not one of ", error.message)
    kind = error.param.type if isinstance(error, click.BadParameter) and error.param else None
    if not chosen or not isinstance(kind, click.Choice):
        return ""
    near = difflib.get_close_matches(chosen[1].lower(), [str(one) for one in kind.choices], n=1)
    return f" Did you mean '{near[0]}'?" if near else ""


def _bug(error: BaseException) -> str:
    return (
        f"this is a bug in curate {__version__}: {type(error).__name__}: {error}\n"
        "help: run it again with --debug for the traceback, and report both"
    )


def _tell(message: str, code: int, as_json: bool) -> int:
    if as_json:
        import json

        told = inert(json.dumps({"error": message, "exit_code": code}, ensure_ascii=False), sys.stderr)
    else:
        told = f"error: {printable(message)}"
    try:
        click.echo(told, err=True)
    except BrokenPipeError:
        let_go(sys.stderr)
    return code


if __name__ == "__main__":
    main()
