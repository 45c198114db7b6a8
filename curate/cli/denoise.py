"""`curate denoise`: take the noise out of dialogues."""

from __future__ import annotations

from typing import Any

import click

from curate.cli.output import Output, common
from curate.cli.single import run_single, takes_source


@click.command("denoise")
@takes_source
@click.option("--rules", help="Rule file: a shipped name (zh-ecommerce) or a YAML file.  [default: zh-ecommerce]")
@click.option("--level", help="Only these levels, comma-separated: characters,sentence,word,dialogue,ocr.")
@common
def command(out: Output, rules: str | None, level: str | None, **options: Any) -> int:
    """Clean the dialogues of IN, level by level, into the dataset OUT; every change is in the ledger with its rule.

    \b
    Examples:
      curate denoise train.json work/clean --images images/
      curate denoise work/ocr work/clean --level characters,sentence
      curate denoise work/ocr work/clean --set min_words=2
    """
    levels = [part.strip() for part in level.split(",")] if level else None
    return run_single(out, "denoise", [{"use": "denoise", "rules": rules, "levels": levels}], **options)
