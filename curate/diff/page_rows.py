"""What a page shows of a row: pictures with their lines of text, changes, and what filters find it by."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from curate.diff.sample import Change, ImagePair, ImageRef, Reason, RowSample
from curate.report.filters import OWN, facets
from curate.report.sides import Side, line
from curate.report.thumbnails import Album, Thumbnail

MEANINGFUL = frozenset(
    ("digits", "confusable", "content", "value", "type", "added", "removed", "pixels", "unchecked", "order")
)
"""Classes of changes after which a row may say or show something else."""


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
        sides = [side for pair in self.pairs for side in pair.sides]
        return [small for side in sides for small in (side.thumbnail, side.detail) if small is not None]


def view(sample: RowSample, album: Album | None, details: Album | None = None) -> RowView:
    """Make a row ready to be shown.

    Args:
        sample: The row.
        album: Makes the small pictures; None for no pictures.
        details: Makes larger ones beside them; None for none.
    """
    pairs = tuple(
        PairView(pair, tuple(_side(name, ref, album, details) for name, ref in _refs(pair))) for pair in sample.images
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
        return [("picture", after)]
    return [("before", before), ("after", after)]


def _side(name: str, ref: ImageRef | None, album: Album | None, details: Album | None) -> Side:
    if ref is None:
        return Side(name, "", None)
    size = (ref.width, ref.height) if ref.width and ref.height else None
    lines = [line(number, box.text, box.score, box.polygon, box.state) for number, box in enumerate(ref.boxes)]
    hidden = [box.polygon for box in ref.boxes if box.hidden]
    small = album.get(ref.file or "", partial(_content, ref), hidden) if album else None
    large = details.get(ref.file or "", partial(_content, ref), hidden) if details and small else None
    if large is not None and small is not None and large.width <= small.width:
        large = None
    return Side(name, ref.path, size, small, tuple(lines), large, album is None)


def _content(ref: ImageRef) -> bytes | None:
    try:
        return Path(ref.file).read_bytes() if ref.file else None
    except OSError:
        return None


def _facets(sample: RowSample) -> dict[str, list[str]]:
    """What filters find the row by, as it is shown."""
    found: dict[str, list[str]] = {
        "status": [sample.status],
        "stage": [reason.stage for reason in sample.reasons if reason.stage],
        "reason": [reason.code for reason in sample.reasons],
        "class": [*sample.classes],
        "flag": [*sample.flags],
        **{name: [value] for name, value in sample.facets.items() if name not in OWN},
    }
    return facets(found)
