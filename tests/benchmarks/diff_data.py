"""Two versions of a table of conversations, with a known number of changes, for the benchmark of `curate diff`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

TURNS = 4
_LABELS = ("退款", "发货", "尺码", "材质", "其他")
_GROUP = 100_000


def write(folder: Path, rows: int) -> dict[str, int]:
    """Write a.parquet and b.parquet: eight columns, one of them nested; B is shuffled.

    One per cent of the rows of A are not in B, as many are new; of the others one per cent each have another label and
    another title, three per cent another turn. Give the numbers.
    """
    draw = np.random.default_rng(0)
    signs = np.array([chr(code) for code in range(0x4E00, 0x4E00 + 3000)])
    pool = np.array(["".join(draw.choice(signs, int(size))) for size in draw.integers(5, 60, 20_000)], dtype=object)
    part = rows // 100
    a = _table(range(rows), pool, 1)
    b = a.slice(part)
    size = len(b)
    labels, titles = b["label"].to_pylist(), b["title"].to_pylist()
    for place in range(part):
        labels[place * 50] = "新标签"
        titles[place * 50 + 1] += "一"
    turns = b["turns"].combine_chunks()
    flat = turns.flatten()
    texts = flat.field("text").to_pylist()
    for place in range(3 * part):
        texts[(place * 30 + 7) % size * TURNS + 1] += "吧"
    fields = pa.StructArray.from_arrays([flat.field("role"), pa.array(texts), flat.field("ts")], ["role", "text", "ts"])
    offsets = pa.array(np.arange(0, size * TURNS + 1, TURNS), pa.int32())
    changed = pa.ListArray.from_arrays(offsets, fields)
    for name, values in (("label", pa.array(labels)), ("title", pa.array(titles)), ("turns", changed)):
        b = b.set_column(b.schema.get_field_index(name), name, values)
    b = pa.concat_tables([b, _table(range(rows, rows + part), pool, 2).cast(b.schema)])
    b = b.take(pa.array(np.random.default_rng(3).permutation(len(b))))
    pq.write_table(a, folder / "a.parquet", row_group_size=_GROUP)
    pq.write_table(b, folder / "b.parquet", row_group_size=_GROUP)
    return {"removed": part, "added": part, "changed": 5 * part, "label": part, "title": part, "turns": 3 * part}


def _table(ids: range, pool: np.ndarray, seed: int) -> pa.Table:  # type: ignore[type-arg]
    draw = np.random.default_rng(seed)
    rows = len(ids)
    texts = pool[draw.integers(0, len(pool), rows * TURNS)]
    roles = np.tile(np.array(["user", "agent"], dtype=object), rows * TURNS // 2)
    times = draw.integers(1_600_000_000, 1_700_000_000, rows * TURNS)
    fields = pa.StructArray.from_arrays(
        [pa.array(roles, pa.string()), pa.array(texts, pa.string()), pa.array(times)], ["role", "text", "ts"]
    )
    shops = np.array([f"shop{place}" for place in range(12)], dtype=object)
    return pa.table(
        {
            "id": pa.array([f"r{number:08d}" for number in ids]),
            "label": pa.array(np.array(_LABELS, dtype=object)[draw.integers(0, len(_LABELS), rows)]),
            "split": pa.array(
                np.array(["train", "val", "test"], dtype=object)[draw.choice(3, rows, p=[0.8, 0.1, 0.1])]
            ),
            "source": pa.array(shops[draw.integers(0, len(shops), rows)]),
            "score": pa.array(draw.random(rows)),
            "length": pa.array(draw.integers(1, 500, rows)),
            "title": pa.array(pool[draw.integers(0, len(pool), rows)], pa.string()),
            "turns": pa.ListArray.from_arrays(pa.array(np.arange(0, rows * TURNS + 1, TURNS), pa.int32()), fields),
        }
    )
