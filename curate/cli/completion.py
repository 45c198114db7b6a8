"""`curate completion`: the shell's completion script."""

from __future__ import annotations

import click

from curate.cli.output import Output, common

PLACES = {
    "bash": 'eval "$(curate completion bash)"   in ~/.bashrc',
    "zsh": 'eval "$(curate completion zsh)"   in ~/.zshrc',
    "fish": "curate completion fish > ~/.config/fish/completions/curate.fish",
}


@click.command("completion")
@click.argument("shell", type=click.Choice(sorted(PLACES)))
@common
def command(out: Output, shell: str) -> None:
    """Print the completion script for SHELL.

    \b
    Examples:
      eval "$(curate completion bash)"
      curate completion fish > ~/.config/fish/completions/curate.fish
    """
    from click.shell_completion import get_completion_class

    from curate.cli.main import cli

    maker = get_completion_class(shell)
    assert maker is not None
    source = maker(cli, {}, "curate", "_CURATE_COMPLETE").source()
    if out.as_json:
        out.json({"shell": shell, "script": source, "use": PLACES[shell]})
        return
    click.echo(source)
