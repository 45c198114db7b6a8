"""What the rows of a page are found by: facets of each row, and the filters that a page offers for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from curate.report.shell import visible
from curate.report.words import Words

OWN = ("status", "stage", "reason", "class", "flag")
"""Facets that have words of their own; all others are columns."""
_VALUES = 60
"""Values that a filter may offer."""

Filter = tuple[str, str, list[tuple[str, str]]]
"""Name, label, and values with what they are called."""


def facets(found: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Values by facet as they are shown; a page compares what it shows, and nothing else."""
    return {visible(name): list(dict.fromkeys(map(visible, values))) for name, values in found.items() if values}


def offered(rows: Iterable[Mapping[str, Sequence[str]]], words: Words) -> list[Filter]:
    """The filters that tell rows apart."""
    values: dict[str, dict[str, None]] = {name: {} for name in OWN}
    for row in rows:
        for name, found in row.items():
            values.setdefault(name, {}).update(dict.fromkeys(found))
    made: list[Filter] = []
    for name, there in values.items():
        if 2 <= len(there) <= _VALUES or (name in OWN and there):
            called = [(value, _called(name, value, words)) for value in sorted(there)]
            made.append((name, words.named("filter", name) if name in OWN else name, called))
    return made


def _called(name: str, value: str, words: Words) -> str:
    return words.named(name, value) if name in ("status", "class") else value
