"""A dataset on disk, opened for reading: a run, one step of it, or plain Parquet files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from curate import records
from curate.dataset import ledger
from curate.dataset.files import read_json
from curate.dataset.pictures import PictureStore
from curate.dataset.url import url_of
from curate.dataset.working_copy import brought, origin
from curate.errors import InputError

if TYPE_CHECKING:
    import pandas


class Dataset:
    """Records on disk, read in batches.

    Open the result of a run, of one of its steps, or any Parquet files with the columns of a record:

    >>> data = Dataset.open("work/demo")               # doctest: +SKIP
    >>> data.count()                                   # doctest: +SKIP
    40
    >>> for batch in Dataset.open("work/demo@ocr").iter_batches(["uid", "images"]):   # doctest: +SKIP
    ...     print(batch.num_rows)
    """

    def __init__(self, files: Sequence[Path], folder: Path, run: Path | None = None, step: Path | None = None) -> None:
        self.files = list(files)
        self.folder = folder
        """What was opened."""
        self.run = run
        """The run it belongs to; None for plain files."""
        self.step = step
        """The step's folder; None for plain files."""

    @classmethod
    def open(cls, where: str | Path) -> Dataset:
        """Open a dataset.

        Args:
            where: A run (its last finished step is taken), `RUN@STEP`, a step's folder, a folder of Parquet files,
                or one Parquet file; or the URL of one of them, of which everything but pictures is copied here.

        Raises:
            InputError: there is no dataset, or its files do not hold records; the message says what was looked for.
        """
        if url_of(where):
            where = brought(Path(where))
        path, _, wanted = str(where).partition("@") if not Path(where).exists() else (str(where), "", "")
        folder = Path(path)
        if folder.is_file():
            _check([folder])
            return cls([folder], folder)
        if not folder.is_dir():
            raise InputError(f"there is no dataset {where}; give a run, RUN@STEP, or Parquet files")
        if (folder / "run.json").exists():
            step = _step(folder, wanted)
            files = _parts(step / "rows")
            _check(files[:1])
            return cls(files, folder, folder, step)
        if (folder / "rows").is_dir():
            run = folder.parent if (folder.parent / "run.json").exists() else None
            files = _parts(folder / "rows")
            _check(files[:1])
            return cls(files, folder, run, folder)
        if (folder / "export.json").exists():
            raise InputError(f"{folder} is an export, not a dataset; give the run that it was written from")
        files = sorted(folder.glob("*.parquet"))
        if not files:
            raise InputError(f"{folder} holds no dataset: no run.json, no rows/ and no .parquet file")
        _check(files)
        return cls(files, folder)

    @property
    def folder_read(self) -> Path:
        """The folder or file that the rows come from: the step's folder where there is one."""
        return self.step or self.folder

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema of the files; `records.SCHEMA` where the dataset is empty."""
        return pq.read_schema(self.files[0]).remove_metadata() if self.files else records.SCHEMA

    def count(self) -> int:
        """Number of rows, from the files' footers."""
        return sum(pq.read_metadata(file).num_rows for file in self.files)

    def iter_batches(self, columns: Sequence[str] | None = None, batch_size: int = 1024) -> Iterator[pa.RecordBatch]:
        """Give the rows in order, at most `batch_size` at a time; only one batch is in memory.

        Raises:
            InputError: a file is damaged or gone.
        """
        for file in self.files:
            try:
                with pq.ParquetFile(file) as parquet:
                    yield from parquet.iter_batches(batch_size, columns=list(columns) if columns else None)
            except (OSError, pa.ArrowInvalid) as error:
                raise InputError(f"{file} cannot be read: {_first_line(error)}") from error

    def __iter__(self) -> Iterator[records.Record]:
        """Give the rows as `records.Record`, one at a time."""
        for batch in self.iter_batches():
            yield from records.from_table(pa.Table.from_batches([batch]))

    def to_table(self, columns: Sequence[str] | None = None) -> pa.Table:
        """Load all rows, or some of their columns, into memory."""
        schema = self.schema if columns is None else pa.schema([self.schema.field(name) for name in columns])
        return pa.Table.from_batches(list(self.iter_batches(columns, 1 << 16)), schema)

    def to_pandas(self, columns: Sequence[str] | None = None) -> pandas.DataFrame:
        """Load all rows, or some of their columns, as a pandas frame."""
        return self.to_table(columns).to_pandas()

    def ledger(self) -> pa.Table:
        """What the step did to which row; empty for plain files."""
        return self._side("ledger", ledger.SCHEMA)

    def dropped(self) -> pa.Table:
        """Records that the step took out on purpose, whole."""
        return self._side("dropped", records.SCHEMA)

    def failed(self) -> pa.Table:
        """Records that the step set aside because they are bad, whole."""
        return self._side("failed", records.SCHEMA)

    def _side(self, name: str, schema: pa.Schema) -> pa.Table:
        files = _parts(self.step / name) if self.step else []
        return pa.concat_tables([pq.read_table(file) for file in files]) if files else schema.empty_table()

    @property
    def pictures(self) -> PictureStore:
        """Where the pictures of the records are."""
        manifest = _manifest(self.run) if self.run else {}
        root = manifest.get("image_root")
        base = origin(self.run or (self.folder if self.folder.is_dir() else self.folder.parent))
        inherited = [Path(folder) for folder in manifest.get("made_folders", [])]
        return PictureStore(Path(root) if root else base, base / "images", inherited)


def steps(run: Path) -> list[Path]:
    """The folders of a run's finished steps, in order; a step that was made from an earlier result is not one."""
    found: list[Path] = []
    outputs: list[str] | None = None
    for name in _manifest(run).get("steps_planned", []):
        manifest: Any = read_json(run / name / "stage.json")
        try:
            inputs, hashes = manifest["inputs"], [shard["hash"] for shard in manifest["shards"]]
        except (KeyError, TypeError):
            break
        if outputs is not None and inputs != outputs:
            break  # made from what the step before held in an earlier run
        found.append(run / name)
        outputs = hashes
    return found


def broken(run: Path) -> str | None:
    """Say which step of a run cannot be read any more, and what helps; None where all that finished can.

    A run that is at work or was stopped has steps without a `stage.json`; one that is finished has none.
    """
    manifest = _manifest(run)
    rest = manifest.get("steps_planned", [])[len(steps(run)) :]
    if not rest:
        return None
    file = run / rest[0] / "stage.json"
    damaged = file.exists() and not isinstance(read_json(file), dict)
    if not damaged and manifest.get("status") != "finished":
        return None
    what = "is damaged" if damaged else "does not fit the step before it" if file.exists() else "is missing"
    return f"{file} {what}; run the recipe of this run again, which does this step anew"


def _manifest(run: Path) -> dict[str, Any]:
    """What the run says of itself; empty where it says nothing, or nothing that can be read."""
    try:
        found = read_json(run / "run.json")
    except OSError:
        return {}
    return found if isinstance(found, dict) else {}


def _check(files: Sequence[Path]) -> None:
    """Make sure that files are Parquet with the columns of a record."""
    for file in files:
        try:
            schema = pq.read_schema(file)
        except (OSError, pa.ArrowInvalid) as error:
            raise InputError(
                f"{file} is not a Parquet file that can be read ({_first_line(error)}); "
                "a source of another format is read with `curate ingest IN OUT`"
            ) from error
        missing = [name for name in records.SCHEMA.names if name not in schema.names]
        if missing:
            raise InputError(
                f"{file} does not hold records: it has no column {', '.join(missing)}; "
                "a table of your own is read with `curate ingest IN OUT`"
            )
        flat = [name for name in ("turns", "images", "scores") if not _is_list(schema.field(name).type)]
        if flat:
            raise InputError(f"{file} does not hold records: the column {flat[0]} is no list of structs")


def _is_list(kind: pa.DataType) -> bool:
    return bool((pa.types.is_list(kind) or pa.types.is_large_list(kind)) and pa.types.is_struct(kind.value_type))


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]


def _step(run: Path, wanted: str) -> Path:
    if not _manifest(run):
        raise InputError(f"{run}/run.json cannot be read or is damaged; run the recipe of this run again")
    there = steps(run)
    lost = broken(run)
    if lost and not wanted:
        earlier = f", or give an earlier step: {run}@{there[-1].name.partition('-')[2]}" if there else ""
        raise InputError(f"{lost}{earlier}")
    if not there:
        raise InputError(f"{run} is a run without a finished step yet")
    if not wanted:
        return there[-1]
    for step in there:
        if wanted in (step.name, step.name.partition("-")[2]):
            return step
    raise InputError(f"{run} has no finished step '{wanted}'; there are: {', '.join(step.name for step in there)}")


def _parts(folder: Path) -> list[Path]:
    return sorted(folder.glob("part-*.parquet"))
