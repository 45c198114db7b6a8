"""What a dialect makes of one raw object, and how fields are taken out of it with a clear word where they are wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from curate.errors import RowError

Turns = list[tuple[str, str]]
"""Role and text of each turn."""

SPLITS = {"train": "train", "val": "val", "valid": "val", "validation": "val", "dev": "val", "test": "test"}
IMAGE_KEYS = ("images", "image")

_TYPES = {type(None): "null", bool: "true or false", int: "a number", float: "a number", str: "a string",
          list: "a list", dict: "an object", bytes: "bytes"}  # fmt: skip


@dataclass(slots=True)
class Parts:
    """A record without its uid, raw text and picture facts."""

    turns: Turns
    task: str = "chat"
    images: list[str] = field(default_factory=list)
    source_id: str | None = None
    system: str | None = None
    label: str | None = None
    split: str | None = None


def kind(value: Any) -> str:
    """Name a JSON type for a person."""
    return _TYPES.get(type(value), type(value).__name__)


def wrong(name: str, wanted: str, value: Any) -> RowError:
    """The error for a field of the wrong type; says which field and what it is, never its content."""
    return RowError("bad_field", f"{name}: {wanted} is needed, this is {kind(value)}")


def text(row: Mapping[str, Any], name: str) -> str:
    """Take a string that must be there.

    Raises:
        RowError: missing_field or bad_field.
    """
    if name not in row:
        raise RowError("missing_field", name)
    value = row[name]
    if not isinstance(value, str):
        raise wrong(name, "a string", value)
    return value


def optional_text(row: Mapping[str, Any], name: str) -> str | None:
    """Take a string that may be missing or null.

    Raises:
        RowError: bad_field.
    """
    value = row.get(name)
    if value is not None and not isinstance(value, str):
        raise wrong(name, "a string", value)
    return value


def source_id(row: Mapping[str, Any]) -> str | None:
    """Take the id, a string or a whole number; None where the record has none.

    Raises:
        RowError: bad_field.
    """
    if "id" not in row:
        return None
    value = row["id"]
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise wrong("id", "a string or a whole number", value)
    return value


def split(row: Mapping[str, Any]) -> str | None:
    """Take the split under the names that are in use.

    Raises:
        RowError: bad_field.
    """
    value = optional_text(row, "split")
    if value is None:
        return None
    if value.lower() not in SPLITS:
        raise RowError("bad_field", f"split: one of {', '.join(SPLITS)} is needed")
    return SPLITS[value.lower()]


def images(row: Mapping[str, Any], keys: tuple[str, ...] = IMAGE_KEYS) -> list[str]:
    """Take the picture paths: a list or one string under one of `keys`; null and a missing field mean no picture.

    Raises:
        RowError: bad_field.
    """
    for key in keys:
        if row.get(key) is not None:
            value = row[key]
            entries = value if isinstance(value, list) else [value]
            return [image_path(entry, f"{key}[{number}]") for number, entry in enumerate(entries)]
    return []


def image_path(value: Any, name: str) -> str:
    """Take one picture path: a string, or an object with a `path` and no bytes.

    Raises:
        RowError: bad_field, also for pictures that stand in the record itself.
    """
    if isinstance(value, Mapping):
        if value.get("bytes") is not None:
            raise RowError("bad_field", f"{name}: the picture's bytes stand in the record; save it as a file first")
        value = value.get("path")
    if not isinstance(value, str):
        raise wrong(name, "a path", value)
    if value.startswith("data:"):
        raise RowError(
            "bad_field", f"{name}: the picture stands in the record as a data: address; save it as a file first"
        )
    return value


def no_other_media(row: Mapping[str, Any]) -> None:
    """Refuse videos and audio, which records cannot hold.

    Raises:
        RowError: bad_field.
    """
    for name in ("videos", "video", "audios", "audio"):
        if row.get(name):
            raise RowError("bad_field", f"{name}: only pictures can be read")


def glimpse(row: Any) -> tuple[str | None, list[str]]:
    """Take id and picture paths from a record that is bad for some reason, as far as they can be seen."""
    if not isinstance(row, Mapping):
        return None, []
    try:
        known: str | None = source_id(row)
    except RowError:
        known = None
    try:
        return known, images(row, (*IMAGE_KEYS, "image_path", "file_name"))
    except RowError:
        return known, []
