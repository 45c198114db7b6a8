"""`curate completion`: the shell's completion script."""

from __future__ import annotations

import click

from curate.cli.output import Output, common
from curate.errors import UsageError

PLACES = {
    "bash": 'eval "$(curate completion bash)"   in ~/.bashrc',
    "zsh": 'eval "$(curate completion zsh)"   in ~/.zshrc',
    "fish": "curate completion fish > ~/.config/fish/completions/curate.fish",
    "powershell": "curate completion powershell | Out-String | Invoke-Expression   in $PROFILE",
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
    if maker is None:
        raise UsageError(f"completion for {shell} needs a newer click: pip install 'click>=8.5'")
    source = maker(cli, {}, "curate", "_CURATE_COMPLETE").source()
    if out.as_json:
        out.json({"shell": shell, "script": source, "use": PLACES[shell]})
        return
    click.echo(source)
