"""OpenAI messages: `role` and `content`, the content a string or a list of parts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from curate.errors import RowError
from curate.ingest import parts
from curate.ingest.conversation import lift_system, role, settle
from curate.ingest.dialects import Dialect
from curate.ingest.parts import Parts, Turns
from curate.records import PLACEHOLDER, escape_placeholders


def _content(value: Any, place: str, named: list[str]) -> str:
    """Give the text of a message, `<image>` where a part is a picture; paths that parts name are added to `named`."""
    if isinstance(value, str):
        return value
    if not isinstance(value, list):
        raise parts.wrong(place, "a string or a list of parts", value)
    pieces = []
    for number, part in enumerate(value):
        where = f"{place}[{number}]"
        if not isinstance(part, Mapping):
            raise parts.wrong(where, "an object", part)
        sort = part.get("type")
        if sort in ("text", "input_text", "output_text") or (sort is None and "text" in part):
            pieces.append(escape_placeholders(parts.text(part, "text")))
        elif sort in ("image", "image_url", "input_image") or (
            sort is None and ("image" in part or "image_url" in part)
        ):
            named += _picture(part, where)
            pieces.append(PLACEHOLDER)
        else:
            raise RowError("bad_field", f"{where}.type: only text and pictures can be read")
    return "".join(pieces)


def _picture(part: Mapping[str, Any], place: str) -> list[str]:
    for key in ("image_url", "image", "path", "url"):
        value = part.get(key)
        if value is not None:
            if isinstance(value, Mapping) and "url" in value:
                value = value["url"]
            path = parts.image_path(value, f"{place}.{key}")
            return [path.removeprefix("file://")]
    return []


def _messages(row: Mapping[str, Any], named: list[str]) -> Turns:
    if "messages" not in row:
        raise RowError("missing_field", "messages")
    messages = row["messages"]
    if not isinstance(messages, list):
        raise parts.wrong("messages", "a list", messages)
    if not messages:
        raise RowError("bad_field", "messages: the list is empty")
    turns: Turns = []
    for number, message in enumerate(messages):
        place = f"messages[{number}]"
        if not isinstance(message, Mapping):
            raise parts.wrong(place, "an object", message)
        for key in ("role", "content"):
            if key not in message:
                raise RowError("missing_field", f"{place}.{key}")
        turns.append((role(message["role"]), _content(message["content"], f"{place}.content", named)))
    return turns


def _matches(row: Mapping[str, Any]) -> bool:
    messages = row.get("messages")
    return isinstance(messages, list) and not (
        bool(messages) and isinstance(messages[0], Mapping) and "from" in messages[0]
    )


def _parse(row: Mapping[str, Any]) -> Parts:
    parts.no_other_media(row)
    named: list[str] = []
    turns, system = lift_system(_messages(row, named), parts.optional_text(row, "system"))
    listed = parts.images(row)
    if named and listed:
        raise RowError("image_count_mismatch", "pictures are named in the messages and in a list beside them")
    names = named or listed
    task = parts.optional_text(row, "task") or "chat"
    return Parts(settle(turns, len(names)), task, names, parts.source_id(row), system, split=parts.split(row))


DIALECT = Dialect("openai", _matches, _parse, "messages (role, content)")
