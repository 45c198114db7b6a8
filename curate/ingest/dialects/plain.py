"""Plain rows: a text, pictures or both, with an optional label, id, split and task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from curate.errors import RowError
from curate.ingest import parts
from curate.ingest.conversation import settle
from curate.ingest.dialects import Dialect
from curate.ingest.parts import Parts
from curate.records import PLACEHOLDER

_IMAGES = (*parts.IMAGE_KEYS, "image_path", "file_name")


def _label(row: Mapping[str, Any]) -> str | None:
    value = row.get("label")
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if value is not None and not isinstance(value, str):
        raise parts.wrong("label", "a string or a whole number", value)
    return value


def _parse(row: Mapping[str, Any]) -> Parts:
    parts.no_other_media(row)
    names = parts.images(row, _IMAGES)
    text = parts.optional_text(row, "text")
    if text is None and not names:
        raise RowError("missing_field", f"text or one of {', '.join(_IMAGES)}")
    if text is None or not text:
        turns = [("user", PLACEHOLDER * len(names))]
    elif PLACEHOLDER in text or not names:
        turns = settle([("user", text)], len(names))
    else:
        turns = settle([("user", f"{PLACEHOLDER * len(names)}\n{text}")], len(names))
    task = parts.optional_text(row, "task") or ("chat" if text else "image")
    return Parts(
        turns, task, names, parts.source_id(row), parts.optional_text(row, "system"), _label(row), parts.split(row)
    )


def _matches(row: Mapping[str, Any]) -> bool:
    return any(key in row for key in ("text", *_IMAGES))


DIALECT = Dialect("plain", _matches, _parse, "text and/or image")
