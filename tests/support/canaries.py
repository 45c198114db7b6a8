"""Personal data that no report may show, planted in every field of a small dataset; all of it is invented."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from PIL import Image

CANARIES = (
    "13812345678", "13912340001", "+86-139-1234-5678", "138 1234 5679", "15812345678",
    "11010519491231002X", "440524188001010014",
    "6222021234567890128", "4111 1111 1111 1111", "5500-0000-0000-0004",
    "010-62345678", "0571-87654321",
    "zhang.san@example.com", "a_b+c@mail.example.com.cn",
    "京A12345", "沪C8888学",
    "QQ：123456789", "vx: abc12345",
    "中山路100号3栋2单元501室", "幸福小区8栋301",
)  # fmt: skip
"""Twenty texts: telephone, identity, card and account numbers, addresses, plates."""
_SHOWN = CANARIES[0]
"""The one that is a file's name and a picture's, too."""


def planted(folder: Path) -> dict[str, Path]:
    """Write two states of a source, its pictures and predictions; canaries stand in every field and in file names.

    Gives the paths `old`, `new`, `images`, `said` (predictions without a label among them) and `rivals`.
    """
    images = folder / "images"
    images.mkdir(parents=True)
    rows = [_row(number, canary, images) for number, canary in enumerate(CANARIES)]
    changed = [{**row, "text": f"{row['text']}，请尽快{number}"} for number, row in enumerate(rows[2:])]
    bad = [{"id": f"bad {canary}", "text": canary, "images": [f"{canary}.png".replace(" ", "")]} for canary in CANARIES]
    said = [{"id": row["id"], "predicted": f"请联系{canary}"} for row, canary in zip(rows, CANARIES, strict=True)]
    rivals = [{"id": row["id"], "predicted": row["label"]} for row in rows]
    files = {"old": [*rows, *bad], "new": changed, "said": said, "rivals": rivals}
    return {"images": images} | {
        name: _write(folder / f"{name} {_SHOWN}.jsonl", lines) for name, lines in files.items()
    }


def _row(number: int, canary: str, images: Path) -> dict[str, Any]:
    picture = f"{canary.replace('：', '').replace(':', '')}.png"
    Image.new("RGB", (300 + number, 200), (90, 5 * number, 30)).save(images / picture)
    turns = [
        {"role": "user", "content": f"<image>我的信息是{canary}"},
        {"role": "assistant", "content": f"收到{canary}"},
    ]
    text = "\n".join(turn["content"] for turn in turns)
    return {"id": f"{number} {canary}", "text": text, "label": f"找{canary}", "images": [picture]}


def _write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return path
