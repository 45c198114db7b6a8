"""How a diff is told and written: the files that were asked for, and what goes to the screen."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from curate.cli.output import Output, inert

if TYPE_CHECKING:
    from curate.diff.options import DiffOptions
    from curate.diff.report import Report
    from curate.diff.table import Table


@dataclass(frozen=True)
class Shown:
    """How a report is shown."""

    redact: str | None
    thumbs: str
    lang: str
    reports: tuple[str, ...]
    github: bool


def tell(out: Output, report: Report, shown: Shown, by_stage: bool, hints: Sequence[str]) -> None:
    """Print a report: as JSON where that was asked for, else as text with what a person may want to see next."""
    if out.as_json or "-" in shown.reports:
        from curate.diff.output import json_text

        click.echo(inert(json_text(report).decode("utf-8"), sys.stdout), nl=False)
        return
    from curate.cli.diff_text import by_stage_text, report_text

    by_stage_text(out, report) if by_stage else report_text(out, report, list(hints))


def page_options(shown: Shown) -> Any:
    """How the HTML is made.

    Raises:
        UsageError: --thumbs says something else than pixels, none or files.
    """
    from curate.diff.page import PageOptions

    if shown.thumbs in ("none", "files"):
        width = None if shown.thumbs == "none" else PageOptions().thumbs
        return PageOptions(lang=shown.lang, thumbs=width, where="files" if shown.thumbs == "files" else "inline")  # type: ignore[arg-type]
    if not (shown.thumbs.isdecimal() and 16 <= int(shown.thumbs) <= 2000):
        raise click.UsageError(f"--thumbs takes 16 to 2000 pixels, none, or files; got '{shown.thumbs}'")
    return PageOptions(lang=shown.lang, thumbs=int(shown.thumbs))  # type: ignore[arg-type]


def write(found: Report, report: Report, shown: Shown) -> list[Path]:
    """Write the files that were asked for; Markdown that a CI job writes is strict unless it was said otherwise."""
    from curate.diff.output import save
    from curate.diff.private import redacted

    public = redacted(found, "strict") if shown.redact is None and os.environ.get("CI") else report
    written = []
    for name in shown.reports:
        path = Path(name)
        if name != "-" and path.suffix.lower() != ".jsonl":
            save(public if path.suffix.lower() == ".md" else report, path, page_options(shown))
            written.append(path)
    if shown.github:
        from curate.cli.diff_github import tell

        tell(public)
    return written


def write_rows(a: Table, b: Table, options: DiffOptions, shown: Shown) -> list[Path]:
    """Write all rows that differ as JSON lines where that was asked for; the tables are read once more for it."""
    from curate.diff.every_row import every_row
    from curate.diff.output import save_rows
    from curate.diff.private import redacted_row

    paths = [Path(name) for name in shown.reports if name != "-" and Path(name).suffix.lower() == ".jsonl"]
    for path in paths:
        rows = every_row(a, b, options)
        save_rows((redacted_row(row, shown.redact or "default") for row in rows), path)  # type: ignore[arg-type]
    return paths
