"""`curate submit`: a challenge's submission file."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from curate.cli.output import Output, common, spare


@click.command("submit")
@click.argument("test", type=click.Path(path_type=Path))
@click.argument("predictions", metavar="PRED", type=click.Path(path_type=Path))
@click.argument("file", metavar="OUT.csv", type=click.Path(path_type=Path))
@click.option("--labels", default="mire", show_default=True, help="Label registry: a shipped name or a YAML file.")
@click.option(
    "--layout",
    type=click.Choice(["official", "minimal"]),
    default="official",
    show_default=True,
    help="All columns of the source and `predict`, with a byte-order mark; or `id` and `predict` only.",
)
@click.option(
    "--parse", is_flag=True, help="Look for the label in each answer; else answers must equal labels exactly."
)
@click.option("--index", type=click.Path(path_type=Path), help="index.parquet of the export that was predicted on.")
@common
def command(
    out: Output,
    test: Path,
    predictions: Path,
    file: Path,
    labels: str,
    layout: Literal["official", "minimal"],
    parse: bool,
    index: Path | None,
) -> None:
    """Write the answers PRED to the rows of TEST, in their order, as the MIRE challenge takes them.

    Nothing is written unless every row has exactly one answer that is allowed for its task.

    \b
    Examples:
      curate submit test1.json work/answers submit.csv
      curate submit test1.json generated_predictions.jsonl submit.csv --parse --layout minimal
    """
    from curate.dataset.files import write_bytes
    from curate.dataset.predictions import read_predictions
    from curate.evaluate.gold import read_gold
    from curate.evaluate.submission import make_submission
    from curate.labels.registry import Registry
    from curate.pipeline.source import InputOptions

    spare("OUT.csv", file, test, predictions, index)
    rows = read_gold(InputOptions(path=test, labels=labels))
    made = make_submission(rows, read_predictions(predictions, index), Registry.load(labels), layout, parse)
    write_bytes(file, made.text.encode("utf-8-sig" if layout == "official" else "utf-8"))
    if out.as_json:
        out.json({"file": str(file), "rows": made.rows, "tasks": made.by_task, "steps": made.steps})
        return
    tasks = ", ".join(f"{task} {number:,}" for task, number in made.by_task.items())
    out.print(f"{file}: {made.rows:,} rows ({tasks})")
