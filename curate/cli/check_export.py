"""`curate export --check`: what a trainer or server makes of a folder, as one table of verdicts and findings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from curate.cli.output import Output, printable, whoever_reads

if TYPE_CHECKING:
    from rich.table import Table

    from curate.export.check.finding import Report, Settings

_KEYS = ("cutoff_len", "max_pixels", "min_pixels", "answer_len", "images_per_row")
_SHOWN = 200
"""Findings that are printed; `--json` has all of them."""

_STYLES = {"accepts": "green", "drops": "yellow", "crashes": "red", "stops": "red"}


def check(out: Output, folder: Path, consumer: str, overrides: Sequence[str]) -> int:
    """Check a folder and print what was found; 1 where the export is not valid.

    Raises:
        UsageError: there is nothing to check, or an option is wrong.
    """
    from curate.export.check import examine

    report = examine(folder, consumer, _settings(overrides))
    with whoever_reads():
        if out.as_json:
            out.json(report.as_dict())
        else:
            out.print(_verdicts(report))
            if report.findings:
                out.print(_findings(report))
            out.print(_closing(report))
    return 1 if report.errors else 0


def _settings(overrides: Sequence[str]) -> Settings:
    from curate.dataset.vision import MAX_PIXELS, MIN_PIXELS, Bounds
    from curate.export.check.finding import Settings

    numbers: dict[str, int] = {}
    tokenizer: Path | None = None
    for override in overrides:
        key, equals, value = override.partition("=")
        if key == "tokenizer" and equals:
            tokenizer = Path(value).expanduser()
        elif key in _KEYS and value.isdecimal() and int(value) > 0:
            numbers[key] = int(value)
        else:
            raise click.UsageError(
                f"--check takes --set KEY=NUMBER with {', '.join(_KEYS)}, and --set tokenizer=PATH; got '{override}'"
            )
    bounds = None
    if {"max_pixels", "min_pixels"} & numbers.keys():
        bounds = Bounds(numbers.get("max_pixels", MAX_PIXELS), numbers.get("min_pixels", MIN_PIXELS))
    return Settings(
        cutoff_len=numbers.get("cutoff_len"),
        bounds=bounds,
        tokenizer=tokenizer,
        answer_len=numbers.get("answer_len"),
        images_per_row=numbers.get("images_per_row"),
    )


def _table(**options: Any) -> Table:
    from rich import box
    from rich.table import Table

    return Table(box=box.SIMPLE_HEAD, title_justify="left", title_style="bold", **options)


def _verdicts(report: Report) -> Table:
    from rich.text import Text

    table = _table(title=f"what {report.consumer} makes of it")
    for name in ("file", "verdict"):
        table.add_column(name, overflow="fold")
    for name in ("rows", "kept", "image tokens", "longest"):
        table.add_column(name, justify="right")
    for file in report.files:
        numbers = (file.rows, file.kept, file.image_tokens, file.longest) if file.counted else ()
        verdict = Text(file.verdict, style=_STYLES[file.verdict])
        table.add_row(Text(printable(file.name)), verdict, *(f"{number:,}" for number in numbers))
    return table


def _findings(report: Report) -> Table:
    from rich.text import Text

    table = _table(title="findings")
    for name in ("where", "effect", "code", "what", "how to fix it"):
        table.add_column(name, overflow="fold")
    for one in [*report.errors, *report.warnings][:_SHOWN]:
        effect = Text(
            one.effect if one.rule.error else "warning", style=_STYLES[one.effect] if one.rule.error else "dim"
        )
        if one.rule.error and one.effect == "accepts":
            effect = Text("accepts, but", style="yellow")
        cells = (one.place, effect, one.code, one.message or one.rule.meaning, one.rule.fix)
        table.add_row(*(cell if isinstance(cell, Text) else Text(printable(cell)) for cell in cells))
    return table


def _closing(report: Report) -> str:
    hidden = len(report.findings) - _SHOWN
    more = f"; {hidden:,} more findings are in --json" if hidden > 0 else ""
    verdict = "valid" if not report.errors else f"not valid: {len(report.errors):,} errors"
    return f"{verdict}, {len(report.warnings):,} warnings{more}"
