"""`curate label`: check labels, write coarse-fine answers or the way back, suggest groups."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from curate.cli.output import Output, common
from curate.cli.single import run_single, takes_source

if TYPE_CHECKING:
    from curate.labels.registry import Task


@click.command("label")
@partial(takes_source, needs_out=False, needs_source=False)
@click.option("--registry", default="mire", show_default=True, help="mire, jddc, feedback, or a YAML file.")
@click.option("--hierarchy", is_flag=True, help="Write labels with their group in front: 粗类-细类.")
@click.option("--coarse", is_flag=True, help="Write the group instead of the label.")
@click.option("--back", is_flag=True, help="Write fine labels again; the default.")
@click.option("--suggest", is_flag=True, help="Print groups for the labels of the registry, for you to edit; no IN.")
@click.option("--task", help="Task of the registry; for --suggest, or for labels of records of other tasks.")
@click.option("--groups", type=click.IntRange(min=1), help="How many --suggest makes.  [default: 6]")
@click.option(
    "--confusion",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Predictions that --suggest looks at: CSV or JSONL with columns label and predict.",
)
@common
def command(
    out: Output,
    registry: str,
    hierarchy: bool,
    coarse: bool,
    back: bool,
    suggest: bool,
    task: str | None,
    groups: int | None,
    confusion: Path | None,
    **options: Any,
) -> int:
    """Write the labels of IN as the registry does, into the dataset OUT; one that is not in it fails its row.

    \b
    Examples:
      curate label work/split work/paths --hierarchy
      curate label work/paths work/fine --back
      curate label --suggest --task dialogue_intent --confusion predictions.jsonl > groups.yaml
    """
    levels = [name for name, asked in (("path", hierarchy), ("coarse", coarse), ("fine", back)) if asked]
    if len(levels) > 1:
        raise click.UsageError("--hierarchy, --coarse and --back exclude each other: a label is written in one way")
    level = levels[0] if levels else None
    if suggest:
        if level is not None or any(options[name] for name in options if name != "source_format"):
            raise click.UsageError(
                "--suggest works on a registry alone; of the options it takes --registry, --task, --groups, --confusion"
            )
        return _suggest(out, registry, task, groups or 6, confusion)
    if confusion is not None or groups is not None:
        raise click.UsageError("--confusion and --groups go with --suggest")
    if options["folder"] is None:
        missing = "OUT is" if options["source"] is not None else "IN and OUT are"
        raise click.UsageError(f"{missing} missing: name the source and the folder to write, or give --suggest")
    stage = {"use": "label", "registry": registry, "level": level, "task": task}
    return run_single(out, "label", [stage], **options)


def _suggest(out: Output, name: str, task: str | None, groups: int, confusion: Path | None) -> int:
    from curate.labels.registry import Registry
    from curate.labels.suggest import suggest

    registry = Registry.load(name)
    known = ", ".join(registry.tasks)
    if task is None and len(registry.tasks) > 1:
        raise click.UsageError(f"--task is missing; registry {registry.name} has {known}")
    chosen = task or next(iter(registry.tasks))
    if chosen not in registry.tasks:
        raise click.UsageError(f"registry {registry.name} has no task '{chosen}'; it has {known}")
    found = suggest(registry.tasks[chosen], groups, _pairs(confusion) if confusion else ())
    if out.as_json:
        out.json(found)
        return 0
    for number, labels in enumerate(found, start=1):
        out.print(f"group {number}:  # name it, then write it as `coarse:` of these labels")
        for label in labels:
            out.print(f"  - {label}{_now(registry.tasks[chosen], label)}")
    return 0


def _now(task: Task, name: str) -> str:
    coarse = next(label.coarse for label in task.labels if label.name == name)
    return f"  # now {coarse}" if coarse else ""


def _pairs(path: Path) -> list[tuple[str, str]]:
    """Gold and predicted labels of a file.

    Raises:
        UsageError: it has no columns `label` and `predict`, or is neither CSV nor JSONL.
    """
    import csv
    import json

    from curate.errors import UsageError

    try:
        text = path.read_text("utf-8-sig")
        if text.lstrip().startswith("{"):
            rows: list[dict[str, Any]] = [json.loads(line) for line in text.splitlines() if line.strip()]
        else:
            rows = list(csv.DictReader(text.splitlines()))
        return [(str(row["label"]), str(row["predict"])) for row in rows]
    except KeyError as error:
        raise UsageError(f"{path}: a line needs label and predict (CSV with a header, or JSONL); no {error}") from error
    except (OSError, ValueError, TypeError, csv.Error) as error:
        raise UsageError(f"{path}: this is neither CSV with a header nor JSONL of objects: {error}") from error
