"""`curate ocr`: read the text in pictures."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import click

from curate.cli.output import Output, common
from curate.cli.single import Given, run_single, takes_source


@click.command("ocr")
@partial(takes_source, needs_out=False)
@click.option("--engine", help="OCR engine.  [default: rapidocr]")
@click.option("--provider", help="Execution provider: auto, openvino, onnxruntime or cuda.  [default: auto]")
@click.option(
    "--preview",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Read one picture, print its text and draw boxes, order and scores over it (.png, .jpg or .webp).",
)
@click.option("--text", is_flag=True, help="Print the text only and write no dataset.")
@common
def command(
    out: Output, engine: str | None, provider: str | None, preview: Path | None, text: bool, **options: Any
) -> int:
    """Read the text in every picture of IN into the dataset OUT; each distinct picture is read once.

    With --preview or --text there is no OUT, and IN may be a single picture. The text of several pictures stands
    under lines `== path ==`; with --json every line of text has its score and polygon. Pictures that cannot be read
    are told on stderr, with exit code 1.

    \b
    Examples:
      curate ocr photos/ work/photos
      curate ocr train.json work/ocr --images images/
      curate ocr work/train work/ocr --set det_side=1280
      curate ocr screen.png --preview seen.png
      curate ocr photos/ --text > photos.txt
    """
    stage = {"use": "ocr", "engine": engine, "provider": provider}
    if preview or text:
        from curate.cli.read import read

        return read(out, stage, preview, Given(**options))
    if options["folder"] is None:
        raise click.UsageError("OUT is missing: name the folder to write, or give --text or --preview FILE")
    return run_single(out, "ocr", [stage], **options)
