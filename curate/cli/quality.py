"""`curate quality`: score pictures, texts and readings."""

from __future__ import annotations

from typing import Any

import click

from curate.cli.output import Output, common
from curate.cli.single import run_single, takes_source


@click.command("quality")
@takes_source
@click.option("--of", help="Comma-separated: image,text,ocr.  [default: all]")
@common
def command(out: Output, of: str | None, **options: Any) -> int:
    """Write scores of the records of IN into the dataset OUT; nothing is dropped, `curate filter` does that.

    \b
    Scores:
      image_pixels, image_aspect, image_blur, image_contrast
      text_length, text_han, text_repeat
      ocr_score, ocr_characters, ocr_chrome
    \b
    Examples:
      curate quality work/ocr work/scored
      curate quality work/ocr work/scored --of text,ocr
    """
    parts = [part.strip() for part in of.split(",")] if of else None
    return run_single(out, "quality", [{"use": "quality", "of": parts}], **options)
