"""`curate filter`: drop what is beyond a threshold, show what is close to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from curate.cli.output import Output, common
from curate.cli.single import run_single, takes_source


@click.command("filter")
@takes_source
@click.option("--min", "least", multiple=True, metavar="SCORE=VALUE", help="Least value; repeat for more.")
@click.option("--max", "most", multiple=True, metavar="SCORE=VALUE", help="Greatest value; repeat for more.")
@click.option("--near", type=float, help="Share of a threshold that counts as a near miss.  [default: 0.1]")
@common
def command(out: Output, least: Sequence[str], most: Sequence[str], near: float | None, **options: Any) -> int:
    """Drop the records of IN whose scores are beyond a threshold; the rest goes into the dataset OUT.

    Near misses are listed: `curate ls OUT --noted` shows those that just stayed, `--dropped` those that went.

    \b
    Examples:
      curate filter work/scored work/good --min image_blur=20 --max text_repeat=0.5
      curate filter work/scored work/good --min ocr_score=0.9 --near 0.05
    """
    stage = {"use": "filter", "min": _numbers(least) or None, "max": _numbers(most) or None, "near": near}
    return run_single(out, "filter", [stage], **options)


def _numbers(texts: Sequence[str]) -> dict[str, float]:
    found = {}
    for text in texts:
        name, _, value = text.partition("=")
        if name in found:
            raise click.UsageError(f"'{text}': there is a limit for {name} already; give one of each kind")
        try:
            found[name] = float(value)
        except ValueError:
            raise click.UsageError(f"'{text}' is not SCORE=VALUE, for example image_blur=20") from None
    return found
