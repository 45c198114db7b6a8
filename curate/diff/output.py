"""Writes reports as files, by the suffix of their name."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import orjson

from curate.dataset.files import atomic_write, write_bytes
from curate.diff.markdown import markdown
from curate.diff.page import PageOptions, write
from curate.diff.report import Report, without_files
from curate.diff.sample import RowSample
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


def row_text(row: RowSample) -> bytes:
    """A row as a line of JSON."""
    return orjson.dumps(
        without_files(row.model_dump(mode="json")), option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
    )


def save_rows(rows: Iterable[RowSample], path: Path) -> None:
    """Write rows as JSON lines, atomically, one at a time in memory.

    Raises:
        OutputError: the disk is full or the folder cannot be written.
    """
    with atomic_write(path) as stream:
        for row in rows:
            stream.write(row_text(row))


def save(report: Report, path: Path, options: PageOptions) -> None:
    """Write a report atomically as HTML, JSON or Markdown, by its suffix.

    Raises:
        OutputError: the disk is full or the folder cannot be written.
    """
    suffix = path.suffix.lower()
    if suffix == ".html":
        write(report, path, options)
    elif suffix == ".json":
        write_bytes(path, json_text(report))
    else:
        write_bytes(path, markdown(report).encode("utf-8"))
