"""Writes reports as files, by the suffix of their name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import orjson

from curate.dataset.files import write_bytes
from curate.diff.markdown import markdown
from curate.diff.page import PageOptions, write
from curate.diff.report import Report
from curate.errors import UsageError

SUFFIXES = (".html", ".json", ".md", ".jsonl")
_OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE


def check_name(path: Path) -> None:
    """Make sure that a report can be written under a name.

    Raises:
        UsageError: its suffix stands for no format.
    """
    if path.suffix.lower() not in SUFFIXES and str(path) != "-":
        raise UsageError(f"--report {path}: the name must end in {', '.join(SUFFIXES)}, or be - for JSON on stdout")


def json_text(report: Report) -> bytes:
    """A report as JSON, keys sorted."""
    return orjson.dumps(report.as_json(), option=_OPTIONS)


def rows_text(report: Report) -> Iterator[bytes]:
    """The rows of a report as JSON lines."""
    plain = report.as_json()["samples"]
    for status in ("changed", "removed", "added"):
        for row in plain[status]:
            yield orjson.dumps(row, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)


def save(report: Report, path: Path, options: PageOptions) -> None:
    """Write a report atomically, in the format that its suffix says.

    Raises:
        OutputError: the disk is full or the folder cannot be written.
    """
    suffix = path.suffix.lower()
    if suffix == ".html":
        write(report, path, options)
    elif suffix == ".json":
        write_bytes(path, json_text(report))
    elif suffix == ".jsonl":
        write_bytes(path, b"".join(rows_text(report)))
    else:
        write_bytes(path, markdown(report).encode("utf-8"))
