"""Measures a dataset column by column, one batch in memory at a time."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

import curate
from curate.card.columns import ColumnCounts
from curate.card.content import ContentCounts
from curate.card.facts import Facts, File, Safety
from curate.card.lineage import has_registry, licences, lineage, tokenizer_of
from curate.card.pictures import PictureCounts
from curate.card.twins import Twins
from curate.dataset.dataset import Dataset
from curate.dataset.tokens import counter, tokenizer_file
from curate.report import personal

_ROWS = 4096
_CHUNK = 1 << 20


def measure(data: Dataset, name: str, pictures: bool = True, tokenizer: Path | None = None) -> Facts:
    """Measure a dataset.

    Args:
        data: The dataset.
        name: What the card calls it.
        pictures: Whether to open every picture file (missing, unreadable, carries a place, nearly another one).
        tokenizer: A tokenizer.json, or the folder of a model; else that of the recipe's first export that has one.

    Raises:
        InputError: a file is damaged or gone.
        MissingExtra: a tokenizer is set and the package tokenizers is not installed.
        UsageError: there is no such tokenizer.
    """
    counting = tokenizer or tokenizer_of(data)
    content = ContentCounts(counter(counting) if counting else None)
    columns, twins, seen = ColumnCounts(data.schema), Twins(data.count()), PictureCounts()
    found: dict[str, Counter[str]] = {}
    rows = 0
    for batch in data.iter_batches(batch_size=_ROWS):
        table = pa.Table.from_batches([batch])
        rows += table.num_rows
        columns.add(table)
        content.add(table)
        twins.add(table)
        seen.add(table)
        for column, texts in _texts(table):
            found.setdefault(column, Counter()).update(personal.count(texts))
    files = [_file(path, data.folder) for path in data.files]
    steps = lineage(data, content.derived, rows)
    return Facts(
        curate=curate.__version__,
        dataset=name,
        fingerprint=fingerprint(files),
        rows=rows,
        bytes=sum(file.bytes for file in files),
        files=files,
        splits=content.splits(),
        tasks=content.tasks(),
        columns=columns.facts(),
        labels=content.labels(has_registry(data)),
        text=content.text(tokenizer_name(counting) if counting else None),
        images=seen.images(data.pictures if pictures else None),
        ocr=seen.ocr(),
        lineage=steps,
        quality=twins.quality(data.pictures if pictures else None),
        safety=_safety(found),
        licences=licences(data),
    )


def _texts(table: pa.Table) -> Iterator[tuple[str, pa.Array]]:
    """Every column that holds text of people, names of files and records included."""
    turns, images = table["turns"].combine_chunks().flatten(), table["images"].combine_chunks().flatten()
    yield "turns", turns.field("text")
    yield "ocr", images.field("ocr").field("text")
    yield "image paths", images.field("path")
    for name in ("system", "source_id", "raw"):
        yield name, table[name].combine_chunks()


def _safety(found: dict[str, Counter[str]]) -> Safety:
    told = {column: dict(sorted(counts.items())) for column, counts in found.items() if counts}
    return Safety(
        rules=personal.rules_version(), found=told, total=sum(sum(counts.values()) for counts in told.values())
    )


def _file(path: Path, folder: Path) -> File:
    digest = hashlib.sha256()
    size = 0
    with open(path, "rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
    shown = path.relative_to(folder) if folder.is_dir() else Path(path.name)
    return File(path=shown.as_posix(), bytes=size, sha256=digest.hexdigest(), rows=pq.read_metadata(path).num_rows)


def fingerprint(files: list[File]) -> str:
    """Name the content of the data files: any byte of any of them changes it."""
    told = "".join(f"{file.path}\0{file.bytes}\0{file.sha256}\n" for file in sorted(files, key=lambda file: file.path))
    return f"sha256:{hashlib.sha256(told.encode()).hexdigest()}"


def current_fingerprint(data: Dataset) -> str:
    """The fingerprint of a dataset as it is now, without measuring it."""
    return fingerprint([_file(path, data.folder) for path in data.files])


def tokenizer_name(tokenizer: Path) -> str:
    """Name a tokenizer so that two counts can be told apart: its folder, and the first digits of its SHA-256."""
    file = tokenizer_file(tokenizer)
    return f"{file.resolve().parent.name} sha256:{hashlib.sha256(file.read_bytes()).hexdigest()[:16]}"


def still_true(facts: Facts, data: Dataset, name: str) -> bool:
    """Whether facts tell of a dataset as its run's manifests describe it now; no row is read.

    Only for a run that has just compared its files with its manifests.
    """
    now = lineage(data, facts.lineage.synthetic, facts.rows)
    same = facts.lineage == now and now.manifests is not None
    counting = tokenizer_of(data)
    same = same and (counting is None or facts.text.tokenizer == tokenizer_name(counting))
    return same and facts.dataset == name and facts.curate == curate.__version__ and facts.licences == licences(data)


def carry_over(facts: Facts, before: dict[str, Any] | None) -> Facts:
    """Say which labels are new, and which are gone, since the facts before."""
    if not before:
        return facts
    old = {(item["task"], item["label"]) for item in before.get("labels", {}).get("labels", [])}
    now = {(item.task, item.label) for item in facts.labels.labels}
    if before.get("fingerprint") == facts.fingerprint:
        earlier = before.get("labels", {})
        new, vanished = earlier.get("new", []), earlier.get("vanished", [])
    else:
        new, vanished = sorted(label for _, label in now - old), sorted(label for _, label in old - now)
    labels = facts.labels.model_copy(update={"new": new, "vanished": vanished})
    return facts.model_copy(update={"labels": labels})
