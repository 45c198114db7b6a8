"""`curate augment-image`: add copies of records with changed pictures."""

from __future__ import annotations

from typing import Any

import click

from curate.cli.output import Output, common
from curate.cli.single import run_single, takes_source


@click.command("augment-image")
@takes_source
@click.option("--pipeline", help="screenshot, ecommir, llm_ir or trivial.  [default: screenshot]")
@click.option("--compose", metavar="FILE", help="Your own composition, written with albumentations.save.")
@click.option(
    "--verify",
    help="geometry (free), ocr (reads each), or auto: ocr for few characters.  [default: auto]",
)
@click.option("--per-record", type=int, help="Copies of each record.  [default: 1]")
@common
def command(
    out: Output,
    pipeline: str | None,
    compose: str | None,
    verify: str | None,
    per_record: int | None,
    **options: Any,
) -> int:
    """Add copies of the records of IN with changed pictures, into the dataset OUT; their text is proved to be there.

    A picture that would be mirrored, turned too far, too dark or without its characters is drawn again. Read the
    pictures first (`curate ocr`): the lines then travel with them.

    \b
    Examples:
      curate augment-image work/split work/more
      curate augment-image work/split work/more --pipeline trivial --per-record 3
      curate augment-image work/split work/more --compose mine.json --verify ocr
    """
    if compose is not None and pipeline not in (None, "custom"):
        raise click.UsageError(f"--compose is a pipeline of your own and excludes --pipeline {pipeline}")
    stage = {
        "use": "augment-image",
        "pipeline": "custom" if compose else pipeline,
        "compose": compose,
        "verify": verify,
        "per_record": per_record,
    }
    return run_single(out, "augment-image", [stage], **options)
