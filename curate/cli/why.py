"""`curate why`: one record's whole life."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from curate.cli.output import Output, common, printable

if TYPE_CHECKING:
    from rich.text import Text


@click.command("why")
@click.argument("record")
@click.option(
    "--run", "run", type=click.Path(path_type=Path), help="The run to look in.  [default: the newest in work/]"
)
@common
def command(out: Output, record: str, run: Path | None) -> None:
    """Tell what happened to RECORD (uid or source id, or their beginning) at every step of a run, and why.

    Where several records have the same source id, all of them are told; --json gives {"records": [...]} then.

    \b
    Examples:
      curate why 3xq7 --run work/demo
      curate why 2127e96c17273966761471590d0b0d
    """
    from curate.cli.ls import newest_run
    from curate.dataset.history import lives
    from curate.dataset.working_copy import brought

    folder = brought(run) if run else newest_run()
    stories = lives(folder, record)
    if out.as_json:
        out.json(stories[0] if len(stories) == 1 else {"records": stories})
        return
    for story in stories:
        _tell(out, story, folder)


def _tell(out: Output, story: dict[str, Any], folder: Path) -> None:
    from rich.text import Text

    head = f"  {printable(story['source_id'])}  in {printable(str(folder))}"
    out.print(Text.assemble((story["uid"], "bold"), head))
    for step in story["steps"]:
        out.print(_line(step))
        for change in step["turns"]:
            if change["before"] is not None:
                out.print(Text(f"      - {_indented(change['before'])}", style="red"))
            if change["after"] is not None:
                out.print(Text(f"      + {_indented(change['after'])}", style="green"))
        for entry in step["entries"]:
            if entry["keep_with"]:
                out.print(Text(f"      keep it: --set {printable(entry['keep_with'])}", style="dim"))
    if "broken" in story:
        out.print(Text(f"  the rest is not told: {printable(story['broken'])}", style="bold red"))
    for export in story["exports"]:
        left = f"  left out of {export['export']}: {export['code']} {printable(export['detail'] or '')}"
        out.print(Text(left, style="yellow"))


def _indented(text: str) -> str:
    return printable(text).replace("\n", "\n" + " " * 8)


def _place(said: str | None) -> str:
    """Where a limit comes from: a line, what was typed, or a default."""
    if said is None:
        return ""
    return f", {said}" if said.startswith("the default") else f" set {'by' if said.startswith('--') else 'at'} {said}"


def _line(step: dict[str, Any]) -> Text:
    from rich.text import Text

    styles = {"failed": "bold red", "dropped": "bold yellow", "changed": "cyan", "added": "blue", "kept": "dim"}
    line = Text(f"  {step['step']:<13} ")
    line.append(step["fate"].upper() if step["fate"] in ("failed", "dropped") else step["fate"], styles[step["fate"]])
    told = []
    for entry in step["entries"]:
        text = entry["code"]
        if entry["value"] is not None:
            limit = f", limit {entry['threshold']:g}" if entry["threshold"] is not None else ""
            place = _place(entry["limit_from"])
            text += f" ({entry['metric']} {entry['value']:g}{limit}{place})"
        if entry["related_uid"]:
            text += f" see {entry['related_uid']}"
        if entry["detail"]:
            text += f": {printable(entry['detail'])}"
        told.append(text)
    return line.append("  " + ", ".join(told)) if told else line
