"""Looks at the first bytes of a file: which container it is, or why it is none that can be read."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import orjson

from curate.errors import InputError

_HEAD = 1 << 20
_BOM = b"\xef\xbb\xbf"

_PACKED = (
    (b"\x1f\x8b", "a gzip archive", "gunzip", ".gz"),
    (b"BZh", "a bzip2 archive", "bunzip2", ".bz2"),
    (b"\xfd7zXZ", "an xz archive", "unxz", ".xz"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive", "unzstd", ".zst"),
)
"""Programs that unpack one file, and the ending without which they refuse to name what comes out."""
_MAGIC = (
    (b"7z\xbc\xaf", "a 7-Zip archive. Unpack it first: 7z x FILE"),
    (b"Rar!", "a RAR archive. Unpack it first: unrar x FILE"),
    (b"%PDF", "a PDF document. Save its pages as pictures and give their folder"),
    (b"\xd0\xcf\x11\xe0", "an old Office document. Save it as JSON lines, one object for each row"),
    (b"SQLite format 3", "an SQLite database. Export the table as JSON lines"),
    (b"ARROW1", "an Arrow file. Save it as Parquet"),
    (b"\x89PNG", "one picture. Give the folder that it lies in"),
    (b"\xff\xd8\xff", "one picture. Give the folder that it lies in"),
    (b"GIF8", "one picture. Give the folder that it lies in"),
)
_UTF16 = (b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff", b"\xff\xfe", b"\xfe\xff")
_TABLES = (".csv", ".tsv", ".xlsx", ".xls")


def container_of(path: Path) -> str:
    """Tell the container of a file: json, jsonl or parquet.

    Raises:
        InputError: the file is empty, or of a kind that cannot be read; says which, and what to do.
    """
    with open(path, "rb") as stream:
        head = stream.read(_HEAD)
    if not head.removeprefix(_BOM).strip():
        raise InputError(f"{path}: the file is empty. Give a file with at least one record")
    if head.startswith(b"PAR1"):
        return "parquet"
    _refuse_other_kinds(path, head)
    _refuse_other_encodings(path, head)
    text = head.removeprefix(_BOM).lstrip(b" \t\r\n")
    if text.startswith(b"["):
        return "json"
    if path.suffix.lower() in (".jsonl", ".ndjson") or _has_lines(text):
        return "jsonl"
    if path.suffix.lower() in _TABLES:
        raise InputError(
            f"{path}: this is a table, which cannot be read. Save it as JSON lines: one object for each row"
        )
    if text.startswith(b"{"):
        keys = ", ".join(_outer_keys(text.decode("utf-8", "replace"))[:8])
        raise InputError(
            f"{path}: this is one JSON object{f' (keys: {keys})' if keys else ''}, not a list of records. "
            "Save the list in it as a file of its own, '[…]', or one object on each line"
        )
    raise InputError(
        f"{path}: this is neither a JSON list, nor JSON lines, nor Parquet. Give one of these or a folder of pictures"
    )


def _refuse_other_kinds(path: Path, head: bytes) -> None:
    if head.startswith(b"PK\x03\x04"):
        if path.suffix.lower() == ".xlsx" or b"xl/" in head[:4096] or b"[Content_Types].xml" in head[:4096]:
            raise InputError(f"{path}: this is an Excel table. Save it as JSON lines: one object for each row")
        raise InputError(f"{path}: this is a zip archive. Unpack it first: unzip {path.name}")
    for magic, what, program, ending in _PACKED:
        if head.startswith(magic):
            raise InputError(f"{path}: this is {what}. Unpack it first: {_unpacking(path, program, ending)}")
    for magic, what in _MAGIC:
        if head.startswith(magic):
            raise InputError(f"{path}: this is {what.replace('FILE', shlex.quote(path.name))}")


def _unpacking(path: Path, program: str, ending: str) -> str:
    if path.suffix.lower() == ending:
        return f"{program} -k {shlex.quote(path.name)}"
    unpacked = f"{path.stem}.unpacked{path.suffix}"
    return f"{program} -c {shlex.quote(path.name)} > {shlex.quote(unpacked)}"


def _refuse_other_encodings(path: Path, head: bytes) -> None:
    if head.startswith(_UTF16) or b"\x00" in head[:64]:
        wide = "UTF-32" if head.startswith(_UTF16[:2]) or b"\x00\x00\x00" in head[:64] else "UTF-16"
        raise InputError(f"{path}: the file is {wide}, not UTF-8. Convert it: {_iconv(path, wide)}")
    text = head[: head.rfind(b"\n") + 1] or head
    found = text.decode("utf-8", "surrogateescape")
    wrong = sum(1 for sign in found if "\udc80" <= sign <= "\udcff")
    if wrong < 4:
        return
    right = sum(1 for sign in found if sign > "\x7f") - wrong
    if wrong > right and _is_gbk(text):
        raise InputError(f"{path}: the file is GBK, not UTF-8. Convert it: {_iconv(path, 'GB18030')}")


def _is_gbk(text: bytes) -> bool:
    for cut in range(4):  # the sample may end inside of a character
        try:
            return any("\u4e00" <= sign <= "\u9fff" for sign in text[: len(text) - cut].decode("gb18030"))
        except UnicodeDecodeError:
            continue
    return False


def _outer_keys(text: str) -> list[str]:
    """Keys of an indented JSON object that stand farthest to the left: its own, not those of what it holds."""
    found = re.findall(r'^([ \t]{0,8})"([^"\n]{1,40})"\s*:', text, re.MULTILINE)
    least = min((len(indent) for indent, _ in found), default=0)
    return [key for indent, key in found if len(indent) == least]


def _iconv(path: Path, encoding: str) -> str:
    converted = shlex.quote(f"{path.stem}.utf8{path.suffix}")
    return f"iconv -f {encoding} -t UTF-8 {shlex.quote(path.name)} > {converted}"


def _has_lines(text: bytes) -> bool:
    """Whether any of the first lines is a JSON object by itself; a single line that is cut off counts as one."""
    lines = [line.rstrip() for line in text.split(b"\n", 40)[:40] if line.strip()]
    if not text.startswith(b"{") or lines[0] == b"{":
        return False
    if len(lines) == 1 and len(text) > _HEAD // 2:
        return True
    return any(line.startswith(b"{") and _is_object(line) for line in lines)


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(orjson.loads(line), dict)
    except orjson.JSONDecodeError:
        return False
