"""`curate ocr`: read the text in pictures."""

from __future__ import annotations

from typing import Any

import click

from curate.cli.output import Output, common
from curate.cli.single import run_single, takes_source


@click.command("ocr")
@takes_source
@click.option("--engine", help="OCR engine.  [default: rapidocr]")
@click.option("--provider", help="Execution provider: auto, openvino, onnxruntime or cuda.  [default: auto]")
@common
def command(out: Output, engine: str | None, provider: str | None, **options: Any) -> int:
    """Read the text in every picture of IN into the dataset OUT; each distinct picture is read once.

    \b
    Examples:
      curate ocr photos/ work/photos
      curate ocr train.json work/ocr --images images/
      curate ocr work/train work/ocr --set det_side=1280
    """
    return run_single(out, "ocr", [{"use": "ocr", "engine": engine, "provider": provider}], **options)
