"""Counts differences while they go by, so that nothing of a million rows has to be kept."""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from rapidfuzz.distance import LCSseq, Levenshtein

from curate.diff.boxes import BoxDiff
from curate.diff.cells import MISSING, storable
from curate.diff.classes import TEXT_CLASSES
from curate.diff.sample import ComparedAs
from curate.diff.tables import BoxChanges, ChangedIn, ColumnChange, ImageChanges, Media, TextChanges
from curate.diff.text import LONGEST, edits
from curate.diff.walk import Difference
from curate.report.personal import count, find


@dataclass
class ColumnTally:
    """What became of one column or path."""

    compared_as: ComparedAs
    rows: int = 0
    classes: Counter[str] = field(default_factory=Counter)
    null_to_value: int = 0
    value_to_null: int = 0
    missing_to_value: int = 0
    value_to_missing: int = 0
    error_rates: array[float] = field(default_factory=lambda: array("f"))


@dataclass
class Tally:
    """What became of all of them."""

    columns: dict[str, ColumnTally] = field(default_factory=dict)
    """By path."""
    whole: dict[str, ColumnTally] = field(default_factory=dict)
    """By column: rows and classes only."""
    by_class: Counter[str] = field(default_factory=Counter)
    characters_in: int = 0
    characters_out: int = 0
    pictures: Counter[str] = field(default_factory=Counter)
    ssim: array[float] = field(default_factory=lambda: array("f"))
    boxes: Counter[str] = field(default_factory=Counter)
    iou: array[float] = field(default_factory=lambda: array("f"))
    box_cer: array[float] = field(default_factory=lambda: array("f"))
    personal: dict[str, list[int]] = field(default_factory=dict)
    """Hits before, after and new, by kind of personal data."""

    def add_personal(self, before: list[str], after: list[str]) -> None:
        """Count personal data in texts before and after, place by place; in rows on one side the other is empty."""
        counted = [count(pa.array(map(storable, texts), pa.string())) for texts in (before, after)]
        for kind in {*counted[0], *counted[1]}:
            known = self.personal.setdefault(kind, [0, 0, 0])
            known[0] += counted[0][kind]
            known[1] += counted[1][kind]
        for one, other in zip(before, after, strict=True) if counted[1] else ():
            old = Counter(one[hit.start : hit.end] for hit in find(one)) if counted[0] else Counter[str]()
            for hit in find(other):
                value = other[hit.start : hit.end]
                if old[value]:
                    old[value] -= 1
                else:
                    self.personal.setdefault(hit.kind, [0, 0, 0])[2] += 1

    def add(self, differences: list[Difference]) -> None:
        """Count the differences of one row."""
        self.by_class.update({one.change for one in differences if one.change in TEXT_CLASSES})
        paths: dict[str, set[str]] = {}
        rates: dict[str, tuple[int, int]] = {}
        for one in differences:
            if one.compared_as == "text" and isinstance(one.before, str) and isinstance(one.after, str):
                edited, gone, come = _sizes(one.before, one.after)
                self.characters_out += gone
                self.characters_in += come
                before = rates.get(one.column, (0, 0))
                rates[one.column] = (before[0] + edited, before[1] + len(one.before))
            if not one.ignored:
                paths.setdefault(one.column, set()).add(one.change)
                self._presence(one)
        for column, changes in paths.items():
            tally = self.columns[column]
            tally.rows += 1
            tally.classes.update(changes)
            edited, length = rates.get(column, (0, 0))
            if length:
                tally.error_rates.append(edited / length)

    def add_column(self, name: str, compared_as: ComparedAs, differences: list[Difference]) -> None:
        """Count a row for the column that differences are in, once whatever paths changed."""
        changes = {one.change for one in differences if not one.ignored}
        if changes:
            whole = self.whole.setdefault(name, ColumnTally(compared_as))
            whole.rows += 1
            whole.classes.update(changes)

    def _presence(self, one: Difference) -> None:
        tally = self.columns.setdefault(one.column, ColumnTally(one.compared_as))
        if one.before is MISSING and one.after is not MISSING:
            tally.missing_to_value += not one.column.endswith("[*]")
        elif one.after is MISSING and one.before is not MISSING:
            tally.value_to_missing += not one.column.endswith("[*]")
        elif one.before is None:
            tally.null_to_value += 1
        elif one.after is None:
            tally.value_to_null += 1

    def add_boxes(self, found: BoxDiff) -> None:
        """Count the lines of one picture."""
        for name in ("added", "removed", "moved", "text_changed"):
            self.boxes[name] += getattr(found, name)
        if found.iou is not None:
            self.iou.append(found.iou)
        if found.cer is not None:
            self.box_cer.append(found.cer)

    def column_changes(self, matched: int, tolerances: dict[str, Any]) -> tuple[ColumnChange, ...]:
        """The table of columns, the most changed ones first."""
        found = [
            ColumnChange(
                path=path,
                compared_as=one.compared_as,
                changed_rows=one.rows,
                change_rate=share(one.rows, matched),
                null_to_value=one.null_to_value,
                value_to_null=one.value_to_null,
                missing_to_value=one.missing_to_value,
                value_to_missing=one.value_to_missing,
                classes=dict(sorted(one.classes.items(), key=lambda item: (-item[1], item[0]))),
                tolerance=str(tolerances[path]) if path in tolerances else None,
                cer_p50=quantile(one.error_rates, 50),
                cer_p95=quantile(one.error_rates, 95),
            )
            for path, one in self.columns.items()
            if one.rows
        ]
        return tuple(sorted(found, key=lambda one: (-one.changed_rows, one.path)))

    def changed_in(self) -> dict[str, ChangedIn]:
        """Rows by column, most of them first."""
        found = sorted(self.whole.items(), key=lambda item: (-item[1].rows, item[0]))
        return {name: ChangedIn(rows=one.rows, classes=dict(sorted(one.classes.items()))) for name, one in found}

    def text_changes(self) -> TextChanges:
        """Rows by class, in the order from harmless to meaningful."""
        return TextChanges(
            by_class={name: self.by_class[name] for name in TEXT_CLASSES if self.by_class[name]},
            characters_in=self.characters_in,
            characters_out=self.characters_out,
            digits_changed_rows=self.by_class["digits"],
        )

    def media(self, has_pictures: bool, has_boxes: bool) -> Media:
        """Pictures and boxes; None where there are none."""
        shown = self.pictures
        images = ImageChanges(
            compared=shown["re_encoded"] + shown["pixels"],
            re_encoded=shown["re_encoded"],
            pixels=shown["pixels"],
            added=shown["added"],
            removed=shown["removed"],
            unchecked=shown["unchecked"],
            ssim_p50=quantile(self.ssim, 50),
        )
        boxes = BoxChanges(
            **{name: self.boxes[name] for name in ("added", "removed", "moved", "text_changed")},
            mean_iou=round(float(np.mean(self.iou)), 4) if self.iou else None,
            cer_p50=quantile(self.box_cer, 50),
            cer_p95=quantile(self.box_cer, 95),
        )
        return Media(images=images if has_pictures else None, boxes=boxes if has_boxes else None)


def _sizes(before: str, after: str) -> tuple[int, int, int]:
    """Edits, characters that went and characters that came."""
    if len(before) > LONGEST or len(after) > LONGEST:
        cut = [one for one in edits(before, after) if not one.same]
        gone, come = sum(one.end - one.start for one in cut), sum(one.new_end - one.new_start for one in cut)
        return max(gone, come), gone, come
    stayed = LCSseq.similarity(before, after)
    return Levenshtein.distance(before, after), len(before) - stayed, len(after) - stayed


def share(part: int, whole: int) -> float | None:
    """A share; None of nothing."""
    return round(part / whole, 6) if whole else None


def quantile(values: array[float], percent: int) -> float | None:
    """A percentile, to 4 digits; None of nothing."""
    return round(float(np.percentile(np.frombuffer(values, np.float32), percent)), 4) if len(values) else None
