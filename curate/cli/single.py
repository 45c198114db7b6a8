"""Commands of one stage: they build a recipe, so that ledger, resume and progress work as in any run."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from curate.cli.output import Output

if TYPE_CHECKING:
    from curate.pipeline.recipe import Recipe

Command = TypeVar("Command", bound=Callable[..., Any])


def takes_source(function: Command, *, needs_out: bool = True, needs_source: bool = True) -> Command:
    """Give a command IN and OUT and the options that say how IN is read.

    Without `needs_out` OUT may be missing, without `needs_source` IN may be, too.
    """
    metavar = "OUT" if needs_out else "[OUT]"
    source = "IN" if needs_source else "[IN]"
    decorators = [
        click.argument("source", metavar=source, required=needs_source, type=click.Path(path_type=Path)),
        click.argument("folder", metavar=metavar, required=needs_out, type=click.Path(path_type=Path)),
        click.option("--images", type=click.Path(path_type=Path), help="Folder that picture paths are relative to."),
        click.option("--format", "source_format", default="auto", show_default=True, help="Format of IN."),
        click.option("--labels", help="Label registry: a shipped name (mire) or a YAML file."),
        click.option(
            "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change one option; repeat for more."
        ),
        click.option(
            "--workers", type=click.IntRange(min=1), help="Worker processes.  [default: one for each processor]"
        ),
        click.option("-n", "--dry-run", is_flag=True, help="Show what would be done; write nothing."),
    ]
    for decorate in reversed(decorators):
        function = decorate(function)
    return function


@dataclass(frozen=True)
class Given:
    """What was given for the arguments and options of `takes_source`."""

    source: Path
    folder: Path | None
    images: Path | None
    source_format: str
    labels: str | None
    overrides: Sequence[str]
    """Options of the one stage, or whole keys, as `KEY=VALUE`."""
    workers: int | None
    dry_run: bool

    def recipe(self, name: str, stages: Sequence[Mapping[str, Any]]) -> Recipe:
        """Make the recipe of the command. Raises as `single_recipe`."""
        source = source_keys(self.source, self.images, self.source_format, self.labels)
        return single_recipe(name, stages, source, self.overrides, self.workers)

    def writes_nothing(self, flags: str) -> None:
        """Refuse what only makes sense for a command that writes a dataset, which it does not with these flags.

        Raises:
            click.UsageError: OUT, --workers or --dry-run was given.
        """
        if self.folder is not None or self.workers or self.dry_run:
            raise click.UsageError(f"OUT, --workers and --dry-run do not go with {flags}, which write no dataset")


def run_single(out: Output, name: str, stages: Sequence[Mapping[str, Any]], **options: Any) -> int:
    """Run a recipe made from a command's options, those of `takes_source` among them; give the exit code."""
    from curate.cli.execute import execute

    given = Given(**options)
    assert given.folder is not None, "commands that can do without OUT ask for it themselves"
    return execute(out, given.recipe(name, stages), given.folder, dry_run=given.dry_run)


def source_keys(source: Path, images: Path | None, source_format: str, labels: str | None) -> dict[str, str | None]:
    """The keys of `input:` that a command's options stand for."""
    return {"path": str(source), "format": source_format, "images": str(images) if images else None, "labels": labels}


def single_recipe(
    name: str,
    stages: Sequence[Mapping[str, Any]],
    source: Mapping[str, str | None],
    overrides: Sequence[str],
    workers: int | None = None,
) -> Recipe:
    """Make the recipe of a command; what is None is left to its default, `overrides` as in `Given`.

    Raises:
        RecipeError: an option does not fit.
    """
    from ruamel.yaml import YAML

    from curate.pipeline.recipe_file import parse_recipe

    recipe: dict[str, Any] = {
        "name": name,
        "input": {key: value for key, value in source.items() if value is not None},
        "stages": [{key: value for key, value in stage.items() if value is not None} for stage in stages],
    }
    if workers:
        recipe["workers"] = workers
    text = io.StringIO()
    YAML(typ="rt").dump(recipe, text)
    changes = [full_key(change, "stages.0") if stages else change for change in overrides]
    return parse_recipe(text.getvalue(), f"curate {name}", Path.cwd(), changes)


def full_key(change: str, step: str) -> str:
    """`min_words=2` means the one step's own option; a key with a dot, or of the recipe itself, stays as it is."""
    key = change.partition("=")[0]
    if "." in key or key in {"seed", "max_failed", "time_limit", "memory_limit", "workers"}:
        return change
    return f"{step}.{change}"
