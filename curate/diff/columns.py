"""Which columns are compared, as what, and how a cell becomes a hash that is the same on both sides where cells are.

Hashes are of Polars and of this process alone: equal cells of two types or two orders of struct fields would differ, so
both sides are brought to one type first. A cell whose hashes differ is read again and compared as what it is.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from curate.diff.cells import cell, is_conversation, picture_paths, value_of
from curate.diff.options import DiffOptions
from curate.diff.sample import ComparedAs
from curate.diff.table import Table
from curate.diff.tables import Retyped, SchemaDiff
from curate.errors import UsageError

BOOKKEEPING = ("uid", "source_id", "parent", "raw")
"""Columns of records that say where a row comes from, not what it is; compared where `--columns` names them."""
OCR = "ocr"
"""Name of the column that stands for the text read in pictures, which records keep inside of `images`."""
_SAMPLE = 256


@dataclass(frozen=True)
class Column:
    """One column that both sides have."""

    name: str
    source: str
    """The column that is read for it."""
    compared_as: ComparedAs
    hashes: tuple[pl.Expr, pl.Expr]
    """What its hash is computed from, for A and B."""


@dataclass
class Layout:
    """The columns of both sides."""

    columns: list[Column]
    schema: SchemaDiff
    nulls_are_missing: bool
    """Whether one of the sides cannot tell a key that is null from one that is not there."""


def lay_out(a: Table, b: Table, options: DiffOptions) -> Layout:
    """Pair the columns of two tables.

    Raises:
        UsageError: an option names a column that is not there.
    """
    common = [name for name in a.names if name in b.types]
    mixed = a.as_json != b.as_json
    bookkeeping = BOOKKEEPING if a.as_records and b.as_records else ("_curate.*",)
    wanted, skipped = _choose(common, options, bookkeeping, [*a.names, *b.names])
    samples = _samples(a, b, wanted)
    columns: list[Column] = []
    for name in wanted:
        if name == "images" and a.as_records and b.as_records:
            columns += _record_pictures(options)
            continue
        kind = _kind(name, a, b, samples[name])
        columns.append(Column(name, name, kind, _hashed(name, a, b, mixed)))
    return Layout(columns, _schema(a, b, skipped, mixed), mixed)


def _choose(
    common: list[str], options: DiffOptions, bookkeeping: Sequence[str], known: Sequence[str]
) -> tuple[list[str], list[str]]:
    for pattern in (*options.columns, *options.ignore_columns):
        top = pattern.split("[")[0].split(".")[0]
        if not any(fnmatch.fnmatchcase(name, pattern) or name == top for name in (*known, OCR)):
            raise UsageError(f"there is no column '{pattern}'; there are: {', '.join(dict.fromkeys(known))}")

    def chosen(name: str) -> bool:
        if options.columns:
            asked = [*options.columns, *(["images"] if OCR in options.columns else [])]
            named = any(fnmatch.fnmatchcase(name, pattern) for pattern in asked)
        else:
            named = not any(fnmatch.fnmatchcase(name, pattern) for pattern in bookkeeping)
        return named and not any(fnmatch.fnmatchcase(name, pattern) for pattern in options.ignore_columns)

    wanted = [name for name in common if chosen(name)]
    if options.ignore_columns and common and not wanted:
        raise UsageError(f"--ignore-columns leaves no column to compare; both sides have: {', '.join(common)}")
    return wanted, [name for name in common if name not in wanted]


def _record_pictures(options: DiffOptions) -> list[Column]:
    """Pictures by what they hold, never by path; and what was read in them, a column of its own."""
    field = pl.element().struct.field
    content = pl.col("images").list.eval(pl.coalesce(field("sha256"), field("path"))).hash()
    read = pl.col("images").list.eval(field("ocr")).hash()
    found = [Column("images", "images", "image", (content, content)), Column(OCR, "images", "boxes", (read, read))]
    named = [
        one for one in found if not options.columns or any(fnmatch.fnmatchcase(one.name, p) for p in options.columns)
    ]
    return [one for one in named if not any(fnmatch.fnmatchcase(one.name, p) for p in options.ignore_columns)]


def _schema(a: Table, b: Table, skipped: list[str], mixed: bool) -> SchemaDiff:
    added = tuple(name for name in b.names if name not in a.types)
    removed = tuple(name for name in a.names if name not in b.types)
    common = [name for name in a.names if name in b.types]
    retyped = () if mixed or a.as_json else _retyped(a, b, common)
    if a.as_json and b.as_json:
        retyped = tuple(
            Retyped(column=name, before=str(a.scalars[name]), after=str(b.scalars[name]))
            for name in common
            if name in a.scalars and name in b.scalars and a.scalars[name] != b.scalars[name]
        )
    reordered = common != [name for name in b.names if name in a.types]
    return SchemaDiff(
        identical=not (added or removed or retyped or reordered),
        added=added,
        removed=removed,
        retyped=retyped,
        reordered=reordered and not a.as_json,
        skipped=tuple(skipped),
    )


def _retyped(a: Table, b: Table, common: list[str]) -> tuple[Retyped, ...]:
    return tuple(
        Retyped(column=name, before=str(a.types[name]), after=str(b.types[name]))
        for name in common
        if _plain(a.types[name]) != _plain(b.types[name])
    )


def _plain(kind: pl.DataType) -> pl.DataType:
    """A type without what changes no value: dictionaries are texts."""
    return pl.String() if isinstance(kind, (pl.Categorical, pl.Enum)) else kind


def _hashed(name: str, a: Table, b: Table, mixed: bool) -> tuple[pl.Expr, pl.Expr]:
    if a.digests.get(name) or b.digests.get(name):
        one, other = (
            pl.col(name).map_batches(_digester(table, name), return_dtype=pl.String(), is_elementwise=True)
            for table in (a, b)
        )
        return one.hash(), other.hash()
    one, other = _expression(name, a, mixed), _expression(name, b, mixed)
    if mixed or a.as_json:
        return one.hash(), other.hash()
    left, right = a.types[name], b.types[name]
    if left == right and not isinstance(left, pl.Categorical):
        return one.hash(), other.hash()
    common = _common(left, right)
    if common is None:
        return _as_text(one).hash(), _as_text(other).hash()
    return one.cast(common).hash(), other.cast(common).hash()


def _expression(name: str, table: Table, mixed: bool) -> pl.Expr:
    column = pl.col(name)
    if not mixed:
        return column
    return _as_text(column) if not table.as_json else column.map_batches(_normal, pl.String(), is_elementwise=True)


def _digester(table: Table, name: str) -> Callable[[pl.Series], pl.Series]:
    """Write pictures as the hashes of their files; those that are not there as their paths."""
    digests, as_json = table.digests.get(name, {}), table.as_json

    def by_content(cells: pl.Series) -> pl.Series:
        values = [value_of(one) if as_json and one is not None else one for one in cells.to_list()]
        return pl.Series([None if one is None else _content(one, digests) for one in values], dtype=pl.String)

    return by_content


def _content(value: Any, digests: dict[str, str]) -> str:
    return "\x1f".join(digests.get(path, path) for path in picture_paths(value))


def _normal(cells: pl.Series) -> pl.Series:
    """JSON cells without keys that are null."""
    return pl.Series([None if text is None else dense(value_of(text)) for text in cells.to_list()], dtype=pl.String)


def _as_text(column: pl.Expr) -> pl.Expr:
    return column.map_batches(_dumped, return_dtype=pl.String(), is_elementwise=True)


def _dumped(cells: pl.Series) -> pl.Series:
    return pl.Series([dense(value) for value in cells.to_list()], dtype=pl.String)


def dense(value: Any) -> str | None:
    """JSON text of a value without keys that are null; None for null."""
    return None if value is None else cell(_without_nulls(value))


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value if isinstance(value, (str, int, float, bool)) or value is None else str(value)


def _common(left: pl.DataType, right: pl.DataType) -> pl.DataType | None:
    """The type that both can be cast to without loss; None where JSON text must do."""
    texts = (pl.String, pl.Categorical, pl.Enum)
    if isinstance(left, texts) and isinstance(right, texts):
        return pl.String()
    if left.is_integer() and right.is_integer():
        return pl.Int128()
    if left.is_numeric() and right.is_numeric() and not (left.is_decimal() or right.is_decimal()):
        return pl.Float64()
    return None


def _samples(a: Table, b: Table, names: Sequence[str]) -> dict[str, list[Any]]:
    """Values from the beginning of both sides."""
    return {name: [value for table in (a, b) for value in table.decoded(table.head(_SAMPLE, name))] for name in names}


def _kind(name: str, a: Table, b: Table, values: list[Any]) -> ComparedAs:
    if a.digests.get(name) or b.digests.get(name):
        return "image"
    kind = b.types[name]
    if not b.as_json:
        if kind.is_temporal():
            return "time"
        if isinstance(kind, pl.Binary):
            return "bytes"
    there = [value for value in values if value is not None and isinstance(value, (str, int, float, bool, list, dict))]
    if not there:
        return "json" if isinstance(kind, (pl.List, pl.Struct)) else "number" if kind.is_numeric() else "text"
    if all(isinstance(value, bool) for value in there):
        return "boolean"
    if all(isinstance(value, (int, float)) for value in there):
        return "number"
    if all(isinstance(value, str) for value in there):
        return "category" if _is_category([value for value in there if isinstance(value, str)]) else "text"
    if all(isinstance(value, dict) and "bytes" in value for value in there):
        return "image"
    return "conversation" if any(is_conversation(value) for value in there) else "json"


def _is_category(values: list[str]) -> bool:
    """Few different short texts among the first ones."""
    return len(set(values)) <= max(2, len(values) // 4) and max(map(len, values)) <= 64
