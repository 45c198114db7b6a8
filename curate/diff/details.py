"""Rows of the report in full: read again, compared again, written as segments, boxes and plain values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from pydantic import JsonValue
from rapidfuzz.distance import Levenshtein

from curate.diff.boxes import BoxDiff, compare_boxes
from curate.diff.cells import MISSING
from curate.diff.columns import Column
from curate.diff.sample import Box, Change, ImagePair, ImageRef, Value
from curate.diff.segments import segments, visible
from curate.diff.sight import PictureRef, distance, look, measure, pictures_of
from curate.diff.table import Table
from curate.diff.walk import Difference

MOST_CHANGES = 12
"""Changes of one row that are shown, unless it is shown whole."""
_MOST_ITEMS = 50


def change_of(one: Difference, longest: int | None, words: bool = False) -> Change:
    """Write a difference out; texts by characters or by words."""
    if isinstance(one.before, str) and isinstance(one.after, str) and one.compared_as not in ("category", "image"):
        shown, cut = segments(one.before, one.after, longest, words)
        return Change(
            path=visible(one.pointer),
            column=visible(one.column),
            compared_as=one.compared_as,
            change=one.change,
            segments=shown,
            cer=_rounded(Levenshtein.distance(one.before, one.after) / len(one.before) if one.before else None),
            cut=cut,
        )
    before, cut_before = plain(one.before, longest)
    after, cut_after = plain(one.after, longest)
    return Change(
        path=visible(one.pointer),
        column=visible(one.column),
        compared_as=one.compared_as,
        change=one.change,
        before=before,
        after=after,
        cut=cut_before or cut_after,
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def plain(value: Any, longest: int | None) -> tuple[JsonValue, bool]:
    """A value as JSON holds it, texts cut to `longest` characters; and whether anything was cut."""
    if value is MISSING or value is None or isinstance(value, bool):
        return None if value is MISSING else value, False
    if isinstance(value, int):
        return (value, False) if abs(value) < 1 << 63 else (str(value), False)
    if isinstance(value, float):
        return (value, False) if math.isfinite(value) else (str(value), False)
    if isinstance(value, bytes):
        return f"{len(value)} bytes", False
    if isinstance(value, dict):
        parts = {visible(str(key)): plain(item, longest) for key, item in list(value.items())[:_MOST_ITEMS]}
        cut = len(value) > _MOST_ITEMS or any(one for _, one in parts.values())
        return {key: one for key, (one, _) in parts.items()}, cut
    if isinstance(value, list):
        items = [plain(item, longest) for item in value[:_MOST_ITEMS]]
        return [one for one, _ in items], len(value) > _MOST_ITEMS or any(cut for _, cut in items)
    text = str(value)
    return (visible(text), False) if longest is None or len(text) <= longest else (f"{visible(text[:longest])}…", True)


def content_of(values: dict[str, Any], columns: Sequence[Column], longest: int | None) -> tuple[Value, ...]:
    """What a row says that is on one side only, text by text."""
    found: list[Value] = []
    for column in columns:
        if column.compared_as not in ("image", "boxes"):
            _texts(values[column.source], f"/{column.name}", column.compared_as, longest, found)
    return tuple(found[:_MOST_ITEMS])


def _texts(value: Any, pointer: str, kind: Any, longest: int | None, found: list[Value]) -> None:
    if value is None or value is MISSING or value in ("", [], {}):
        return
    if isinstance(value, dict):
        for key, item in value.items():
            _texts(item, f"{pointer}/{key}", "text" if isinstance(item, str) else "json", longest, found)
    elif isinstance(value, list):
        for place, item in enumerate(value[:_MOST_ITEMS]):
            _texts(item, f"{pointer}/{place}", "json", longest, found)
    else:
        shown, cut = plain(value, longest)
        text = shown if isinstance(shown, str) else str(shown)
        found.append(Value(path=visible(pointer), compared_as=kind, text=text, cut=cut))


def pictures_between(before: Any, after: Any, column: Column, a: Table, b: Table) -> tuple[ImagePair, ...]:
    """The pictures of both versions of a row, pair by pair, with the lines read in them."""
    old = [] if before is None or before is MISSING else pictures_of(before, a, column.source)
    new = [] if after is None or after is MISSING else pictures_of(after, b, column.source)
    pairs = []
    for place in range(max(len(old), len(new))):
        one = old[place] if place < len(old) else None
        other = new[place] if place < len(new) else None
        pairs.append(_pair(f"/{column.name}/{place}", one, other))
    return tuple(pairs)


def _pair(pointer: str, one: PictureRef | None, other: PictureRef | None) -> ImagePair:
    if one is None or other is None:
        return ImagePair(
            path=pointer,
            change="added" if one is None else "removed",
            before=_ref(one, _boxes(one.ocr)) if one else None,
            after=_ref(other, _boxes(other.ocr)) if other else None,
        )
    boxes = compare_boxes(one.ocr, other.ocr)
    before, after = _ref(one, boxes.before), _ref(other, boxes.after)
    found: dict[str, Any] = {"path": pointer, "before": before, "after": after}
    if one.ocr is not None and other.ocr is not None:
        found |= {"iou": _rounded(boxes.iou), "cer": _rounded(boxes.cer)}
    if one.identity == other.identity:
        return ImagePair(change="boxes" if one.ocr != other.ocr else "same", **found)
    return ImagePair(**found, **_measured(one, other))


def _measured(one: PictureRef, other: PictureRef) -> dict[str, Any]:
    before, after = look(one), look(other)
    if before is None or after is None:
        return {"change": "unchecked"}
    bits = distance(before.dhash, after.dhash)
    if before.pixels == after.pixels:
        return {"change": "re_encoded", "ssim": 1.0, "dhash_distance": bits}
    ssim, psnr = measure(one.read() or b"", other.read() or b"")
    return {"change": "pixels", "ssim": ssim, "psnr": psnr, "dhash_distance": bits}


def _boxes(ocr: Any) -> tuple[Box, ...]:
    found: BoxDiff = compare_boxes(ocr, ocr)
    return found.before


def _ref(ref: PictureRef, boxes: tuple[Box, ...]) -> ImageRef:
    seen = None if ref.width and ref.height else look(ref)
    return ImageRef(
        path=visible(ref.path),
        file=str(ref.file) if ref.file else None,
        sha256=ref.sha256,
        width=ref.width or (seen.width if seen else None),
        height=ref.height or (seen.height if seen else None),
        boxes=tuple(box.model_copy(update={"text": visible(box.text)}) for box in boxes if len(box.polygon) == 8),
    )
