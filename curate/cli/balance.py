"""`curate balance`: give each label a floor and a cap."""

from __future__ import annotations

from typing import Any

import click

from curate.cli.output import Output, common
from curate.cli.single import run_single, takes_source


@click.command("balance")
@takes_source
@click.option("--floor", type=int, help="Records a label should have at the least.")
@click.option("--cap", type=int, help="Records a label may have at the most.")
@click.option("--below", help="Below the floor: report, repeat or drop.  [default: report]")
@common
def command(out: Output, floor: int | None, cap: int | None, below: str | None, **options: Any) -> int:
    """Bring the labels of IN between a floor and a cap, into the dataset OUT; only train is touched.

    \b
    Examples:
      curate balance work/split work/even --cap 200
      curate balance work/split work/even --floor 20 --below repeat --cap 200
    """
    return run_single(out, "balance", [{"use": "balance", "floor": floor, "cap": cap, "below": below}], **options)
