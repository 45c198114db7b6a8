"""What is measured of each row: numbers, lengths of texts, turns, sizes of pictures, scores of OCR, what is broken."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl

from curate.diff.cells import is_conversation, picture_paths, turn_keys, value_of
from curate.diff.table import Table
from curate.records import PLACEHOLDER

MISMATCH, EMPTY, REPEATED = "\x00 <image> without picture", "\x00 empty turn", "\x00 role twice in a row"
"""Names of measures that are flags of rows, not distributions."""
_FACTS = pl.Struct({name: pl.Int64() for name in ("turns", "length", "placeholders", "empty", "repeated")})
TRIED = 2000
"""First rows that say what a column holds."""


def scalar(table: Table, name: str) -> pl.Expr:
    """A column of texts or numbers as such; JSON texts are decoded."""
    if table.as_json and name in table.scalars:
        return pl.col(name).str.json_decode(table.scalars[name])
    return pl.col(name)


def head_of(table: Table, name: str, rows: int) -> pl.Series:
    """The first values of a column of texts or numbers."""
    return table.head(rows, name).to_frame().select(scalar(table, name).alias(name))[name]


def measures_of(table: Table) -> dict[str, pl.Expr]:
    """Numbers to compare distributions of: numeric columns, lengths of texts, turns, sizes of pictures, OCR scores."""
    if table.as_records:
        return _of_records()
    found: dict[str, pl.Expr] = {}
    pictures = next((name for name in ("images", "image") if name in table.types), None)
    for name, kind in table.types.items():
        kind = table.scalars.get(name, kind) if table.as_json else kind
        if kind.is_numeric() and not _is_number_of_row(head_of(table, name, TRIED)):
            found[name] = scalar(table, name)
        elif table.as_json and name not in table.scalars:
            found |= _of_json(name, table.head(TRIED, name), pictures)
        elif isinstance(kind, pl.String):
            found[f"{name} length"] = scalar(table, name).str.len_chars()
        elif isinstance(kind, pl.List):
            found |= _of_list(name, kind, _pictures_of(table, pictures))
    return found


def _is_number_of_row(values: pl.Series) -> bool:
    """Whether a numeric column only numbers its rows; its distribution says nothing."""
    return len(values) > 8 and values.n_unique() == len(values) and values.dtype.is_integer()


def categories_of(table: Table) -> dict[str, pl.Expr]:
    """Categories that are no column of their own: formats of the pictures of records, `JPEG` or `JPEG, PNG`."""
    if not table.as_records:
        return {}
    formats = pl.col("images").list.eval(pl.element().struct.field("format")).list.drop_nulls().list.unique()
    return {"picture format": pl.when(formats.list.len() > 0).then(formats.list.sort().list.join(", "))}


def _of_records() -> dict[str, pl.Expr]:
    turn, image = pl.element().struct.field, pl.element().struct.field
    scores = pl.element().struct.field("ocr").struct.field("lines").list.eval(pl.element().struct.field("score"))
    return {
        "turns": pl.col("turns").list.len(),
        "text length": pl.col("turns").list.eval(turn("text").str.len_chars()).list.sum(),
        "pictures": pl.col("images").list.len(),
        "picture width": pl.col("images").list.eval(image("width")).list.mean(),
        "picture height": pl.col("images").list.eval(image("height")).list.mean(),
        "OCR lines": _sum(pl.col("images").list.eval(image("ocr").struct.field("lines").list.len())),
        "OCR score": pl.col("images").list.eval(scores.list.mean()).list.mean(),
        "confidence": pl.col("confidence"),
        MISMATCH: _placeholders(pl.col("turns"), "text") != pl.col("images").list.len().fill_null(0),
        EMPTY: _has_empty_turn(pl.col("turns"), "text"),
        REPEATED: _repeats_role(pl.col("turns"), "role"),
    }


def _sum(numbers: pl.Expr) -> pl.Expr:
    """The sum of a list of numbers; nothing where there is none."""
    there = numbers.list.drop_nulls()
    return pl.when(there.list.len() > 0).then(there.list.sum())


def _placeholders(turns: pl.Expr, key: str) -> pl.Expr:
    counts = turns.list.eval(pl.element().struct.field(key).str.count_matches(PLACEHOLDER, literal=True))
    return counts.list.sum().fill_null(0)


def _has_empty_turn(turns: pl.Expr, key: str) -> pl.Expr:
    empty = turns.list.eval(pl.element().struct.field(key).str.strip_chars().fill_null("") == "")
    return empty.list.any().fill_null(True) | (turns.list.len() == 0)


def _repeats_role(turns: pl.Expr, key: str) -> pl.Expr:
    """Whether a role, not the system, speaks twice in a row; a trainer that wants them in turn takes no such row."""

    def repeated(rows: pl.Series) -> pl.Series:
        lengths = rows.list.len().fill_null(0).to_numpy().astype(np.int64)
        found = np.zeros(len(rows), bool)
        if lengths.any():
            ends, roles = np.cumsum(lengths), rows.filter(lengths > 0).explode()
            places = (roles == roles.shift(1)).arg_true().to_numpy()
            row = np.searchsorted(ends, places, "right")
            follows = places > ends[row] - lengths[row]  # the first turn of a row follows none
            speaks = (roles.gather(places) != "system").to_numpy()
            found[row[follows & speaks]] = True
        return pl.Series(found)

    roles = turns.list.eval(pl.element().struct.field(key))
    return roles.map_batches(repeated, return_dtype=pl.Boolean(), is_elementwise=True)


def _pictures_of(table: Table, name: str | None) -> pl.Expr:
    """How many pictures a row has, where they are no JSON: a list of them, or one."""
    if name is None:
        return pl.lit(0)
    if isinstance(table.types[name], pl.List):
        return pl.col(name).list.len().fill_null(0)
    return pl.col(name).is_not_null().cast(pl.UInt32)


def _of_list(name: str, kind: pl.List, pictures: pl.Expr) -> dict[str, pl.Expr]:
    found = {f"{name} number": pl.col(name).list.len()}
    inner = kind.inner
    if isinstance(inner, pl.Struct):
        fields = {one.name: one.dtype for one in inner.fields}
        keys = turn_keys(dict.fromkeys(fields))
        if keys is not None and isinstance(fields[keys[1]], pl.String):
            texts = pl.col(name).list.eval(pl.element().struct.field(keys[1]).str.len_chars())
            found[f"{name} length"] = texts.list.sum()
            found[EMPTY] = _has_empty_turn(pl.col(name), keys[1])
            found[MISMATCH] = _placeholders(pl.col(name), keys[1]) != pictures
            if isinstance(fields[keys[0]], pl.String):
                found[REPEATED] = _repeats_role(pl.col(name), keys[0])
    return found


def _of_json(name: str, head: pl.Series, pictures: str | None) -> dict[str, pl.Expr]:
    """Turns, length and errors of conversations in JSON, where all of the first ones are such lists."""
    values = [value_of(text) for text in head.drop_nulls().to_list()]
    if not values or not all(is_conversation(value) for value in values):
        return {}
    keys = turn_keys(values[0][0])
    assert keys is not None
    decoded = pl.col(name).map_batches(_conversation_facts(keys), return_dtype=_FACTS, is_elementwise=True).struct.field
    found = {
        f"{name} number": decoded("turns"),
        f"{name} length": decoded("length"),
        EMPTY: decoded("empty") > 0,
        REPEATED: decoded("repeated") > 0,
    }
    shown = pl.lit(0)
    if pictures is not None:
        shown = pl.col(pictures).map_batches(_picture_number, return_dtype=pl.Int64(), is_elementwise=True)
    found[MISMATCH] = decoded("placeholders") != shown.fill_null(0)
    return found


def _conversation_facts(keys: tuple[str, str]) -> Callable[[pl.Series], pl.Series]:
    def facts(cells: pl.Series) -> pl.Series:
        rows = [None if text is None else _facts(value_of(text), keys) for text in cells.to_list()]
        return pl.Series(rows, dtype=_FACTS)

    return facts


def _facts(value: Any, keys: tuple[str, str]) -> dict[str, int]:
    turns = [turn if isinstance(turn, dict) else {} for turn in value] if isinstance(value, list) else []
    texts = [turn.get(keys[1]) for turn in turns]
    roles = [turn.get(keys[0]) for turn in turns]
    there = [text for text in texts if isinstance(text, str)]
    return {
        "turns": len(turns),
        "length": sum(map(len, there)),
        "placeholders": sum(text.count(PLACEHOLDER) for text in there),
        "empty": int(not turns) + sum(not isinstance(text, str) or not text.strip() for text in texts),
        "repeated": sum(one == other != "system" for one, other in itertools.pairwise(roles)),
    }


def _picture_number(cells: pl.Series) -> pl.Series:
    numbers = [0 if text is None else len(picture_paths(value_of(text))) for text in cells.to_list()]
    return pl.Series(numbers, dtype=pl.Int64)
