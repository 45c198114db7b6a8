"""What was measured otherwise in two cards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from curate.card.facts import Facts

_LEFT_OUT: dict[str, Any] = {
    "blocks": True,
    "files": True,
    "curate": True,
    "facts_schema": True,
    "written": True,
    "lineage": {"manifests"},
}
_KEYS = {"splits": ("name",), "columns": ("path",), "labels": ("task", "label"), "steps": ("step",)}
"""What names the items of a list, so that one more label is one difference."""


@dataclass(frozen=True)
class Difference:
    """One fact that is not the same; None where a side does not have it."""

    fact: str
    before: Any
    after: Any

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


def differences(before: Facts, after: Facts) -> list[Difference]:
    """Compare fact by fact, in the order of the schema."""
    old, new = (dict(_flat("", facts.model_dump(mode="json", exclude=_LEFT_OUT))) for facts in (before, after))
    return [
        Difference(fact, old.get(fact), new.get(fact))
        for fact in dict.fromkeys((*old, *new))
        if old.get(fact) != new.get(fact)
    ]


def _flat(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, below in value.items():
            yield from _flat(f"{path}.{key}" if path else str(key), below)
    elif isinstance(value, list):
        keys = _KEYS.get(path.rpartition(".")[2])
        for number, below in enumerate(value):
            named = keys and isinstance(below, Mapping)
            name = "/".join(str(below[key]) for key in keys) if named and keys else str(number)
            rest = {key: item for key, item in below.items() if key not in keys} if named and keys else below
            yield from _flat(f"{path}[{name}]", rest)
    else:
        yield path, value
