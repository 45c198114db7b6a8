"""`curate infer`: ask a fine-tuned model behind a server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from curate.cli.output import Output, common, printable

if TYPE_CHECKING:
    from curate.cli.asked import Asked
    from curate.infer.bookkeeping import Engine
    from curate.infer.options import AskOptions
    from curate.infer.question import Question
    from curate.infer.run import Inference
    from curate.labels.registry import Registry


@click.command("infer")
@click.argument("source", metavar="IN", type=click.Path(path_type=Path))
@click.argument("folder", metavar="OUT", type=click.Path(path_type=Path))
@click.option("--server", metavar="URL", help="Address of a vLLM server, such as http://127.0.0.1:8000.")
@click.option("--engine", type=click.Choice(["server", "vllm"]), default="server", help="vllm runs MODEL right here.")
@click.option("--model", required=True, help="Name that the server gives the model or adapter; with vllm its folder.")
@click.option("--adapter", type=click.Path(path_type=Path), help="Folder of a LoRA adapter, with --engine vllm.")
@click.option("--llm", "llm_options", multiple=True, metavar="KEY=VALUE", help="Argument of vllm.LLM; repeat for more.")
@click.option("--split", type=click.Choice(["train", "val", "test"]), default="test", show_default=True)
@click.option("--template", help="Prompt template, where IN has no export: mire, plain, or a YAML file.  [plain]")
@click.option("--images", type=click.Path(path_type=Path), help="Folder of IN's pictures, where IN has no export.")
@click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Option of the export that is written for IN."
)
@click.option("--labels", help="Label registry that answers are held to: a shipped name (mire) or a YAML file.")
@click.option(
    "--constrain", type=click.Choice(["auto", "off"]), help="Let the server hold answers to the labels.  [auto]"
)
@click.option("--max-tokens", type=click.IntRange(min=1), help="Output tokens of one call.  [64]")
@click.option("--temperature", type=click.FloatRange(min=0), help="0 takes the likeliest token each time.  [0]")
@click.option("--seed", type=int, help="For temperatures above 0.  [0]")
@click.option("--votes", type=click.IntRange(min=1), help="Answers of one row; most of them decide.  [1]")
@click.option("--max-calls", type=click.IntRange(min=1), help="Calls for one row at most.  [3]")
@click.option("--max-output-tokens", type=click.IntRange(min=1), help="Output tokens for one row at most.  [100]")
@click.option("--concurrency", type=click.IntRange(min=1), help="Requests under way at a time.  [16]")
@click.option("--timeout", type=click.FloatRange(min=0, min_open=True), help="Seconds of silence in a request.  [120]")
@click.option("--retries", type=click.IntRange(min=0), help="Tries after the first that the server fails on.  [8]")
@click.option("--give-up", type=click.FloatRange(min=0, min_open=True), help="Seconds without any answer.  [300]")
@click.option("-n", "--dry-run", is_flag=True, help="Show what would be asked; ask nothing.")
@common
def command(
    out: Output,
    source: Path,
    folder: Path,
    server: str | None,
    engine: str,
    adapter: Path | None,
    llm_options: tuple[str, ...],
    split: str,
    template: str | None,
    images: Path | None,
    overrides: tuple[str, ...],
    labels: str | None,
    dry_run: bool,
    **asked: Any,
) -> int:
    """Ask a model every row of a split of IN and write OUT/predictions.parquet; every answer is kept at once.

    IN is the folder of a ShareGPT export, or a run that has one, so that the model is served exactly what it was
    trained on. For any other source or dataset an export is written first, into the run OUT.asked; rows without a split
    are its test set. The same command continues a run that was stopped or killed: no answered row is asked again. An
    API key is taken from the environment variable CURATE_API_KEY.

    \b
    Examples:
      curate infer work/mire/exports/sharegpt work/answers --server http://127.0.0.1:8000 --model mire --labels mire
      curate infer work/mire work/val --split val --server http://gpu:8000 --model mire --labels mire --concurrency 64
      curate infer test1.json work/answers --template mire --images images/ --server http://gpu:8000 --model mire
      curate evaluate work/mire work/val
    """
    from curate.cli.asked import Writing, to_ask
    from curate.cli.summary import typed
    from curate.errors import UsageError
    from curate.infer.question import export_digest, read_questions
    from curate.labels.registry import Registry

    options = _options(asked)
    registry = Registry.load(labels) if labels else None
    if folder.resolve() == source.resolve():
        raise UsageError(f"{folder} is what is asked; choose another folder for the answers")
    made = None
    if not dry_run or (engine == "server" and (server or adapter or llm_options)):
        made = _engine(engine, server, options, adapter, llm_options)  # what does not go together is said in any case
    with to_ask(out, source, folder, Writing(template, images, labels, overrides), dry_run=dry_run) as what:
        if isinstance(what, int):
            return what
        questions = read_questions(what.export, split, _choices(what.export, registry))
        if dry_run or made is None:
            _plan(out, questions)
            return 0
        found = _ask(out, questions, folder, made, registry, {"export": export_digest(what.export), "split": split})
    if isinstance(found, int):
        return found
    _tell(out, found, what)
    evaluated = f"--split {split}" if what.read is None else ""
    out.hint(f"curate evaluate {typed(source)} {typed(folder)} {evaluated}".rstrip())
    return 1 if found.codes or (what.read and what.read.failed_rows) else 0


def _ask(
    out: Output,
    questions: list[Question],
    folder: Path,
    engine: Engine,
    registry: Registry | None,
    about: dict[str, str],
) -> Inference | int:
    """Ask, and show how it goes; give the exit code where somebody asked to stop."""
    from curate.cli.execute import ScreenProgress, stopped
    from curate.errors import Interrupted
    from curate.infer.run import infer

    progress = ScreenProgress(out)
    try:
        return infer(questions, folder, engine, registry, progress, about)
    except Interrupted as error:
        progress.close()
        return stopped(out, error, f"what was answered is kept in {folder}")
    finally:
        progress.close()


def _options(asked: dict[str, Any]) -> AskOptions:
    """How rows are asked; what is None is left to its default.

    Raises:
        UsageError: options do not go together.
    """
    from pydantic import ValidationError

    from curate.errors import UsageError
    from curate.infer.options import AskOptions

    try:
        return AskOptions(**{name: value for name, value in asked.items() if value is not None})
    except ValidationError as error:
        raise UsageError("; ".join(one["msg"].removeprefix("Value error, ") for one in error.errors())) from error


def _choices(export: Path, registry: Registry | None) -> dict[str, tuple[str, ...]]:
    """The answers that each task allows, written as the export wrote them for training."""
    from curate.infer.question import writes_paths
    from curate.labels.hierarchy import path_of

    if registry is None:
        return {}
    paths = writes_paths(export)
    return {
        name: tuple(path_of(label) if paths else label.name for label in task.labels if label.allowed)
        for name, task in registry.tasks.items()
    }


def _engine(
    engine: str, server: str | None, options: AskOptions, adapter: Path | None, llm_options: tuple[str, ...]
) -> Engine:
    """What is to answer.

    Raises:
        UsageError: options do not go together.
    """
    from curate.dataset.yaml_file import NotYaml, load_yaml
    from curate.errors import UsageError
    from curate.infer.ask import ServerEngine
    from curate.infer.offline import OfflineEngine

    if engine == "server":
        if adapter is not None or llm_options:
            raise UsageError("--adapter and --llm go with --engine vllm; a server's adapters are asked by --model NAME")
        if server is None:
            raise UsageError("--server URL is missing (or --engine vllm, which runs the model right here)")
        return ServerEngine(server, options)
    if server is not None:
        raise UsageError("--server does not go with --engine vllm, which runs the model right here")
    settings = {}
    for text in llm_options:
        key, mark, value = text.partition("=")
        if not key or not mark:
            raise UsageError(f"--llm {text}: write KEY=VALUE, for example max_model_len=4096")
        try:
            settings[key] = load_yaml(value)
        except NotYaml as error:
            raise UsageError(f"--llm {text}: the value is not valid YAML: {error}") from error
    return OfflineEngine(options, adapter, **settings)


def _plan(out: Output, questions: list[Question]) -> None:
    tasks: dict[str, int] = {}
    for question in questions:
        tasks[question.task] = tasks.get(question.task, 0) + 1
    longest = max(question.tokens for question in questions)
    pictures = sum(len(question.images) for question in questions)
    if out.as_json:
        out.json({"rows": len(questions), "tasks": tasks, "pictures": pictures, "longest": longest})
        return
    told = ", ".join(f"{printable(task)} {rows:,}" for task, rows in tasks.items())
    out.print(f"{len(questions):,} rows ({told}), {pictures:,} pictures, the longest of at most {longest:,} tokens")
    out.talk("nothing was asked (--dry-run)")


def _tell(out: Output, found: Inference, what: Asked) -> None:
    from curate.cli.summary import duration
    from curate.infer.bookkeeping import CODES

    if out.as_json:
        out.json({**found.as_dict(), "left_out": what.left_out})
        return
    rate = f", {found.tokens_out / found.seconds:,.0f} output tokens/s" if found.tokens_out else ""
    known = f", {found.known:,} answers were there before" if found.known else ""
    out.print(f"{found.answered:,} of {found.rows:,} rows answered{known}  {duration(found.seconds)}{rate}")
    if found.steps:
        steps = ", ".join(f"{step} {rows:,}" for step, rows in sorted(found.steps.items(), key=lambda item: -item[1]))
        out.print(f"how labels were found: {steps}")
    for code, rows in sorted(found.codes.items()):
        out.print(f"  {code} {rows:,}   {CODES[code]}")
    for note in found.notes:
        out.talk(f"note: {note}")
    if what.left_out:
        told = ", ".join(f"{code} {rows:,}" for code, rows in sorted(what.left_out.items()))
        out.talk(f"note: {sum(what.left_out.values()):,} rows could not be asked: {told}")
