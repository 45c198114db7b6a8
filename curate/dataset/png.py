"""PNG files before they are decoded: what Pillow overlooks, and what it trips over, settled chunk by chunk.

Pillow does not look at the checksums of the pixels, refuses a file for a damaged comment, and unpacks compressed
comments of any size. Only the chunks that decide pixels and orientation are kept here.
"""

from __future__ import annotations

import struct
import zlib

from curate.errors import RowError

SIGNATURE = b"\x89PNG\r\n\x1a\n"

CRITICAL = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND"})
WANTED = CRITICAL | {b"tRNS", b"eXIf"}
"""Chunks that are kept. Colour profiles are not: text is read the same with and without."""


def essential(data: bytes) -> bytes:
    """Give a PNG file with the chunks that count and nothing else; a file that ends early still ends early.

    Raises:
        RowError: image_unreadable, a chunk of the pixels does not fit its checksum.
    """
    parts = [SIGNATURE]
    start = len(SIGNATURE)
    while start + 8 <= len(data):
        (length,) = struct.unpack_from(">I", data, start)
        name, end = data[start + 4 : start + 8], start + 12 + length
        if name in WANTED:
            whole = end <= len(data)
            sound = (
                whole
                and zlib.crc32(memoryview(data)[start + 4 : end - 4]) == struct.unpack_from(">I", data, end - 4)[0]
            )
            if name in CRITICAL and whole and not sound:
                raise RowError("image_unreadable", f"damaged {name.decode()} chunk")
            if sound or name in CRITICAL:
                parts.append(data[start:end])
        if name == b"IEND":
            break
        start = end
    return b"".join(parts)
