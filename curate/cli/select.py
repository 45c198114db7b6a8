"""`curate select`: answers of models become labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from curate.cli.output import Output, common
from curate.cli.single import run_single, takes_source


@click.command("select")
@takes_source
@click.option(
    "--predictions",
    "-p",
    multiple=True,
    required=True,
    type=click.Path(path_type=Path),
    help="Answers to the rows of IN: a folder of `curate infer`, or a file; repeat for more.",
)
@click.option("--agree", type=click.IntRange(min=1), help="How many of them must give the label.  [default: all]")
@click.option("--threshold", type=click.FloatRange(0, 1), help="Least confidence.  [default: 0.99]")
@click.option("--cap", type=click.IntRange(min=1), help="Rows of one label at most; the surest stay.")
@common
def command(
    out: Output,
    predictions: tuple[Path, ...],
    agree: int | None,
    threshold: float | None,
    cap: int | None,
    **options: Any,
) -> int:
    """Label the rows of IN that have no label, where models agree and are sure enough, into the dataset OUT.

    Gold labels are never changed; what gets no label is dropped, with the reason in the ledger. How sure is sure enough
    tells `curate evaluate` on labelled rows, which compares confidence and accuracy.

    \b
    Examples:
      curate select test1.json work/pseudo --images images/ -p work/answers
      curate select test1.json work/pseudo --images images/ -p work/first -p work/second --threshold 0.9 --cap 200
      curate select work/all work/pseudo -p work/answers --set thresholds.dialogue_intent=0.8
    """
    stage = {
        "use": "pseudo",
        "predictions": [str(path) for path in predictions],
        "agree": agree,
        "threshold": threshold,
        "cap": cap,
    }
    return run_single(out, "select", [stage], **options)
