"""What columns there are and how full they are: `turns[].text` is the field of a list's items."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from curate.card.facts import Column
from curate.card.numbers import Distinct, share

_DEPTH = 4


class ColumnCounts:
    """Counts nulls and distinct values of each column and of the fields below it."""

    def __init__(self, schema: pa.Schema) -> None:
        self._schema = schema
        self._counts: dict[str, list[int]] = {}
        self._types: dict[str, str] = {}
        self._distinct: dict[str, Distinct] = {}

    def add(self, table: pa.Table) -> None:
        """Count a batch."""
        for name in self._schema.names:
            for path, array in _fields(name, table[name].combine_chunks(), _DEPTH):
                counts = self._counts.setdefault(path, [0, 0])
                counts[0] += len(array)
                counts[1] += array.null_count
                self._types[path] = _type(array.type)
                if path == name and not pa.types.is_nested(array.type):
                    self._distinct.setdefault(path, Distinct()).add(array)

    def facts(self) -> list[Column]:
        """One entry a column, in the order of the schema."""
        return [
            Column(
                path=path,
                type=self._types[path],
                values=values,
                nulls=nulls,
                null_share=share(nulls, values),
                distinct=len(self._distinct[path]) if path in self._distinct else None,
            )
            for path, (values, nulls) in self._counts.items()
        ]


def _fields(path: str, array: pa.Array, depth: int) -> Iterator[tuple[str, pa.Array]]:
    yield path, array
    if not depth:
        return
    if pa.types.is_list(array.type) or pa.types.is_large_list(array.type):
        items = array.flatten()
        if pa.types.is_struct(items.type):
            yield from _below(f"{path}[]", items, depth)
    elif pa.types.is_struct(array.type):
        yield from _below(path, array, depth)


def _below(path: str, array: pa.Array, depth: int) -> Iterator[tuple[str, pa.Array]]:
    there = array.drop_null()
    for field in array.type:
        yield from _fields(f"{path}.{field.name}", there.field(field.name), depth - 1)


def _type(kind: pa.DataType) -> str:
    """A short name of a type; the fields of structs have lines of their own."""
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return f"list<{_type(kind.value_type)}>"
    return "struct" if pa.types.is_struct(kind) else str(kind)
