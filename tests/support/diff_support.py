"""Data sets for tests of the diff, and the diff of two of them."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from curate.diff.diff import diff
from curate.diff.opening import open_pair, open_run
from curate.diff.options import DiffOptions
from curate.diff.report import Report
from curate.diff.rules import parse_rule
from curate.diff.schema import broken_invariants

Rows = list[dict[str, Any]]
WORDS = "的一是了我不人在他有这个上们来到时大地为子中你说生国年着就那和要她出也得里后自以会"


def jsonl(path: Path, rows: Rows) -> Path:
    """Write rows as JSON lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=True) + "\n" for row in rows), "utf-8")
    return path


def parquet(path: Path, rows: Rows) -> Path:
    """Write rows as Parquet."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def compare(a: Path | str, b: Path | str, *rules: str, strict: bool = False, **options: Any) -> Report:
    """Compare two data sets; whatever comes out keeps the invariants."""
    one, other = open_pair(str(a), str(b), options.get("where"))
    report = diff(one, other, DiffOptions(**options), [parse_rule(rule) for rule in rules], strict)
    assert broken_invariants(report) == []
    return report


def compare_run(run: Path, step: str = "", *rules: str, **options: Any) -> Report:
    """Compare what came into a run, or one of its steps, with what came out."""
    one, other = open_run(run, step)
    report = diff(one, other, DiffOptions(**options), [parse_rule(rule) for rule in rules])
    assert broken_invariants(report) == []
    return report


def sentence(seed: int, length: int = 40) -> str:
    """Chinese text that no other seed gives."""
    return "".join(random.Random(seed).choices(WORDS, k=length))


def chats(number: int) -> Rows:
    """ShareGPT conversations that have nothing in common."""
    return [
        {
            "id": f"c{place:05d}",
            "label": ("退款", "发货", "尺码")[place % 3],
            "conversations": [
                {"from": "human", "value": sentence(2 * place)},
                {"from": "gpt", "value": sentence(2 * place + 1)},
            ],
        }
        for place in range(number)
    ]


def picture(path: Path, seed: int, **options: Any) -> Path:
    """Write a picture of random fields."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fields = np.random.default_rng(seed).integers(0, 255, (6, 8, 3)).astype(np.uint8)
    Image.fromarray(fields).resize((160, 120), Image.Resampling.NEAREST).save(path, **options)
    return path
