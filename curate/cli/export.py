"""`curate export`: write a training set from a dataset or a source."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from curate.cli.output import Output, common

if TYPE_CHECKING:
    from curate.pipeline.recipe import Recipe


@click.command("export")
@click.argument("source", metavar="IN", type=click.Path(path_type=Path))
@click.argument("folder", metavar="OUT", type=click.Path(path_type=Path))
@click.option(
    "--format", "target", default="sharegpt", show_default=True, help="sharegpt, or source: the records as they came."
)
@click.option("--template", help="Prompt template: mire, plain, or a YAML file.  [default: plain]")
@click.option(
    "--images", type=click.Path(path_type=Path), help="Folder that picture paths are relative to, where IN is a source."
)
@click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change one option of the export; repeat for more."
)
@common
def command(
    out: Output,
    source: Path,
    folder: Path,
    target: str,
    template: str | None,
    images: Path | None,
    overrides: tuple[str, ...],
) -> int:
    """Write the records of IN (a run, RUN@STEP, or any source) as a training set into the folder OUT.

    A source is first read into the run work/NAME-OF-OUT, so that every row that is left out has a reason there.

    \b
    Examples:
      curate export work/demo train/ --template mire
      curate export work/demo@ocr raw/ --set ocr_characters=300
      curate export chats.jsonl train/
      curate export work/demo back/ --format source
    """
    from curate.dataset.dataset import Dataset
    from curate.errors import InputError, OutputError
    from curate.pipeline.run import run

    if folder.is_dir() and any(folder.iterdir()) and not (folder / "export.json").exists():
        raise OutputError(f"{folder} is not empty and not an export of curate; choose another folder")
    options = {"use": target, "template": template}
    recipe = _recipe(
        folder.resolve().name, source, images, {k: v for k, v in options.items() if v is not None}, overrides
    )
    try:
        data = Dataset.open(source) if images is None else None
    except InputError:
        data = None
    if data is None or data.step is None:
        work = Path("work") / recipe.name
        out.talk(f"reading {source} into {work}")
        run(recipe.model_copy(update={"exports": []}), work)
        data = Dataset.open(work)
    return _write(out, data, recipe, folder)


def _recipe(name: str, source: Path, images: Path | None, export: dict[str, Any], overrides: tuple[str, ...]) -> Recipe:
    from ruamel.yaml import YAML

    from curate.pipeline.recipe_file import parse_recipe

    text = io.StringIO()
    given = {"path": str(source), **({"images": str(images)} if images else {})}
    YAML(typ="rt").dump({"name": name, "input": given, "stages": [], "exports": [export]}, text)
    return parse_recipe(text.getvalue(), "curate export", Path.cwd(), [f"exports.0.{change}" for change in overrides])


def _write(out: Output, data: Any, recipe: Recipe, folder: Path) -> int:
    from rich.console import Group

    from curate.cli.progress import BarProgress, LineProgress
    from curate.cli.summary import export_lines
    from curate.pipeline import registry
    from curate.pipeline.export_step import ExportStep
    from curate.pipeline.manifest import Manifest
    from curate.pipeline.stage import Context
    from curate.pipeline.stop import StopSignal

    options = recipe.exports[0]
    context = Context(pictures=data.pictures)
    step = ExportStep(registry.exporters()[options.use](options, context), folder)
    incoming = Manifest.read(data.step)
    ingest = Manifest.read(data.run / "00-ingest") if data.run else None
    assert incoming is not None
    progress = (BarProgress if out.stderr.is_interactive else LineProgress)(out.stderr)
    try:
        with StopSignal() as stop:
            result = step.run(data.step, incoming, ingest, progress, stop)
    finally:
        progress.close()
    if out.as_json:
        out.json({**result.as_dict(), "folder": str(folder)})
        return 0
    out.print(Group(*export_lines(result)))
    if result.facts.get("next"):
        out.hint(str(result.facts["next"]))
    return 0
