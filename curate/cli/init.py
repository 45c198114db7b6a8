"""`curate init`: a recipe to start from, with the shipped demo data so that it runs at once."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import click

from curate.cli.output import Output, common, printable


@click.command("init")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path())
@click.option("--template", default="demo", show_default=True, help="The shipped recipe to start from.")
@click.option("--force", is_flag=True, help="Replace files that are there already.")
@common
def command(out: Output, folder: Path, template: str, force: bool) -> None:
    """Write a recipe, its JSON Schema for editors, and sample data into FOLDER (default: here).

    \b
    Examples:
      curate init
      curate init my-project --template mire
    """
    from curate.cli.summary import typed
    from curate.errors import OutputError, UsageError
    from curate.pipeline.recipe import recipe_schema
    from curate.pipeline.recipe_file import shipped_folder, shipped_recipes

    recipes = shipped_recipes()
    if template not in recipes:
        raise UsageError(f"there is no shipped recipe '{template}'; there are: {', '.join(recipes)}")
    recipe = folder / "curate.yaml"
    schema = folder / "curate.schema.json"
    ignore = folder / ".gitignore"
    sample = shipped_folder() / template
    samples = sorted(path.relative_to(sample) for path in sample.rglob("*") if path.is_file())
    wanted = [recipe, schema, *(folder / template / name for name in samples)]
    there = [path for path in wanted if os.path.lexists(path)]
    if there and not force:
        raise OutputError(f"{there[0]} is there already; replace it with --force")
    if samples and os.path.lexists(folder / template) and not (folder / template).is_dir():
        raise OutputError(f"{folder / template} is in the way of the folder of sample data; choose another folder")
    from curate.dataset.files import write_bytes, write_json

    head = "# yaml-language-server: $schema=curate.schema.json\n"
    body = "".join(
        line
        for line in recipes[template].read_text("utf-8").splitlines(keepends=True)
        if "yaml-language-server" not in line
    )
    write_bytes(recipe, (head + body).encode("utf-8"))
    write_json(schema, recipe_schema())
    written = [recipe, schema]
    if not ignore.exists():
        write_bytes(ignore, b"work/\n")
        written.append(ignore)
    if samples:
        shutil.copytree(sample, folder / template, dirs_exist_ok=True)
        written.append(folder / template)
    if out.as_json:
        out.json([str(path) for path in written])
        return
    for path in written:
        click.echo(printable(str(path)))
    out.hint(f"{f'cd {typed(folder)} && ' if folder != Path() else ''}curate run curate.yaml")
