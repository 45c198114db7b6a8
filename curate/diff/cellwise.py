"""Compares one cell with another: values by path, pictures by what they hold, lines of text by where they stand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import polars as pl

from curate.diff.boxes import BoxDiff, compare_boxes
from curate.diff.cells import MISSING
from curate.diff.columns import Column
from curate.diff.sample import ChangeClass
from curate.diff.sight import look, measure, pictures_of
from curate.diff.table import Table
from curate.diff.tally import Tally
from curate.diff.turns import differing_turns
from curate.diff.walk import Difference, Walker

MOST_DECODED = 2_000
"""Changed pictures that are decoded; the others are `unchecked`."""


class CellComparer:
    """Compares cells of two tables, and counts pictures and boxes on the way.

    Args:
        a: The table that `before` is of.
        b: The table that `after` is of.
        walker: How values are compared.
    """

    def __init__(self, a: Table, b: Table, walker: Walker) -> None:
        self.tally = Tally()
        self.decoded = 0
        self._a, self._b = a, b
        self._walker = walker

    def compare_all(self, column: Column, before: pl.Series, after: pl.Series) -> list[list[Difference]]:
        """Give the differences between the cells of a column, row by row."""
        turns = differing_turns(before, after) if column.compared_as == "conversation" else None
        if turns is None:
            cells = zip(self._a.decoded(before), self._b.decoded(after), strict=True)
            return [self.compare(column, one, other) for one, other in cells]
        found = []
        for place, skipped in enumerate(turns.skipped):
            one, other = turns.before[place], turns.after[place]
            differences = self._walker.differences(one, other, column.name, column.compared_as, skipped)
            if turns.cut[place] and any(difference.change == "digits" for difference in differences):
                differences = self.compare(column, before[place].to_list(), after[place].to_list())
            found.append(differences)  # a number may have come from a turn that was left out
        return found

    def compare(self, column: Column, before: Any, after: Any) -> list[Difference]:
        """Give the differences between two cells of a column."""
        if column.compared_as == "image":
            return self._pictures(column, before, after)
        if column.compared_as == "boxes":
            return self._boxes(before, after)
        return self._walker.differences(before, after, column.name, column.compared_as)

    def _pictures(self, column: Column, before: Any, after: Any) -> list[Difference]:
        old, new = pictures_of(before, self._a, column.source), pictures_of(after, self._b, column.source)
        found: list[Difference] = []
        for place in range(max(len(old), len(new))):
            one = old[place] if place < len(old) else None
            other = new[place] if place < len(new) else None
            if one is not None and other is not None and one.identity == other.identity:
                continue
            change: ChangeClass = "added" if one is None else "removed"
            if one is not None and other is not None:
                change = self._pixels(one, other)
            self.tally.pictures[change] += 1
            path_a, path_b = (MISSING if ref is None else ref.path for ref in (one, other))
            pointer, name = (f"/{column.name}/{place}", f"{column.name}[*]")
            if not isinstance(before, list) and not isinstance(after, list):
                pointer, name = f"/{column.name}", column.name
            found.append(Difference(pointer, name, "image", change, path_a, path_b))
        return found

    def _pixels(self, one: Any, other: Any) -> ChangeClass:
        if self.decoded >= MOST_DECODED:
            return "unchecked"
        self.decoded += 1
        seen, after = look(one), look(other)
        if seen is None or after is None:
            return "unchecked"
        if seen.pixels == after.pixels:
            return "re_encoded"
        ssim, _ = measure(one.read() or b"", other.read() or b"")
        if ssim is not None:
            self.tally.ssim.append(ssim)
        return "pixels"

    def _boxes(self, before: Any, after: Any) -> list[Difference]:
        """The text read in the pictures of a record, picture by picture."""
        old, new = ([image.get("ocr") for image in value or ()] for value in (before, after))
        found: list[Difference] = []
        for place in range(min(len(old), len(new))):
            one, other = old[place], new[place]
            if one == other:
                continue
            pointer = f"/images/{place}/ocr"
            if one is None or other is None:
                change: ChangeClass = "added" if one is None else "removed"
                found.append(Difference(pointer, "images[*].ocr", "boxes", change, one, other))
                continue
            boxes = compare_boxes(one, other)
            self.tally.add_boxes(boxes)
            found += self._lines(boxes, pointer)
        return found

    def _lines(self, boxes: BoxDiff, pointer: str) -> list[Difference]:
        """Lines that are read otherwise, came or went; where there are none, that lines moved or have other scores."""
        column, found = "images[*].ocr.lines[*]", []
        for left, right in boxes.pairs:
            before, after = boxes.before[left].text, boxes.after[right].text
            for text in self._walker.differences(before, after, "text", "text") if before != after else ():
                found.append(replace(text, pointer=f"{pointer}/lines/{right}/text", column=f"{column}.text"))
        for place, box in enumerate(boxes.before):
            if box.state == "removed":
                found.append(Difference(f"{pointer}/lines/{place}", column, "boxes", "removed", box.text, MISSING))
        for place, box in enumerate(boxes.after):
            if box.state == "added":
                found.append(Difference(f"{pointer}/lines/{place}", column, "boxes", "added", MISSING, box.text))
        if not found:
            change: ChangeClass = "moved" if boxes.moved else "value"
            found.append(Difference(f"{pointer}/lines", column, "boxes", change, None, None))
        return found
