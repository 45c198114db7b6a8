"""`curate evaluate`: score predictions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from curate.cli.output import Output, common, printable, spare

if TYPE_CHECKING:
    from rich.table import Table

    from curate.evaluate.evaluation import Evaluation, Part
    from curate.report.redaction import Mode
    from curate.report.words import Language


@click.command("evaluate")
@click.argument("gold", type=click.Path(path_type=Path))
@click.argument("predictions", metavar="PRED", type=click.Path(path_type=Path))
@click.option("--compare", "other", type=click.Path(path_type=Path), help="Other predictions of the same rows.")
@click.option("--labels", help="Label registry: a shipped name (mire) or a YAML file.")
@click.option(
    "--parse", is_flag=True, help="Look for the label in each answer; else answers must equal labels exactly."
)
@click.option("--split", type=click.Choice(["train", "val", "test"]), help="Score only this split of GOLD.")
@click.option("--index", type=click.Path(path_type=Path), help="index.parquet of the export that was predicted on.")
@click.option("--by-label", is_flag=True, help="Show the scores of every label, too.")
@click.option("--html", type=click.Path(path_type=Path), help="Write a page with confusion matrices.")
@click.option("--lang", type=click.Choice(["en", "zh"]), default="en", show_default=True, help="Language of the page.")
@click.option(
    "--redact",
    type=click.Choice(["default", "strict", "keys-only", "none"]),
    default="default",
    show_default=True,
    help="default masks personal data and counts rare answers together; keys-only and strict show no labels.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of the bootstrap.")
@common
def command(
    out: Output,
    gold: Path,
    predictions: Path,
    other: Path | None,
    labels: str | None,
    parse: bool,
    split: str | None,
    index: Path | None,
    by_label: bool,
    html: Path | None,
    lang: Language,
    redact: Mode,
    seed: int,
) -> None:
    """Score the predictions PRED against the labels of GOLD: weighted F1 as the MIRE challenge ranks, and more.

    GOLD is a run, a dataset or any source. PRED is a folder of `curate infer`, a CSV with `id` and `predict`, or JSON
    lines; predictions without ids (the generated_predictions.jsonl of LLaMA-Factory) are joined by checked order or
    by --index.

    \b
    Examples:
      curate evaluate test.json work/answers
      curate evaluate work/mire generated_predictions.jsonl --index work/mire/exports/sharegpt/index.parquet
      curate evaluate test.json new.csv --compare old.csv --html report.html
    """
    from curate.dataset.predictions import read_predictions
    from curate.errors import UsageError
    from curate.evaluate.evaluation import Options, evaluate
    from curate.evaluate.gold import read_gold, read_pictures
    from curate.evaluate.mistakes import with_pictures
    from curate.evaluate.page import page
    from curate.evaluate.private import redacted
    from curate.labels.registry import Registry
    from curate.pipeline.source import InputOptions

    if parse and labels is None:
        raise UsageError("--parse needs to know the labels: name a registry with --labels, for example --labels mire")
    if html is not None:
        spare("--html", html, gold, predictions, other, index)
    rows = read_gold(InputOptions(path=gold, labels=labels), split)
    options = Options(Registry.load(labels) if labels else None, parse, seed)
    rivals = read_predictions(other) if other is not None else None
    found = evaluate(rows, read_predictions(predictions, index), options, rivals)
    pictures = None
    if html is not None:
        store, images = read_pictures(InputOptions(path=gold, labels=labels), {one.uid for one in found.mistakes})
        found = replace(found, mistakes=with_pictures(found.mistakes, images))
        pictures = store, [[str(image["path"]) for image in one.images] for one in found.mistakes]
    found = redacted(found, redact, options.registry)
    if html is not None:
        from curate.dataset.files import write_bytes

        write_bytes(html, page(found, predictions.name, other.name if other else "", lang, redact, pictures).encode())
    if out.as_json:
        out.json(found.as_dict())
        return
    _tell(out, found, by_label=by_label)
    if html is not None:
        out.talk(f"written: {html}")


def _tell(out: Output, found: Evaluation, *, by_label: bool) -> None:
    from rich.text import Text

    out.print(_scores([found.overall, *found.tasks]))
    for part in found.tasks if by_label else ():
        out.print(Text(printable(part.name), style="bold"), _labels(part))
    mistakes = [(part.name, *pair) for part in found.tasks for pair in part.confusion.pairs(5)]
    if mistakes:
        out.print(Text("commonest mistakes", style="bold"), _mistakes(mistakes))
    if found.overall.calibration:
        out.print(Text("how often predictions of one confidence are right", style="bold"), _calibration(found.overall))
    if found.comparison:
        out.print(Text("difference of weighted F1", style="bold"), _comparison(found))
    if found.steps:
        told = ", ".join(f"{step} {rows:,}" for step, rows in sorted(found.steps.items(), key=lambda item: -item[1]))
        out.print(Text(f"how labels were found: {told}"))
    for note in found.notes:
        out.talk(f"note: {note}")
    out.print(Text(found.signature, style="dim"))


def _table(*columns: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD)
    for number, name in enumerate(columns):
        table.add_column(name, justify="left" if number == 0 else "right")
    return table


def _scores(parts: list[Part]) -> Table:
    table = _table(
        "task", "rows", "answered", "weighted F1", "95 % interval", "accuracy", "precision", "recall", "macro F1"
    )
    for part in parts:
        score = part.scores
        numbers = [f"{value:.4f}" for value in (score.accuracy, score.precision, score.recall, score.macro_f1)]
        between = f"{part.interval.low:.4f} – {part.interval.high:.4f}"
        answered = f"{part.answered / part.rows:.1%}"
        table.add_row(printable(part.name), f"{part.rows:,}", answered, f"{score.f1:.4f}", between, *numbers)
    return table


def _labels(part: Part) -> Table:
    table = _table("label", "F1", "precision", "recall", "rows", "predicted")
    for one in part.classes:
        numbers = [f"{value:.4f}" for value in (one.f1, one.precision, one.recall)]
        table.add_row(printable(one.label), *numbers, f"{one.support:,}", f"{one.predicted:,}")
    return table


def _mistakes(mistakes: list[tuple[str, str, str, int]]) -> Table:
    from rich.table import Table

    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for task, gold, predicted, rows in mistakes:
        table.add_row(f"  {printable(task)}", printable(gold), f"→ {printable(predicted)}", f"{rows:,}")
    return table


def _calibration(part: Part) -> Table:
    table = _table("confidence", "rows", "mean", "right")
    for one in part.calibration:
        table.add_row(f"{one.low:g} – {one.high:g}", f"{one.rows:,}", f"{one.confidence:.3f}", f"{one.accuracy:.3f}")
    return table


def _comparison(found: Evaluation) -> Table:
    table = _table("task", "difference", "95 % interval", "p")
    for name, value in found.comparison.items():
        table.add_row(printable(name), f"{value.value:+.4f}", f"{value.low:+.4f} – {value.high:+.4f}", f"{value.p:.3f}")
    return table
