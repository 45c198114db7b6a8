"""`curate augment-text`: add copies of dialogues in other words."""

from __future__ import annotations

from typing import Any

import click

from curate.cli.output import Output, common
from curate.cli.single import run_single, takes_source


@click.command("augment-text")
@takes_source
@click.option("--per-record", type=int, help="Copies of each record.  [default: 1]")
@click.option("--target-per-label", type=int, help="Records each label shall have instead; rare ones get more copies.")
@click.option("--operations", help="Comma-separated: synonym,reorder,delete,swap,typo.  [default: the first three]")
@click.option("--table", metavar="FILE", help="Your own synonyms (TSV), over the shipped lexicon.")
@common
def command(
    out: Output,
    per_record: int | None,
    target_per_label: int | None,
    operations: str | None,
    table: str | None,
    **options: Any,
) -> int:
    """Add copies of the dialogues of IN in other words, into the dataset OUT; the label stays right.

    Words of labels, negations, numbers, units, question words and what stands in brackets are left alone. Only train
    (or records that are in no split yet) is copied; `curate why UID` shows the edits of a copy.

    \b
    Examples:
      curate augment-text work/split work/more --per-record 4
      curate augment-text work/split work/even --target-per-label 200
      curate augment-text work/split work/typos --operations synonym,typo
    """
    if per_record is not None and target_per_label is not None:
        raise click.UsageError("--per-record and --target-per-label exclude each other; give one of the two")
    stage = {
        "use": "augment-text",
        "per_record": per_record,
        "target_per_label": target_per_label,
        "operations": [part.strip() for part in operations.split(",")] if operations else None,
        "thesaurus": "table" if table else None,
        "table": table,
    }
    return run_single(out, "augment-text", [stage], **options)
