"""Finds out what a name on the command line stands for, and opens it as a table."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from curate import records
from curate.dataset.dataset import Dataset, steps
from curate.dataset.files import content_hash, digest, read_json
from curate.dataset.pictures import PictureStore
from curate.dataset.url import url_of
from curate.dataset.working_copy import brought
from curate.diff.spool import PICTURE_COLUMNS, Spooled, digest_column, open_raw, spool_json, spool_records
from curate.diff.table import Format, Table
from curate.errors import InputError
from curate.pipeline.source import InputOptions

_DATA = (".json", ".jsonl", ".ndjson", ".parquet")
_SPLIT = re.compile(r"(train|val|valid|validation|dev|test)(?=$|[-_.])", re.IGNORECASE)
_SPLIT_NAMES = {"valid": "val", "validation": "val", "dev": "val"}


def open_pair(a: str, b: str, where: str | None = None) -> tuple[Table, Table]:
    """Open two data sets, in one shape where that is possible.

    A run or dataset of curate against a raw file: the file is read as `curate ingest` reads it, so both are records.

    Raises:
        InputError: one of them cannot be read.
        UsageError: `where` does not fit.
    """
    one, other = open_table(a, where), open_table(b, where)
    if one.as_records and not other.as_records:
        other = _as_records(other, b, where) or other
    elif other.as_records and not one.as_records:
        one = _as_records(one, a, where) or one
    return one, other


def open_run(run: Path, step: str = "", where: str | None = None) -> tuple[Table, Table]:
    """Open what came into a run and what came out of it, or of one of its steps.

    What came into a run are all records that its source held, the bad ones included.

    Raises:
        InputError: there is no such run or step.
    """
    run = brought(run)
    after = Dataset.open(f"{run}@{step}" if step else run)
    assert after.step is not None
    there = steps(run)
    place = there.index(after.step)
    before = there[0] if not step or place == 0 else there[place - 1]
    sides = ("rows", "failed") if before == there[0] and (not step or place == 0) else ("rows",)
    files = [file for side in sides for file in sorted((before / side).glob("part-*.parquet"))]
    ref = f"{run}@{step}" if step else str(run)
    first = _own(
        Dataset(files, run, run, before), f"{ref} ({'before' if step else 'input'})", where, "stage" if step else "run"
    )
    first.next_step = place if step else 0
    last = _own(after, ref, where, "stage" if step else "run")
    last.suffix = f"@{step}" if step else ""
    first.suffix = f"{last.suffix} ({'before' if step else 'input'})"
    return first, last


def open_table(ref: str, where: str | None = None) -> Table:
    """Open a run (its last step), RUN@STEP, Parquet, JSON or JSONL files, a folder of them, or a folder of pictures.

    Raises:
        InputError: there is nothing that can be read; the message says what was looked for.
        UsageError: `where` does not fit.
    """
    path = brought(Path(ref))
    ref = str(path) if url_of(ref) else ref
    if not path.exists():
        if "@" in path.name:
            found = _own(Dataset.open(ref), ref, where, "stage")
            found.suffix = f"@{path.name.partition('@')[2]}"
            return found
        raise InputError(f"{ref}: there is no such file or folder")
    if path.is_file():
        return _files([path], path, ref, where)
    if (path / "run.json").exists() or (path / "rows").is_dir():
        return _own(Dataset.open(path), ref, where, "run" if (path / "run.json").exists() else "stage")
    files = _data_files(path)
    if files:
        return _files(files, path, ref, where)
    return _folder(path, ref, where)


def _own(data: Dataset, ref: str, where: str | None, kind: Format) -> Table:
    run = data.run
    there = steps(run) if run else []
    return Table(
        ref,
        shown(run or data.folder),
        kind if data.files else "run",
        data.files,
        fingerprint(data.files),
        as_records=True,
        pictures=data.pictures,
        run=run,
        step=data.step,
        next_step=there.index(data.step) + 1 if data.step in there else 0,
        where=where,
    )


def _data_files(folder: Path) -> list[Path]:
    """The files of records in a folder: those that a data card or an export has, without its own bookkeeping."""
    found = [path for path in sorted(folder.iterdir()) if path.is_file() and path.suffix.lower() in _DATA]
    named = [path for path in found if _SPLIT.match(path.name)]
    if (folder / "export.json").exists() or (folder / "dataset_info.json").exists():
        return named
    parquet = [path for path in found if path.suffix.lower() == ".parquet"]
    return parquet or named or (found if len(found) == 1 and not found[0].name.startswith("metadata.") else [])


def _files(files: Sequence[Path], path: Path, ref: str, where: str | None) -> Table:
    kinds = {open_raw(file).kind for file in files}
    if kinds == {"parquet"}:
        return _parquet(list(files), path, ref, where)
    if "parquet" in kinds:
        raise InputError(f"{ref} holds Parquet and JSON files; give one of them")
    store = PictureStore(_picture_root(path), path if path.is_dir() else path.parent)
    splits = [(file, _split_of(file) if len(files) > 1 else None) for file in files]
    spooled = spool_json(splits, store)
    kind: Format = "sharegpt" if "conversations" in spooled.kinds else "jsonl" if kinds == {"jsonl"} else "json"
    return Table(
        ref,
        shown(path),
        kind,
        spooled.files,
        fingerprint(files),
        as_json=True,
        pictures=store,
        where=where,
        bad_records=spooled.bad,
        kept=spooled,
        scalars=spooled.scalars,
        digests=spooled.digests,
    )


def _parquet(files: list[Path], path: Path, ref: str, where: str | None) -> Table:
    found = Table(ref, shown(path), "parquet", files, fingerprint(files), where=where)
    is_own = set(records.SCHEMA.names) <= set(found.names)
    is_own = is_own and all(isinstance(found.types[name], pl.List) for name in ("turns", "images", "scores"))
    found.as_records = is_own
    found.pictures = Dataset.open(path).pictures if is_own else PictureStore(_picture_root(path), path.parent)
    if not is_own:
        found.digests = {name: digest_column(found.paths_of(name), found.pictures) for name in PICTURE_COLUMNS}
    return found


def _folder(path: Path, ref: str, where: str | None) -> Table:
    spooled, source = spool_records(InputOptions(path=path, format="imagefolder"))
    return _of_records(spooled, source, ref, path, where, "imagefolder")


def _as_records(table: Table, ref: str, where: str | None) -> Table | None:
    """Read a source of another shape as records; None where curate does not know its format."""
    path = Path(ref)
    if path.is_dir():
        return None
    try:
        spooled, source = spool_records(InputOptions(path=path))
    except InputError:
        return None
    return _of_records(spooled, source, ref, path, where, table.format)


def _of_records(spooled: Spooled, source: Any, ref: str, path: Path, where: str | None, kind: Format) -> Table:
    return Table(
        ref,
        shown(path),
        kind,
        spooled.files,
        f"xxh3:{source.fingerprint()}",
        as_records=True,
        pictures=PictureStore(source.image_root, path, source.made_folders),
        where=where,
        kept=spooled,
    )


def _picture_root(path: Path) -> Path:
    """Where paths of pictures begin: `images` beside the file does not count, paths name it themselves."""
    return path if path.is_dir() else path.parent


def _split_of(file: Path) -> str | None:
    match = _SPLIT.match(file.name)
    return _SPLIT_NAMES.get(match[1].lower(), match[1].lower()) if match else None


def fingerprint(files: Sequence[Path]) -> str:
    """Hash of the bytes of files, in order."""
    try:
        hashes = [content_hash(file) for file in files]
    except OSError as error:
        raise InputError(f"{error.filename}: cannot be read: {error.strerror or error}") from error
    return f"xxh3:{hashes[0] if len(hashes) == 1 else digest(hashes)}"


def shown(path: Path) -> str:
    """A path for a report: relative to the working folder, else its name alone, so that no user name travels."""
    try:
        return path.resolve().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return path.name


def recipe_name(run: Path | None) -> str | None:
    """Name of the recipe of a run."""
    found = read_json(run / "run.json") if run else None
    recipe = found.get("recipe") if isinstance(found, dict) else None
    return str(recipe["name"]) if isinstance(recipe, dict) and "name" in recipe else None
