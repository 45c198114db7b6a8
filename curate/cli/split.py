"""`curate split`: share out train, val and test without leaks."""

from __future__ import annotations

from typing import Any

import click

from curate.cli.output import Output, common
from curate.cli.single import run_single, takes_source


@click.command("split")
@takes_source
@click.option("--train", type=float, help="Share of the training set.  [default: 0.9]")
@click.option("--val", type=float, help="Share of the validation set.  [default: 0.1]")
@click.option("--test", type=float, help="Share of the test set.  [default: 0]")
@click.option("--seed", type=int, help="Another seed, another split.")
@common
def command(
    out: Output, train: float | None, val: float | None, test: float | None, seed: int | None, **options: Any
) -> int:
    """Give every record of IN a split, stratified by label, into the dataset OUT.

    What shares a picture (re-encoded and resized ones too), a dialogue (nearly the same ones too) or a parent stays
    on one side. Labels that are off their share because of that are noted.

    \b
    Examples:
      curate split work/once work/split
      curate split work/once work/split --train 0.8 --val 0.1 --test 0.1 --seed 7
    """
    stage = {"use": "split", "train": train, "val": val, "test": test}
    if seed is not None:
        options["overrides"] = (*options["overrides"], f"seed={seed}")
    return run_single(out, "split", [stage], **options)
