"""What LLaMA-Factory 0.9.5 makes of a folder with a dataset_info.json."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from curate.errors import UsageError
from curate.export import tokens
from curate.export.check import configs, rows
from curate.export.check.columns import Columns
from curate.export.check.dataset_info import Entry, entries
from curate.export.check.files import LateImages
from curate.export.check.finding import FileReport, Report, Settings
from curate.export.check.llamafactory_row import RowCheck
from curate.export.check.llamafactory_rules import RULES
from curate.export.check.log import Log
from curate.export.check.pictures import PictureFiles

INFO = "dataset_info.json"
_FORMATTINGS = ("alpaca", "sharegpt", "openai")


def examine(folder: Path, settings: Settings) -> Report:
    """Check every entry of dataset_info.json and every configuration.

    Raises:
        UsageError: dataset_info.json is not there or cannot be read.
    """
    report = Report("llamafactory", f"it needs {INFO}")
    try:
        info = json.loads((folder / INFO).read_text("utf-8"))
    except FileNotFoundError as error:
        raise UsageError(f"{folder} has no {INFO}, without which LLaMA-Factory finds no data set") from error
    except (OSError, ValueError) as error:
        raise UsageError(f"{folder / INFO} cannot be read: {error}") from error
    if not isinstance(info, dict):
        raise UsageError(f"{folder / INFO} is no mapping of names to data sets")
    known = entries(info)
    found = configs.read(folder, [entry.name for entry in known], report)
    count = tokens.counter(settings.tokenizer)
    pictures: dict[Path, PictureFiles] = {}
    for entry in known:
        budget = configs.budget(entry.name, found, folder, settings)
        look = pictures.setdefault(budget.media, PictureFiles(budget.media, settings))
        log = Log(report, FileReport(entry.name), RULES)
        _entry(folder, entry, log, RowCheck(entry, budget, settings, look, count, log))
    return report


def _entry(folder: Path, entry: Entry, log: Log, check: RowCheck) -> None:
    path = folder / str(entry.file or "")
    if entry.elsewhere:
        log.whole("elsewhere", entry.elsewhere)
        log.file.counted = False
        return
    if entry.formatting not in _FORMATTINGS:
        log.whole("formatting", f"formatting: {entry.formatting}")
        return
    if entry.file is None or not path.is_file():
        log.whole("file_missing", f"file_name: {entry.file}")
        return
    if path.suffix not in rows.SUFFIXES:
        log.whole("file_type", path.name)
        return
    if entry.ranking:
        log.whole("ranking", "ranking: true")
    if entry.formatting == "openai":
        log.whole("formatting_openai", "formatting: openai")
    if entry.formatting == "alpaca" and not entry.columns["response"] and not check.budget.predicts:
        log.whole("no_answer_column", "read as alpaca, with columns but without response")
        return
    try:
        seen = _read(path, log, check)
    except rows.BrokenFile as error:
        log.whole("file_broken", str(error))
        return
    if not log.file.rows:
        log.whole("no_rows", path.name)
        return
    missing = [name for name in check.columns if name not in seen.kinds]
    for name in missing:
        log.whole("column_missing", f"{name}; there are {', '.join(seen.kinds)}")


def _read(path: Path, log: Log, check: RowCheck) -> Columns:
    """Check the rows; give the columns that were seen."""
    columns, late = Columns(), LateImages(path, check.entry.columns["images"])
    for number, row in enumerate(_counted(path, log)):
        if not isinstance(row, dict):
            log.row(number, "", "not_a_row", f"{type(row).__name__}")
            continue
        name = str(row.get("id", ""))
        for mixed in columns.add(row):
            log.row(number, name, "mixed_types", mixed)
        if late.come(row):
            log.row(number, name, "late_images", late.message)
        check.row(number, name, row)
    return columns


def _counted(path: Path, log: Log) -> Iterator[Any]:
    for row in rows.read(path):
        log.file.rows += 1
        yield row
