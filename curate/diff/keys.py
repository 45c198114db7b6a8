"""Which columns name a row: those that were asked for, else candidates that are tested before they are believed.

Ids that were given anew after rows went (0, 1, 2 …) are unique on both sides and join the wrong rows; so pairs are
drawn and looked at.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Sequence

import numpy as np
import polars as pl

from curate.diff.columns import Column
from curate.diff.options import DiffOptions
from curate.diff.pairing import A, B, join_keys, repeated, same_types, unique_on
from curate.diff.survey import HASH, KEY
from curate.diff.table import ROW, Table
from curate.diff.tables import RejectedKey
from curate.errors import UsageError

NAMES = ("id", "uid", "image_id", "file_name", "*_id", "*_key")
"""Names of columns that may be keys, in the order in which they are tried."""
UIDS = ("_curate.uid", "uid")
MOST_TRIED = 5
OVERLAP = 0.5
"""Share of the smaller side that a key must pair."""
_PROBES = 200
_ALIKE = 0.3
"""Median similarity of the contents of pairs from which on a key is believed."""

Alike = Callable[[pl.DataFrame], float]
"""Gives the median similarity of the texts of some pairs."""


def candidates(a: Table, b: Table, options: DiffOptions) -> list[str]:
    """Columns whose values are read because they may be keys.

    Raises:
        UsageError: a column that was asked for is not on both sides, or holds no plain values.
    """
    common = [name for name in a.names if name in b.types]
    if options.key:
        for name in options.key:
            if name not in common:
                raise UsageError(
                    f"--key {name}: both sides need this column; they share: {', '.join(common) or 'none'}"
                )
            if not (_is_plain(a, name) and _is_plain(b, name)):
                raise UsageError(f"--key {name}: this column holds lists or objects; a key is a text or a number")
        return list(options.key)
    found = [name for name in common if _is_plain(a, name) and _is_plain(b, name)]
    ordered = [name for pattern in NAMES for name in found if fnmatch.fnmatchcase(name.lower(), pattern)]
    if a.as_records and b.as_records:
        return ["uid", "source_id"]
    return list(dict.fromkeys([name for name in UIDS if name in found] + ordered))[:MOST_TRIED]


def _is_plain(table: Table, name: str) -> bool:
    kind = table.types[name]
    if table.as_json:
        return name in table.scalars
    return isinstance(kind, (pl.String, pl.Categorical, pl.Enum)) or kind.is_integer()


def check(
    a: pl.DataFrame, b: pl.DataFrame, name: str, columns: Sequence[Column], alike: Alike, seed: int
) -> RejectedKey | None:
    """Test a candidate; say why it is no key, None where it is."""
    reason = _not_unique(a, name, "A") or _not_unique(b, name, "B")
    if reason:
        return RejectedKey(key=(name,), why=reason)
    pairs = join_keys(a, b, [name])
    smaller = min(len(a), len(b))
    if len(pairs) < OVERLAP * smaller:
        return RejectedKey(key=(name,), why=f"only {len(pairs):,} of {smaller:,} rows have a partner")
    score = probe(a, b, pairs, [column for column in columns if column.name != name], alike, seed)
    if score is not None and score < _ALIKE:
        why = f"rows with the same value say other things (similarity {score:.2f}): it was given anew"
        return RejectedKey(key=(name,), why=why)
    return None


def _not_unique(frame: pl.DataFrame, name: str, side: str) -> str | None:
    nulls = frame[KEY + name].null_count()
    if nulls:
        return f"{nulls:,} rows of {side} have none"
    twice = len(frame) - frame[KEY + name].n_unique()
    return f"{twice:,} rows of {side} repeat a value" if twice else None


def probe(
    a: pl.DataFrame, b: pl.DataFrame, pairs: pl.DataFrame, columns: Sequence[Column], alike: Alike, seed: int
) -> float | None:
    """Median similarity of what pairs say, from 200 of them; None where there is nothing to compare.

    Cells with equal hashes are equal, so texts are read only where too few of the telling columns are. Telling are
    columns that differ from row to row; a label or split is the same by chance too often.
    """
    if not columns or not len(pairs):
        return None
    drawn = pairs[np.random.default_rng(seed).permutation(len(pairs))[:_PROBES]]
    names = [HASH + column.name for column in columns]
    one, other = _rows(a, drawn, A, names), _rows(b, drawn, B, names)
    telling = [name for name in names if one[name].n_unique() > len(one) / 2] or names
    equal = np.mean([(one[name] == other[name]).fill_null(True).to_numpy() for name in telling], axis=0)
    share = float(np.median(equal))
    if share >= _ALIKE and (telling is not names or len(names) == 1):
        return share
    return max(share if telling is names else 0.0, alike(drawn))


def _rows(frame: pl.DataFrame, pairs: pl.DataFrame, side: str, names: Sequence[str]) -> pl.DataFrame:
    """The hashes of the rows of some pairs; a frame holds its rows in ascending order."""
    places = np.searchsorted(frame[ROW].to_numpy(), pairs[side].to_numpy())
    return frame.select(names)[places]


def duplicates(a: pl.DataFrame, b: pl.DataFrame, keys: Sequence[str]) -> tuple[int, int, list[str]]:
    """Number of rows on each side whose key occurs again there, and at most 5 of these keys."""
    names = [KEY + name for name in keys]
    counts, samples = [], []
    for frame in same_types(a, b, names):
        again = repeated(frame, keys)
        counts.append(len(again))
        samples += [", ".join(map(str, row)) for row in again.select(names).unique().sort(names).head(5).rows()]
    return counts[0], counts[1], sorted(set(samples))[:5]


def pair_unique(a: pl.DataFrame, b: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    """Pair rows whose key is unique on both sides."""
    return join_keys(unique_on(a, keys), unique_on(b, keys), keys)
