"""`curate run`: run a recipe, or continue it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from curate.cli.output import Output, common


@click.command("run")
@click.argument("recipe")
@click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change one value of the recipe; repeat for more."
)
@click.option("-o", "--out", "folder", type=click.Path(path_type=Path), help="Folder of the run.  [default: work/NAME]")
@click.option("--workers", type=click.IntRange(min=1), help="Worker processes.  [default: one for each processor]")
@click.option("--engine", help="local (processes on this machine) or ray.  [default: what the recipe says, or local]")
@click.option("--ray-address", help="A Ray cluster: `auto`, or HOST:PORT.  [default: Ray is started on this machine]")
@click.option("-n", "--dry-run", is_flag=True, help="Show what would be done and what can be reused; write nothing.")
@common
def command(
    out: Output,
    recipe: str,
    overrides: tuple[str, ...],
    folder: Path | None,
    workers: int | None,
    engine: str | None,
    ray_address: str | None,
    dry_run: bool,
) -> int:
    """Run RECIPE (a YAML file, or the name of a shipped one), or continue a run that was interrupted.

    What is done already is found by content and not done again. Rows that cannot be used are set aside, each
    with a reason.

    \b
    Examples:
      curate run demo
      curate run mire --set input.path=train.json --set input.images=images/
      curate run my.yaml --set stages.denoise.min_words=2 --dry-run
      curate run my.yaml --engine ray --ray-address auto
    """
    from curate.cli.execute import execute
    from curate.cli.kept_card import keep_card
    from curate.dataset.url import url_of
    from curate.pipeline.recipe_file import find_recipe, load_recipe

    if ray_address and engine == "local":
        raise click.UsageError("--ray-address goes with --engine ray, not with --engine local")
    if ray_address:
        engine = engine or "ray"
    said = {"workers": workers, "engine": engine, "ray.address": ray_address}
    changes = [*overrides, *(f"{key}={value}" for key, value in said.items() if value)]
    loaded = load_recipe(find_recipe(recipe), changes)
    place = folder or Path("work") / loaded.name
    here = loaded.card is None and url_of(place) is None  # a run in another place has a card where its recipe says so
    keep = partial(keep_card, make=folder is None) if here else None
    return execute(out, loaded, place, dry_run=dry_run, then=keep)
