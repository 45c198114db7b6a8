"""`curate serve`: how to start a server for an export."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from pathlib import Path

import click

from curate.cli.output import Output, common


@click.command("serve")
@click.argument("model")
@click.option(
    "--for", "export", required=True, type=click.Path(path_type=Path), help="Export, or run with one, to be asked."
)
@click.option("--split", type=click.Choice(["train", "val", "test"]), default="test", show_default=True)
@click.option("--adapter", "adapters", multiple=True, metavar="NAME=DIR", help="A LoRA adapter; repeat for more.")
@click.option("--name", help="Name to ask the model by.  [default: MODEL]")
@click.option(
    "--max-tokens", type=click.IntRange(min=1), default=64, show_default=True, help="Output tokens of a call."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True, help="Port to listen at.")
@click.option("--exec", "execute", is_flag=True, help="Start it, instead of printing the command.")
@common
def command(
    out: Output,
    model: str,
    export: Path,
    split: str,
    adapters: tuple[str, ...],
    name: str | None,
    max_tokens: int,
    host: str,
    port: int,
    execute: bool,
) -> None:
    """Print the `vllm serve` command that fits an export: lengths, pictures a row, pixel bounds, adapters.

    \b
    Examples:
      curate serve Qwen/Qwen2-VL-7B-Instruct --for work/mire --adapter mire=saves/lora
      curate serve saves/merged --for work/mire/exports/sharegpt --name mire --exec
    """
    from curate.cli.asked import export_folder
    from curate.errors import UsageError
    from curate.infer.question import read_questions
    from curate.infer.serve import export_bounds, serve_command

    named: dict[str, Path] = {}
    for text in adapters:
        key, mark, folder = text.partition("=")
        if not key or not mark or not folder:
            raise UsageError(f"--adapter {text}: write NAME=DIR, for example mire=saves/lora")
        named[key] = Path(folder)
    found = export_folder(export)
    if found is None:
        raise UsageError(f"{export} is no export; write one first: curate export {export} FOLDER")
    made = serve_command(
        model,
        read_questions(found, split, {}),
        named,
        name=name,
        max_tokens=max_tokens,
        bounds=export_bounds(found),
        host=host,
        port=port,
    )
    for note in made.notes:
        out.talk(f"note: {note}")
    if execute:
        _start(made.arguments, made.environment)
    variables = " ".join(f"{key}={value}" for key, value in made.environment.items())
    if out.as_json:
        out.json({"command": made.arguments, "environment": made.environment, "notes": made.notes})
    else:
        out.print(f"{variables} {shlex.join(made.arguments)}")


def _start(arguments: tuple[str, ...], environment: Mapping[str, str]) -> None:
    """Become the server.

    Raises:
        MissingExtra: vllm is not installed.
    """
    from curate.errors import MissingExtra

    try:
        os.execvpe(arguments[0], arguments, {**os.environ, **environment})  # noqa: S606  what was asked for
    except FileNotFoundError as error:
        raise MissingExtra("curate serve --exec", "vllm") from error
