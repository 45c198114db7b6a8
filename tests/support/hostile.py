"""Files that were made to do harm: escape sequences, links, bombs, tags."""

from __future__ import annotations

import json
import re
import struct
import zlib
from pathlib import Path

from PIL import Image

ESCAPE = "\x1b]0;pwned\x07\x1b[2J\u202e\x9b31m"
"""Sets a terminal's title, clears it, turns the direction of writing, and colours by a C1 control."""

STEERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What a terminal obeys instead of showing it; tabs and line breaks are not among it."""


def steering_source(folder: Path) -> Path:
    """Records whose ids, texts, labels and pictures' names hold escape sequences; some of them are bad."""
    images = folder / "images"
    images.mkdir(parents=True)
    for number in range(2):
        Image.new("RGB", (300 + number, 200), (90, 200, 30)).save(images / f"p{number}{ESCAPE}.png")
    names = sorted(path.name for path in images.iterdir())
    rows = [
        {"id": f"r{n}{ESCAPE}", "text": f"问题{n}{ESCAPE}谢谢", "label": f"标签{n % 3}{ESCAPE}", "images": names[n:1]}
        for n in range(8)
    ]
    rows += [{"id": f"{name}{ESCAPE}", "text": "x", "images": [f"{name}/{ESCAPE}.png"]} for name in ("no", "..")]
    path = folder / f"rows{ESCAPE}.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows) + '{"bad', "utf-8")
    return path


def answers(folder: Path) -> Path:
    """Predictions for the records of `steering_source`."""
    rows = [{"id": f"r{n}{ESCAPE}", "predicted": f"标签0{ESCAPE}"} for n in range(8)]
    path = folder / "answers.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return path


def png_of(width: int, height: int, comment: int = 0) -> bytes:
    """A PNG that says it has so many pixels, and holds a comment that unpacks to so many bytes."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    pixels = zlib.compress(b"".join(b"\0" + bytes(3 * min(width, 1000)) for _ in range(min(height, 8))))
    parts = [chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))]
    if comment:
        parts.append(chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(comment))))
    return b"\x89PNG\r\n\x1a\n" + b"".join([*parts, chunk(b"IDAT", pixels), chunk(b"IEND", b"")])


def webp_of(width: int, height: int) -> bytes:
    """A WebP header that says it has so many pixels (at most 16,384 a side without loss), and nothing behind it."""
    bits = (width - 1) | (height - 1) << 14
    body = b"\x2f" + struct.pack("<I", bits) + bytes(32)
    data = b"VP8L" + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)
    return b"RIFF" + struct.pack("<I", 4 + len(data)) + b"WEBP" + data
