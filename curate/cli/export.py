"""`curate export`: write a training set from a dataset or a source."""

from __future__ import annotations

import io
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from curate.cli.output import Output, common, whoever_reads

if TYPE_CHECKING:
    from curate.dataset.dataset import Dataset
    from curate.pipeline.recipe import Recipe
    from curate.pipeline.result import ExportResult, RunResult


@click.command("export")
@click.argument("source", metavar="[IN]", required=False, type=click.Path(path_type=Path))
@click.argument("folder", metavar="[OUT]", required=False, type=click.Path(path_type=Path))
@click.option(
    "--format",
    "target",
    help="sharegpt, alpaca, swift, trl, openai, regions, or source: the records as they came.  [default: sharegpt]",
)
@click.option("--template", help="Prompt template: mire, plain, or a YAML file.  [default: plain]")
@click.option(
    "--images",
    type=click.Choice(["link", "copy", "embed", "absolute"]),
    help="Pictures: hard links where originals fit, copies, in the rows, or full paths.  [default: the format's]",
)
@click.option(
    "--image-root",
    type=click.Path(path_type=Path),
    help="Folder that picture paths are relative to, where IN is a source.",
)
@click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change one option of the export; repeat for more."
)
@click.option(
    "--check",
    "checked",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Write nothing; say what a trainer or server makes of the folder DIR, whoever wrote it.",
)
@click.option(
    "--for",
    "consumer",
    type=click.Choice(["llamafactory", "swift", "trl", "vllm"]),
    help="Whose rules --check takes.  [default: llamafactory]",
)
@click.option(
    "--hub",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Write IN with its data card into the new folder DIR, as the Hugging Face Hub and mlcroissant load it.",
)
@common
def command(
    out: Output,
    source: Path | None,
    folder: Path | None,
    target: str | None,
    template: str | None,
    images: str | None,
    image_root: Path | None,
    overrides: tuple[str, ...],
    checked: Path | None,
    consumer: str | None,
    hub: Path | None,
) -> int:
    """Write the records of IN (a run, RUN@STEP, or any source) as a training set into the folder OUT.

    A source is first read into the run OUT.ingest beside OUT, so that every row that is left out has a reason there.
    With --check nothing is written: a folder is held against the rules of the program that will read it. With --hub
    the rows go out as they are, not as conversations: what `curate card IN --hub DIR` writes.

    \b
    Examples:
      curate export work/demo train/ --template mire
      curate export work/demo@ocr raw/ --set ocr_characters=300
      curate export chats.jsonl train/ --format trl
      curate export work/demo back/ --format source
      curate export work/demo --hub hub/
      curate export --check train/ --for llamafactory
      curate export --check theirs/ --for swift --set cutoff_len=2048 --set tokenizer=models/qwen2-vl
    """
    if checked is not None:
        from curate.cli.check_export import check

        if source is not None or folder is not None:
            raise click.UsageError("--check DIR takes neither IN nor OUT")
        if target or template or images or image_root or hub:
            raise click.UsageError("--check DIR writes nothing; of the options it takes --for and --set")
        return check(out, checked, consumer or "llamafactory", overrides)
    if consumer is not None:
        raise click.UsageError("--for belongs to --check DIR; the format decides whose rules an export is held against")
    if hub is not None:
        from curate.cli.card_hub import export_hub

        if source is None or folder is not None:
            raise click.UsageError("--hub DIR takes IN and no OUT")
        if target or template or images or image_root or overrides:
            raise click.UsageError("--hub DIR writes the rows as they are; it takes no option of a training set")
        return export_hub(out, source, hub)
    if source is None or folder is None:
        raise click.UsageError("name IN and OUT, or IN and --hub DIR, or --check DIR")
    options = {"use": target or "sharegpt", "template": template, "images": images}
    return _export(out, source, folder, options, image_root, overrides)


def _export(
    out: Output,
    source: Path,
    folder: Path,
    options: dict[str, str | None],
    images: Path | None,
    overrides: tuple[str, ...],
) -> int:
    """Read what has to be read, write the export, tell what was written."""
    from rich.console import Group

    from curate.cli.execute import exit_code, hint_failed, perform
    from curate.cli.kept_card import keep_card
    from curate.cli.summary import export_lines, report, shown
    from curate.dataset.dataset import Dataset
    from curate.dataset.working_copy import brought

    _check_target(folder)
    source = brought(source)
    recipe = _recipe(source, images, {k: v for k, v in options.items() if v is not None}, overrides)
    data = _finished_step(source) if images is None else None
    read: RunResult | None = None
    if data is None:
        place = folder.resolve().with_name(f"{folder.resolve().name}.ingest")
        out.talk(f"reading {source} into {shown(place)}")
        outcome = perform(out, recipe.model_copy(update={"exports": []}), place)
        if isinstance(outcome, int):
            return outcome
        data, read = Dataset.open(place), outcome
        with whoever_reads():
            out.print(report(read))
    written = _write(out, data, recipe, folder)
    if isinstance(written, int):
        return written
    card = keep_card(data)
    with whoever_reads():
        if out.as_json:
            told = {"read": {"out": str(read.out), **read.as_dict()}} if read else {}
            told |= {"card": card.facts} if card else {}
            out.json({**written.as_dict(), "folder": str(folder), **told})
        else:
            out.print(Group(*export_lines(written)), *([card.line] if card else []))
    if written.facts.get("next"):
        out.hint(str(written.facts["next"]))
    if read is None:
        return 0
    hint_failed(out, read)
    return exit_code(recipe, read)


def _check_target(folder: Path) -> None:
    """Make sure that OUT is new, an empty folder, or an export of curate."""
    from curate.dataset.files import read_json
    from curate.dataset.url import url_of
    from curate.errors import OutputError

    if url_of(folder):
        raise OutputError(f"{folder}: name a folder of this machine; an export in another place is written by its run")
    if not folder.is_dir():
        if os.path.lexists(folder):
            raise OutputError(f"{folder} is there and is not a folder; choose another place for the export")
        return
    manifest = read_json(folder / "export.json")
    ours = isinstance(manifest, dict) and {"fingerprint", "files"} <= manifest.keys()
    if any(folder.iterdir()) and not ours:
        raise OutputError(f"{folder} is not empty and not an export of curate; choose another folder")
    if Path.cwd().is_relative_to(folder.resolve()):
        raise OutputError(f"{folder} is the folder you are in, or above it; name a folder that can be replaced whole")


def _finished_step(source: Path) -> Dataset | None:
    """Open a finished step of a run; None where IN is a source that has to be read first."""
    from curate.dataset.dataset import Dataset
    from curate.errors import InputError

    try:
        data = Dataset.open(source)
    except InputError:
        if (source / "run.json").exists():
            raise
        return None
    return data if data.step is not None and (data.step / "stage.json").exists() else None


def _recipe(source: Path, images: Path | None, export: dict[str, Any], overrides: tuple[str, ...]) -> Recipe:
    from ruamel.yaml import YAML

    from curate.cli.single import full_key
    from curate.pipeline.recipe_file import parse_recipe

    text = io.StringIO()
    given = {"path": str(source), **({"images": str(images)} if images else {})}
    YAML(typ="rt").dump({"name": "export", "input": given, "stages": [], "exports": [export]}, text)
    changes = [full_key(change, "exports.0") for change in overrides]
    return parse_recipe(text.getvalue(), "curate export", Path.cwd(), changes)


def _write(out: Output, data: Dataset, recipe: Recipe, folder: Path) -> ExportResult | int:
    """Write the export; give the exit code instead of a result where somebody asked to stop."""
    from curate.cli.execute import ScreenProgress, stopped
    from curate.cli.summary import shown
    from curate.dataset.remote import cache_folder
    from curate.errors import InputError, Interrupted
    from curate.pipeline import registry
    from curate.pipeline.export_step import ExportStep
    from curate.pipeline.manifest import Manifest
    from curate.pipeline.stage import Context
    from curate.pipeline.stop import StopSignal

    assert data.step is not None
    options = recipe.exports[0]
    context = Context(pictures=data.pictures, seed=recipe.seed, cache=cache_folder())
    step = ExportStep(registry.exporters()[options.use](options, context), folder)
    incoming = Manifest.read(data.step)
    ingest = Manifest.read(data.run / "00-ingest") if data.run else None
    if incoming is None:
        raise InputError(f"{data.step}/stage.json cannot be read; run the recipe of this run again")
    progress = ScreenProgress(out)
    try:
        with StopSignal() as stop, _alone(folder):
            return step.run(data.step, incoming, ingest, progress, stop)
    except Interrupted as error:
        progress.close()
        return stopped(out, error, f"{shown(folder)} is as it was")
    finally:
        progress.close()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder that an export is written in, and remove what killed exports of the same name left there."""
    from curate.dataset.files import TEMPORARY, write_error
    from curate.dataset.lock import exclusive
    from curate.errors import OutputError

    parent = folder.absolute().parent
    left = re.compile(rf"{re.escape(TEMPORARY)}\d+-(old-)?{re.escape(folder.absolute().name)}")
    with ExitStack() as stack:
        try:
            parent.mkdir(parents=True, exist_ok=True)
            stack.enter_context(exclusive(parent))
            for path in parent.iterdir():
                if left.fullmatch(path.name):
                    shutil.rmtree(path, ignore_errors=True)
        except OutputError as error:
            raise OutputError(f"curate is writing in {parent} already; export again when that is done") from error
        except OSError as error:
            raise write_error(folder, error) from error
        yield
