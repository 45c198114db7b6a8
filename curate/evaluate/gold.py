"""The right answers: the labelled rows of a dataset or of any source that ingest knows."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from curate.dataset.pictures import PictureStore
from curate.errors import InputError
from curate.pipeline import registry
from curate.pipeline.source import InputOptions, Position, Source

COLUMNS = ["uid", "source_id", "task", "label", "split", "raw", "turns"]


@dataclass(frozen=True)
class GoldRow:
    """One row of the gold data."""

    uid: str
    source_id: str
    task: str
    label: str | None
    """The label as the registry writes it; None in test data."""
    split: str | None
    raw: str = field(default="", repr=False)
    """The source record as it came."""
    turns: Sequence[Mapping[str, Any]] = field(default=(), repr=False)
    """role and text of each turn."""


def read_gold(options: InputOptions, split: str | None = None) -> list[GoldRow]:
    """Read the rows of a source in its order; those whose pictures are missing or bad count too.

    Args:
        options: Where the source is.
        split: Only rows of this split.

    Raises:
        InputError: there is no such row, or the source cannot be read.
    """
    source: Source = registry.load(registry.OPEN_SOURCE)(options)
    rows = [row for row in _rows(source) if split is None or row.split == split]
    if not rows:
        raise InputError(f"{options.path} holds no rows{f' of the split {split}' if split else ''}")
    return rows


def read_pictures(options: InputOptions, uids: Collection[str]) -> tuple[PictureStore, dict[str, list[dict[str, Any]]]]:
    """Read what is known of the pictures of some rows, with the lines of text read in them; and where they are."""
    source: Source = registry.load(registry.OPEN_SOURCE)(options)
    wanted = pa.array(sorted(uids), pa.string())
    found: dict[str, list[dict[str, Any]]] = {}
    for shard in source.shards(Position(), ()) if len(wanted) else ():
        rows = shard.batch.outcome().rows.select(["uid", "images"])
        for row in rows.filter(pc.is_in(rows["uid"], wanted)).to_pylist():
            found[row["uid"]] = row["images"] or []
    root = source.image_root
    return PictureStore(root, root or options.path, source.made_folders), found


def _rows(source: Source) -> Iterator[GoldRow]:
    for shard in source.shards(Position(), ()):
        outcome = shard.batch.outcome()
        bad = outcome.ledger.filter(pc.equal(outcome.ledger["action"], "failed"))
        of_pictures = {
            uid
            for uid, code in zip(bad["uid"].to_pylist(), bad["code"].to_pylist(), strict=True)
            if code.startswith("image_") and code != "image_count_mismatch"
        }
        table = pa.concat_tables([outcome.rows.select(COLUMNS), outcome.failed.select(COLUMNS)]).to_pylist()
        order = {uid: place for place, uid in enumerate(shard.batch.incoming["uid"].to_pylist())}
        failed = set(bad["uid"].to_pylist())
        kept = [row for row in table if row["uid"] not in failed or row["uid"] in of_pictures]
        for row in sorted(kept, key=lambda row: order[row["uid"]]):
            yield GoldRow(**row)
