"""A small dataset for tests of cards: two splits, a label, pictures, and personal data in every place."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pyarrow.parquet as pq
from PIL import Image as PillowImage

from curate import records
from curate.records import Image, Line, Ocr, Record, Turn

PLANTED = [
    "13812345678",
    "11010519491231002X",
    "zhang.san@example.com",
    "6222021234567890128",
    "中山路100号3栋2单元501室",
]
"""Personal data that no file of a card may show."""


def a_record(number: int, folder: Path, split: str) -> Record:
    """One dialogue about one picture."""
    secret = PLANTED[number % len(PLANTED)]
    path = f"{number}.png"
    PillowImage.new("RGB", (40 + number, 30), (number, 90, 30)).save(folder / path)
    digest = hashlib.sha256((folder / path).read_bytes()).hexdigest()
    read = Ocr("fake/1", f"订单 {secret}", (Line(f"订单 {secret}", 0.9, (0, 0, 30, 0, 30, 9, 0, 9)),))
    return Record(
        uid=records.source_uid("card", number),
        source_id=f"{secret}-{number}",
        task="dialogue_intent",
        turns=(Turn("user", f"<image>\n请送到{secret}，谢谢"), Turn("agent", "好的")),
        images=(Image(path, digest, 40 + number, 30, "PNG", read),),
        label="物流" if number % 2 else "退款",
        label_from="gold",
        split=split,
        raw=f'{{"phone": "{secret}"}}',
    )


def write_dataset(folder: Path, rows: int = 12) -> Path:
    """Write Parquet files of records with their pictures beside them."""
    folder.mkdir(parents=True)
    made = [a_record(number, folder, "train" if number < rows * 2 // 3 else "test") for number in range(rows)]
    for part in range(2):
        pq.write_table(records.to_table(made[part::2]), folder / f"part-{part}.parquet")
    return folder
