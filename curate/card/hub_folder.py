"""A folder that the Hugging Face Hub and Croissant take as it is: rows by split, pictures, card and Croissant.

The source's own text of each record (`raw`) stays at home: it holds what cleaning took out.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from curate import records
from curate.card.answers import answers, metadata
from curate.card.card import as_json
from curate.card.croissant import croissant
from curate.card.facts import Facts, File
from curate.card.layout import CardError, parse
from curate.card.place import Place, read, read_facts
from curate.dataset.dataset import Dataset
from curate.dataset.files import TEMPORARY, write_bytes, write_error
from curate.dataset.pictures import PictureStore
from curate.errors import OutputError, RowError

_ROWS = 4096
PICTURES = "images"


def write_hub_folder(data: Dataset, place: Place, folder: Path) -> Counter[str]:
    """Write a dataset with its card; the folder appears whole or not at all.

    Gives the pictures that could not be copied, by code.

    Args:
        data: The dataset; its card must be up to date.
        place: Where the card is.
        folder: A new or empty folder.

    Raises:
        OutputError: there is something in the folder.
        CardError: there are no facts beside the card.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise OutputError(f"{folder} is not empty; choose a new folder, or move it away")
    facts = read_facts(place)
    if facts is None:
        raise CardError(f"there are no facts beside {place.card}; run `curate card` first")
    temporary = folder.resolve().with_name(f"{TEMPORARY}{os.getpid()}-{folder.resolve().name}")
    try:
        temporary.mkdir(parents=True)
        lost = _write(data, place, facts, temporary)
        if folder.exists():
            folder.rmdir()
        os.replace(temporary, folder.resolve())
    except OSError as error:
        raise write_error(folder, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return lost


def _write(data: Dataset, place: Place, facts: Facts, folder: Path) -> Counter[str]:
    writers: dict[str, pq.ParquetWriter] = {}
    lost: Counter[str] = Counter()
    (folder / "data").mkdir()
    try:
        for batch in data.iter_batches(batch_size=_ROWS):
            table = _published(pa.Table.from_batches([batch]), data.pictures, folder, lost)
            for split, rows in _by_split(table):
                if split not in writers:
                    file = folder / "data" / f"{split}-00000-of-00001.parquet"
                    writers[split] = pq.ParquetWriter(file, table.schema, compression="zstd")
                writers[split].write_table(rows)
    finally:
        for writer in writers.values():
            writer.close()
    name, text = place.card.name, read(place.card)
    layout = parse(text, name)
    columns = [column for column in facts.columns if column.path != "raw"]
    document = croissant(
        facts.model_copy(update={"columns": columns}),
        metadata(layout, name),
        answers(layout),
        [_file(path, folder) for path in sorted((folder / "data").iterdir())],
        PICTURES if (folder / PICTURES).is_dir() else None,
    )
    write_bytes(folder / "README.md", text.encode())
    write_bytes(folder / "croissant.json", as_json(document).encode())
    return lost


def _published(table: pa.Table, store: PictureStore, folder: Path, lost: Counter[str]) -> pa.Table:
    """The rows without `raw`, their pictures copied and named by where they are now."""
    table = table.select([name for name in table.schema.names if name != "raw"])
    rows = table["images"].to_pylist()
    for image in (image for images in rows for image in images or ()):
        image["path"] = _copied(store, image["path"], image["sha256"], folder, lost)
    place = table.schema.get_field_index("images")
    return table.set_column(place, "images", pa.array(rows, records.SCHEMA.field("images").type))


def _copied(store: PictureStore, path: str, digest: str | None, folder: Path, lost: Counter[str]) -> str:
    """Copy a picture once; one that cannot be read keeps its name, and is counted."""
    try:
        content = store.read(path, digest)
    except RowError as error:
        lost[error.code] += 1
        return path
    name = f"{PICTURES}/{hashlib.sha256(content).hexdigest()[:32]}{PurePosixPath(path).suffix.lower()}"
    if not (folder / name).exists():
        write_bytes(folder / name, content, sync=False)
    return name


def _by_split(table: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    for split in (*records.SPLITS, None):
        chosen = pc.is_null(table["split"]) if split is None else pc.equal(table["split"], split)
        rows = table.filter(pc.fill_null(chosen, False))
        if rows.num_rows:
            yield split or "unsplit", rows


def _file(path: Path, folder: Path) -> File:
    content = path.read_bytes()
    return File(
        path=path.relative_to(folder).as_posix(),
        bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        rows=pq.read_metadata(path).num_rows,
    )
