"""`curate diff --github`: the step summary, the outputs and the error line of GitHub Actions."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from curate.cli.output import printable
from curate.errors import OutputError, UsageError

if TYPE_CHECKING:
    from curate.diff.report import Report


def tell(report: Report) -> None:
    """Append the summary and the outputs to the files that the runner names, and tell of rules that do not hold.

    Raises:
        UsageError: this is no job of GitHub Actions.
        OutputError: a file cannot be written.
    """
    from curate.diff.markdown import SUMMARY, markdown, value_of

    summary, outputs = os.environ.get("GITHUB_STEP_SUMMARY"), os.environ.get("GITHUB_OUTPUT")
    if not summary or not outputs:
        raise UsageError("--github needs GITHUB_STEP_SUMMARY and GITHUB_OUTPUT, which GitHub Actions sets")
    rows = report.rows
    facts = {
        "status": report.verdict.status,
        "differences": str(report.verdict.differences).lower(),
        **{name: getattr(rows, name) for name in ("same", "changed", "added", "removed")},
    }
    try:
        with open(summary, "a", encoding="utf-8") as stream:
            stream.write(markdown(report, SUMMARY))
        with open(outputs, "a", encoding="utf-8") as stream:
            stream.write("".join(f"{name}={value}\n" for name, value in facts.items()))
    except OSError as error:
        raise OutputError(f"cannot write {error.filename}: {error.strerror}") from error
    for check in report.verdict.checks:
        if not check.ok:
            text = f"curate diff: {check.rule} does not hold, it is {value_of(check)}"
            click.echo(f"::error::{_escaped(printable(text))}", err=True)


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
