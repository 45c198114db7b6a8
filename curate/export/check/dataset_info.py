"""dataset_info.json as LLaMA-Factory 0.9.5 reads it, with the default values that it forgets (data/parser.py)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_COLUMNS = {"prompt": "instruction", "query": "input", "response": "output", "messages": "conversations"}
_ELSEWHERE = ("hf_hub_url", "ms_hub_url", "om_hub_url", "script_url", "cloud_file_name")
_MORE_COLUMNS = ("history", "system", "tools", "images", "videos", "audios", "chosen", "rejected", "kto_tag")
_TAGS = {
    "role_tag": "from",
    "content_tag": "value",
    "user_tag": "human",
    "assistant_tag": "gpt",
    "observation_tag": "observation",
    "function_tag": "function_call",
    "system_tag": "system",
}


@dataclass(frozen=True)
class Entry:
    """One entry: a file and how its rows are read. A column or tag that is None is one that the trainer ignores."""

    name: str
    file: str | None
    elsewhere: str | None
    """The key by which the trainer fetches the rows from somewhere else; it then looks at no file."""
    formatting: str
    ranking: bool
    columns: Mapping[str, str | None]
    tags: Mapping[str, str | None]


def entries(info: Mapping[str, Any]) -> list[Entry]:
    """All entries of a dataset_info.json."""
    return [_entry(name, value) for name, value in info.items() if isinstance(value, Mapping)]


def _entry(name: str, value: Mapping[str, Any]) -> Entry:
    columns: dict[str, str | None] = {**_COLUMNS, **dict.fromkeys(_MORE_COLUMNS)}
    tags: dict[str, str | None] = dict(_TAGS)
    if isinstance(value.get("columns"), Mapping):
        columns = {key: value["columns"].get(key) for key in columns}
    if isinstance(value.get("tags"), Mapping):
        tags = {key: value["tags"].get(key) for key in tags}
    return Entry(
        name,
        value.get("file_name"),
        next((key for key in _ELSEWHERE if key in value), None),
        value.get("formatting", "alpaca"),
        bool(value.get("ranking", False)),
        columns,
        tags,
    )
