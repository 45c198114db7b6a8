"""`curate report`: a run as an HTML page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from curate.cli.output import Output, common

if TYPE_CHECKING:
    from curate.report.redaction import Mode
    from curate.report.words import Language


@click.command("report")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("-o", "--out", "file", type=click.Path(path_type=Path), help="The page.  [default: RUN/reports/run.html]")
@click.option("--lang", type=click.Choice(["en", "zh"]), default="en", show_default=True, help="Language of the page.")
@click.option(
    "--redact",
    type=click.Choice(["default", "strict", "keys-only", "none"]),
    default="default",
    show_default=True,
    help="default masks personal data; keys-only shows no text; strict no names either; none hides nothing.",
)
@common
def command(out: Output, run: Path, file: Path | None, lang: Language, redact: Mode) -> None:
    """Write the run RUN as one HTML file: how many rows went, why, and some of each kind with their pictures.

    The file loads nothing and sends nothing; it reads without JavaScript, and filters rows with it.

    \b
    Examples:
      curate report work/demo
      curate report work/demo -o run.html --lang zh --redact strict
    """
    from curate.cli.reasons import all_codes
    from curate.cli.summary import shown
    from curate.dataset.files import write_bytes
    from curate.dataset.working_copy import brought
    from curate.report.run_page import run_page

    if file is not None and file.suffix.lower() not in ("", ".html", ".htm"):
        raise click.UsageError(f"--out {file}: the page is HTML; give it a name that ends in .html")
    run, asked = brought(run), run
    if run != asked and file is None:
        raise click.UsageError("a run in another place needs a file of this machine for its page: --out FILE")
    target = file or run / "reports" / "run.html"
    meanings = {(item["stage"], item["code"]): item["meaning"] for item in all_codes()}
    name = run.name if run.is_absolute() else shown(run)
    write_bytes(target, run_page(run, name, meanings, lang, redact).encode())
    if out.as_json:
        out.json({"page": target.as_posix(), "bytes": target.stat().st_size})
    else:
        out.print(f"{shown(target)}  {target.stat().st_size:,} bytes")
