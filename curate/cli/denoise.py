"""`curate denoise`: take the noise out of dialogues."""

from __future__ import annotations

from functools import partial
from typing import Any

import click

from curate.cli.output import Output, common
from curate.cli.single import Given, run_single, takes_source


@click.command("denoise")
@partial(takes_source, needs_out=False)
@click.option(
    "--rules", help="Rule file: a shipped name or a YAML file; `curate rules` lists.  [default: zh-ecommerce]"
)
@click.option("--level", help="Only these levels, comma-separated: characters,sentence,word,dialogue,ocr.")
@click.option("--explain", is_flag=True, help="Tell what each rule did, with an example, and which never hit.")
@click.option(
    "--preview",
    metavar="N",
    type=click.IntRange(min=1),
    help="Show the first N records that change, what is taken out struck through.",
)
@click.option("--record", metavar="ID", help="With --preview: only records whose uid or source id begins so.")
@common
def command(
    out: Output,
    rules: str | None,
    level: str | None,
    explain: bool,
    preview: int | None,
    record: str | None,
    **options: Any,
) -> int:
    """Clean the dialogues of IN, level by level, into the dataset OUT; every change is in the ledger with its rule.

    With --preview there is no OUT; with --explain it may be left out. In pipes what is taken out stands in [-…-], what
    is put in its place in {+…+}.

    \b
    Examples:
      curate denoise train.json work/clean --images images/
      curate denoise train.json --preview 3
      curate denoise train.json --preview 1 --record 2127e96c --level sentence
      curate denoise train.json --explain
      curate denoise work/ocr work/clean --level characters,sentence
      curate denoise work/ocr work/clean --rules my.yaml --set min_words=2
    """
    levels = [part.strip() for part in level.split(",")] if level is not None else None
    stage = {"use": "denoise", "rules": rules, "levels": levels}
    if record is not None and preview is None:
        raise click.UsageError("--record goes with --preview N")
    given = Given(**options)
    if preview is not None or (explain and given.folder is None):
        from curate.cli.denoise_look import look

        return look(out, stage, preview, record or "", explain, given)
    if given.folder is None:
        raise click.UsageError("OUT is missing: name the folder to write, or give --preview N or --explain")
    if explain and not given.dry_run:
        from curate.cli.denoise_look import run_and_explain

        return run_and_explain(out, stage, given.folder, given)
    return run_single(out, "denoise", [stage], **options)
