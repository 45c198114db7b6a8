"""The data files of a folder that has no list of them, and what its scripts say of budgets."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from curate.export.check import rows
from curate.export.check.columns import Columns
from curate.export.check.log import Log

_OURS = {"dataset_info.json", "export.json", "index.parquet", "ledger.parquet", "stage.json", "run.json"}
"""Files of curate and LLaMA-Factory that hold no rows."""

_PEEKED = 20
"""Rows that are looked at to find out whether a file holds training rows."""


LATE_IMAGES = (
    "In JSON lines more than 10 MB without a picture come before the first row with one: the column is taken for empty."
)
"""What `datasets` 4 and 5 do (LLaMA-Factory#6223): they infer the types of columns from the first block of bytes."""

_JSON_BLOCK = 10 << 20


class LateImages:
    """Watches for the first row with a picture in JSON lines.

    Args:
        path: The file; only JSON lines are read in blocks.
        column: The column of pictures; None where there is none.
    """

    def __init__(self, path: Path, column: str | None) -> None:
        self._column = column if path.suffix == ".jsonl" else None
        self._bytes = 0

    def come(self, row: dict[str, Any]) -> bool:
        """Whether this row is the first with a picture, and comes too late."""
        if self._column is None:
            return False
        if row.get(self._column):
            self._column = None
            return self._bytes > _JSON_BLOCK
        self._bytes += len(json.dumps(row, ensure_ascii=False).encode("utf-8", "replace")) + 1
        return False

    @property
    def message(self) -> str:
        """How late, in words."""
        return f"{self._bytes:,} bytes of rows without pictures before it"


def data_files(folder: Path, columns: frozenset[str]) -> list[Path]:
    """The files of a folder whose first rows have one of the columns; a file that cannot be read is one too."""
    found = []
    for path in sorted(folder.iterdir()):
        if path.suffix in rows.SUFFIXES and path.name not in _OURS and path.is_file():
            try:
                first = [row for row, _ in zip(rows.read(path), range(_PEEKED), strict=False)]
            except rows.BrokenFile:
                found.append(path)
                continue
            if any(isinstance(row, dict) and columns & row.keys() for row in first):
                found.append(path)
    return found


def for_prediction(name: str) -> bool:
    """Whether a file is for prediction, going by its name: then rows need no answers."""
    return Path(name).stem == "test"


def numbered(path: Path, log: Log, typed: bool = True) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """The rows of a file with number and id; what is wrong with the file, or is no row, is logged.

    Args:
        path: The file.
        log: Needs the rules file_broken, no_rows, not_a_row and mixed_types.
        typed: Whether rows become a table, so that a column must be of one kind.
    """
    columns = Columns()
    try:
        for number, row in enumerate(rows.read(path)):
            log.file.rows += 1
            if not isinstance(row, dict):
                log.row(number, "", "not_a_row", type(row).__name__)
                continue
            name = str(row.get("id") or "")
            for mixed in columns.add(row) if typed else ():
                log.row(number, name, "mixed_types", mixed)
            yield number, name, row
    except rows.BrokenFile as error:
        log.whole("file_broken", str(error))
        return
    if not log.file.rows:
        log.whole("no_rows", path.name)


def script_number(folder: Path, name: str) -> int | None:
    """A number that a shell script of the folder sets, as `NAME=1` or `--name 1`."""
    for path in sorted(folder.glob("*.sh")):
        found = re.search(rf"(?:\b{name}=|--{name}[ =])(\d+)", path.read_text("utf-8", "replace"))
        if found:
            return int(found[1])
    return None
