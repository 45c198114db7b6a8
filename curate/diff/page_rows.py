"""What a page shows of a row: pictures with their lines of text, changes, and what filters find it by."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from curate.diff.sample import Box, Change, ImagePair, ImageRef, Reason, RowSample
from curate.report.shell import visible
from curate.report.thumbnails import Thumbnail, thumbnail
from curate.report.words import Words

MEANINGFUL = frozenset(
    ("digits", "confusable", "content", "value", "type", "added", "removed", "pixels", "unchecked", "order")
)
"""Classes of changes after which a row may say or show something else."""
_VALUES = 60
"""Values that a filter may offer."""
_LINES = 40
"""Lines of text that are listed below a picture."""
_SURE, _UNSURE = 0.9, 0.7
"""Scores from which a line is drawn solid, and dashed; below, dotted."""
_OWN = ("status", "stage", "reason", "class", "flag")


@dataclass(frozen=True)
class Line:
    """A line of text read in a picture."""

    id: str
    text: str
    points: str
    """For an SVG polygon, in pixels of the upright original."""
    kind: str
    """Classes of the style sheet: how sure, and what became of it."""
    score: float | None


@dataclass(frozen=True)
class Side:
    """A picture on one side."""

    side: str
    """before or after."""
    name: str
    size: tuple[int, int] | None
    thumbnail: Thumbnail | None
    lines: tuple[Line, ...]
    more_lines: int
    left_out: bool
    """Whether there may be a picture, but none is shown to save space or to hide it."""


@dataclass(frozen=True)
class PairView:
    """A picture before and after."""

    pair: ImagePair
    sides: tuple[Side, ...]


@dataclass(frozen=True)
class ReasonGroup:
    """What one stage noted about a row."""

    stage: str
    action: str
    entries: tuple[Reason, ...]


@dataclass(frozen=True)
class RowView:
    """A row as the template needs it."""

    sample: RowSample
    pairs: tuple[PairView, ...]
    facets: dict[str, list[str]]
    changes: tuple[Change, ...]
    reasons: tuple[ReasonGroup, ...]

    @property
    def thumbnails(self) -> list[Thumbnail]:
        """All pictures that are shown."""
        return [side.thumbnail for pair in self.pairs for side in pair.sides if side.thumbnail is not None]


def view(sample: RowSample, width: int | None, hide: bool = False) -> RowView:
    """Make a row ready to be shown.

    Args:
        sample: The row.
        width: Width of pictures; None for no pictures.
        hide: Whether pictures are hidden whatever they are.
    """
    pairs = tuple(
        PairView(pair, tuple(_side(name, ref, width, hide) for name, ref in _refs(pair))) for pair in sample.images
    )
    return RowView(sample, pairs, _facets(sample), sample.changes, _grouped(sample.reasons))


def _grouped(reasons: Sequence[Reason]) -> tuple[ReasonGroup, ...]:
    groups = itertools.groupby(reasons, key=lambda reason: (reason.stage or "", reason.action))
    return tuple(ReasonGroup(stage, action, tuple(entries)) for (stage, action), entries in groups)


def _refs(pair: ImagePair) -> list[tuple[str, ImageRef | None]]:
    """Both sides; only one where the other is the same picture and nothing was read in it."""
    before, after = pair.before, pair.after
    same = before is not None and after is not None and before.sha256 is not None and before.sha256 == after.sha256
    if same and before is not None and after is not None and before.boxes in ((), after.boxes):
        return [("after", after)]
    return [("before", before), ("after", after)]


def _side(name: str, ref: ImageRef | None, width: int | None, hide: bool) -> Side:
    if ref is None:
        return Side(name, "", None, None, (), 0, False)
    small = None if width is None or hide else _load(ref, width)
    size = (ref.width, ref.height) if ref.width and ref.height else None
    lines = tuple(_line(number, box) for number, box in enumerate(ref.boxes))
    listed = tuple(line for line in lines if size)[:_LINES]
    return Side(
        name, ref.path, size, small, listed if small or lines else (), len(lines) - len(listed), width is None or hide
    )


def _load(ref: ImageRef, width: int) -> Thumbnail | None:
    try:
        data = Path(ref.file).read_bytes() if ref.file else None
    except OSError:
        return None
    hidden = [box.polygon for box in ref.boxes if box.hidden]
    return thumbnail(data, width, hidden) if data else None


def _line(number: int, box: Box) -> Line:
    score = box.score if box.score is not None else 1.0
    sure = "sure" if score >= _SURE else "unsure" if score >= _UNSURE else "poor"
    points = " ".join(f"{x:g},{y:g}" for x, y in zip(box.polygon[0::2], box.polygon[1::2], strict=False))
    return Line(str(number), box.text, points, f"{sure} {box.state}", box.score)


def _facets(sample: RowSample) -> dict[str, list[str]]:
    """What filters find the row by, as it is shown."""
    found: dict[str, list[str]] = {
        "status": [sample.status],
        "stage": [reason.stage for reason in sample.reasons if reason.stage],
        "reason": [reason.code for reason in sample.reasons],
        "class": [*sample.classes],
        "flag": [*sample.flags],
        **{name: [value] for name, value in sample.facets.items() if name not in _OWN},
    }
    return {
        visible(name): list(dict.fromkeys(visible(value) for value in values))
        for name, values in found.items()
        if values
    }


def filters(rows: Sequence[RowView], words: Words) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """The filters that tell rows apart: name, label, and values with what they are called."""
    values: dict[str, dict[str, None]] = {name: {} for name in _OWN}
    for row in rows:
        for name, found in row.facets.items():
            values.setdefault(name, {}).update(dict.fromkeys(found))
    made = []
    for name, there in values.items():
        if 2 <= len(there) <= _VALUES or (name in _OWN and there):
            called = [(value, _called(name, value, words)) for value in sorted(there)]
            made.append((name, words.named("filter", name) if name in _OWN else name, called))
    return made


def _called(name: str, value: str, words: Words) -> str:
    return words.named({"status": "status", "class": "class"}.get(name, "none"), value)
