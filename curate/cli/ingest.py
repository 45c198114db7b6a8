"""`curate ingest`: read a source into a dataset."""

from __future__ import annotations

from typing import Any

import click

from curate.cli.output import Output, common
from curate.cli.single import run_single, takes_source


@click.command("ingest")
@takes_source
@common
def command(out: Output, **options: Any) -> int:
    """Read IN (JSON, JSONL, Parquet or a folder of pictures) into the dataset OUT.

    Each record gets its uid here; a record that cannot be used goes to OUT/00-ingest/failed with a reason.

    \b
    Examples:
      curate ingest train.json work/train --images images/
      curate ingest photos/ work/photos
      curate ingest chats.jsonl work/chats --format openai
    """
    return run_single(out, "ingest", [], **options)
