"""Rows of one split that another split holds, too: what a model learns by heart and is then asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from curate.dataset.near_picture import RADIUS, PictureIndex, PictureKey, perceptual_hash, same_picture
from curate.dataset.near_text import TextIndex, bands, normal, pack, sketch
from curate.diff.cells import MISSING, text_of
from curate.diff.columns import Column
from curate.diff.distribution import Leaks
from curate.diff.report import Note
from curate.diff.sight import PictureRef, pictures_of
from curate.diff.survey import HASH, Survey
from curate.diff.table import ROW, Table
from curate.errors import RowError
from curate.records import PLACEHOLDER

SIMILAR = 0.8
"""Jaccard similarity of 3-grams from which on two texts are near duplicates."""
MOST_TEXTS = 20_000
"""Rows of one side up to which near duplicates of texts are looked for."""
MOST_PICTURES = 300
"""Different pictures of one side up to which near duplicates of pictures are looked for."""
_SHORTEST = 12
"""Letters of a text below which a near duplicate means nothing: people ask the same."""

_ODD = pl.lit(0x9E3779B97F4A7C15, pl.UInt64)
Bits = npt.NDArray[np.bool_]
Groups = list[tuple[int, ...]]


@dataclass
class Leaking:
    """Rows of one side that leak."""

    rows: Bits
    by: dict[str, int] = field(default_factory=dict)
    groups: Groups = field(default_factory=list)
    """Places of rows that are the same, in different splits."""
    notes: list[Note] = field(default_factory=list)


def find(table: Table, survey: Survey, columns: Sequence[Column], fast: bool) -> Leaking | None:
    """Find the rows of a side whose text or pictures are in another split, too; None where it has no splits."""
    splits = survey.facets.get("split")
    if splits is None or (splits.counts()[:-1] > 0).sum() < 2:
        return None
    said = [column for column in columns if column.compared_as in ("conversation", "text", "image")]
    names = [HASH + column.name for column in said]
    frame = survey.rows.select(
        ROW, *names, pl.lit(pl.Series(splits.codes)).alias("split"), pl.int_range(pl.len()).alias("place")
    )
    frame = frame.filter(pl.col("split") < len(splits.values) - 1)
    found = Leaking(np.zeros(len(survey), bool))
    if any(column.compared_as != "image" for column in said):
        together = pl.col(names[0])
        for name in names[1:]:
            together = together * _ODD + pl.col(name)  # wraps around; what is equal stays equal
        twice = frame.filter(together.is_duplicated())
        leaking = twice.filter(pl.col("split").n_unique().over(names) > 1)
        groups = leaking.group_by(names, maintain_order=True).agg("place")["place"].to_list()
        _note(found, "exact_text", groups)
    if not fast:
        rows = {"place": frame["place"].to_list(), "row": frame[ROW].to_list(), "split": frame["split"].to_list()}
        texts = [column.source for column in said if column.compared_as != "image"]
        _near_texts(found, table, rows, texts)
        for column in said:
            if column.compared_as == "image":
                _pictures(found, table, rows, column)
    return found


def _note(found: Leaking, kind: str, groups: Groups) -> None:
    places = sorted({place for group in groups for place in group})
    new = [place for place in places if not found.rows[place]] if kind.startswith("near") else places
    if new:
        found.by[kind] = len(new)
        found.rows[new] = True
        found.groups += [tuple(group) for group in groups]


def _near_texts(found: Leaking, table: Table, rows: dict[str, list[int]], columns: Sequence[str]) -> None:
    if not columns:
        return
    if len(rows["row"]) > MOST_TEXTS:
        text = (
            f"{len(rows['row']):,} rows, more than {MOST_TEXTS:,}: texts that are nearly the same were not looked for"
        )
        found.notes.append(Note(code="near_texts_skipped", text=f"leaks across splits of {table.name}: {text}"))
        return
    index, split_of = TextIndex(SIMILAR), dict(zip(rows["place"], rows["split"], strict=True))
    groups: Groups = []
    for place, text in zip(rows["place"], _texts(table, rows["row"], columns), strict=True):
        if len(text) < _SHORTEST:
            continue
        hashes = sketch(text)
        keys = bands(hashes).tolist()
        groups += [(other, place) for other, _ in index.near(keys, hashes) if split_of[other] != split_of[place]]
        index.add(place, keys, hashes)
    _note(found, "near_text", groups)


def _texts(table: Table, rows: Sequence[int], columns: Sequence[str]) -> Iterator[str]:
    numbers = np.array(rows, np.int64)
    for start in range(0, len(numbers), 4096):
        chunk = table.read(numbers[start : start + 4096], columns)
        for values in chunk.values():
            text = "\n".join(text_of(value) for value in values.values() if value is not MISSING)
            yield normal(text.replace(PLACEHOLDER, ""))


def _pictures(found: Leaking, table: Table, rows: dict[str, list[int]], column: Column) -> None:
    """The same picture files in two splits, and where there are few pictures nearly the same ones."""
    numbers = np.array(rows["row"], np.int64)
    shown: dict[str, list[int]] = {}
    refs: dict[str, PictureRef] = {}
    for start in range(0, len(numbers), 4096):
        chunk = table.read(numbers[start : start + 4096], [column.source])
        for place, values in zip(rows["place"][start : start + 4096], chunk.values(), strict=True):
            for ref in pictures_of(values[column.source], table, column.source):
                shown.setdefault(ref.identity, []).append(place)
                refs.setdefault(ref.identity, ref)
    split_of = dict(zip(rows["place"], rows["split"], strict=True))
    _note(found, "picture", [tuple(places) for places in shown.values() if len({split_of[p] for p in places}) > 1])
    if len(refs) > MOST_PICTURES:
        text = f"{len(refs):,} pictures, more than {MOST_PICTURES:,}: nearly the same ones were not looked for"
        found.notes.append(Note(code="near_pictures_skipped", text=f"leaks across splits of {table.name}: {text}"))
        return
    keys = {name: key for name, ref in refs.items() if (key := _key(ref)) is not None}
    names = list(keys)
    index = PictureIndex(RADIUS)
    groups: Groups = []
    for number, name in enumerate(names):
        perceptual = keys[name].perceptual
        assert perceptual is not None
        for place in index.candidates(perceptual):
            other = names[place]
            if same_picture(keys[other], keys[name], RADIUS):
                places = (*shown[other], *shown[name])
                if len({split_of[one] for one in places}) > 1:
                    groups.append(places)
        index.add(number, perceptual)
    _note(found, "near_picture", groups)


def _key(ref: PictureRef) -> PictureKey | None:
    """What is compared of a picture; None of a blank or unreadable one."""
    data = ref.read()
    try:
        hashes = perceptual_hash(data) if data is not None else None
    except RowError:
        return None
    if hashes is None:
        return None
    text = None if not isinstance(ref.ocr, dict) else pack(sketch(normal(str(ref.ocr.get("text") or ""))))
    return PictureKey(ref.identity, hashes[0], hashes[1], text)


def together(a: Leaking | None, b: Leaking | None, names_b: Mapping[int, str], was_leaking: Bits) -> Leaks | None:
    """Put both sides together.

    Args:
        a: Of the side A.
        b: Of the side B.
        names_b: Names of the rows of B by place; only those of groups are looked at.
        was_leaking: For each row of B whether its partner in A leaks.
    """
    if a is None and b is None:
        return None
    kinds = sorted({*(a.by if a else ()), *(b.by if b else ())})
    rows_b = b.rows if b else np.zeros(0, bool)
    return Leaks(
        a=int(a.rows.sum()) if a else 0,
        b=int(rows_b.sum()),
        new=int((rows_b & ~was_leaking).sum()) if b else 0,
        by={kind: ((a.by if a else {}).get(kind, 0), (b.by if b else {}).get(kind, 0)) for kind in kinds},
        samples=tuple(tuple(names_b[place] for place in group[:5]) for group in (b.groups if b else [])[:5]),
    )
