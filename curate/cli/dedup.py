"""`curate dedup`: drop records that occur twice."""

from __future__ import annotations

from typing import Any

import click

from curate.cli.output import Output, common
from curate.cli.single import run_single, takes_source


@click.command("dedup")
@takes_source
@click.option("--text", help="near, exact or off.  [default: near]")
@click.option("--picture", help="near, exact or off.  [default: near]")
@click.option("--threshold", type=float, help="Similarity of near texts, 0.5 to 1.  [default: 0.8]")
@click.option("--conflicts", help="Duplicates with different labels: drop, keep or drop_all.  [default: drop]")
@common
def command(
    out: Output, text: str | None, picture: str | None, threshold: float | None, conflicts: str | None, **options: Any
) -> int:
    """Drop the records of IN that say and show what another one does; the rest goes into the dataset OUT.

    Of duplicates that one stays which has a label, then the longer, then the first. Pictures are compared by what
    they show, so re-encoded and resized copies are found; read them first (`curate ocr`) to have it confirmed by
    their text.

    \b
    Examples:
      curate dedup work/ocr work/once
      curate dedup train.json work/once --images images/ --text exact --picture exact
      curate dedup work/ocr work/once --conflicts drop_all
    """
    stage = {"use": "dedup", "text": text, "picture": picture, "threshold": threshold, "conflicts": conflicts}
    return run_single(out, "dedup", [stage], **options)
