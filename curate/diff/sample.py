"""The part of a report that shows rows: samples with their changes, texts cut into segments, pictures with boxes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

Share = Annotated[float, Field(ge=0, le=1)] | None
"""A share of rows; the field beside it that ends in `_of` names the denominator. None where that is 0, never 0."""
Count = Annotated[int, Field(ge=0)]

Status = Literal["same", "changed", "added", "removed"]
MatchedBy = Literal["uid", "key", "exact", "media", "fuzzy"]
ComparedAs = Literal["number", "text", "category", "image", "boxes", "conversation", "json", "bytes", "time", "boolean"]
ChangeClass = Literal[
    "invisible",
    "nfc",
    "width",
    "whitespace",
    "punctuation",
    "case",
    "script",
    "digits",
    "confusable",
    "content",
    "value",
    "type",
    "added",
    "removed",
    "order",
    "re_encoded",
    "pixels",
    "unchecked",
    "moved",
]
"""What kind of change it is. The first ten are of texts, from harmless to meaningful; see `curate.diff.classes`.

value: a number, label or truth value is another one. type: a number became a text, or the like. added, removed: there
is nothing on the other side. order: the same items in another order. re_encoded: other bytes, the same pixels.
pixels: another picture. unchecked: other bytes, and the picture could not be decoded, or too many had to be. moved: the
same text at another place of the picture.
"""


class Part(BaseModel):
    """Base class of everything in a report: plain data that does not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Segment(Part):
    """A stretch of a text: it stayed, went out, came in, or was left out of the report because nothing changed there.

    Invisible characters are written as `⟨U+200B⟩`, line ends as `⏎`, tabs as `⇥`, wide blanks as `▯`.
    """

    kind: Literal["same", "out", "in", "gap"]
    text: str = ""
    """Empty for a gap."""
    characters: Count = 0
    """Length of the stretch in code points, before invisible ones were written out."""


class Change(Part):
    """One value that differs between the two versions of a row."""

    path: str
    """JSON Pointer to the value in the row: `/turns/1/text`."""
    column: str
    """The path without numbers, as in `Report.columns`: `turns[*].text`."""
    compared_as: ComparedAs
    change: ChangeClass
    before: JsonValue = None
    """The value before, where it is not a text that `segments` tell; None where there was none."""
    after: JsonValue = None
    segments: tuple[Segment, ...] = ()
    """Both texts in one, in reading order; empty where the values are not texts."""
    cer: float | None = None
    """Edits per character of the text before; None where it is not a text, or was empty."""
    cut: bool = False
    """Whether stretches were left out of `segments` for length (those without any edit do not count)."""


class Box(Part):
    """A line of text read in a picture."""

    text: str
    score: float | None = None
    """Confidence of the engine, 0 to 1."""
    polygon: tuple[float, ...]
    """8 numbers: x and y of the four corners, in pixels of the upright original picture."""
    state: Literal["same", "added", "removed", "moved", "text_changed"] = "same"
    hidden: bool = False
    """Set by redaction: the text is masked, and a renderer must blur this part of the picture."""


class ImageRef(Part):
    """A picture on one side."""

    path: str
    """As the data set names it."""
    file: str | None = None
    """Where the file lies on this machine, for thumbnails; None where it is missing or lies inside of the data set.

    Never shown: only the HTML renderer gets it, JSON is written without it.
    """
    sha256: str | None = None
    width: int | None = None
    """Pixels, after EXIF rotation."""
    height: int | None = None
    boxes: tuple[Box, ...] = ()


class ImagePair(Part):
    """A picture before and after."""

    path: str
    """JSON Pointer: `/images/0`."""
    change: Literal["same", "re_encoded", "pixels", "unchecked", "added", "removed", "boxes"]
    before: ImageRef | None = None
    after: ImageRef | None = None
    ssim: float | None = None
    """Structural similarity of the grey pictures, where both have one size."""
    psnr: float | None = None
    """Decibels, where both have one size and differ."""
    dhash_distance: int | None = None
    """Differing bits of 64."""
    iou: float | None = None
    """Mean intersection over union of the boxes that were paired."""
    cer: float | None = None
    """Edits per character of the text read in it, lines in reading order."""


class Reason(Part):
    """What a stage noted about a row in the ledger."""

    stage: str | None
    action: str
    code: str
    metric: str | None = None
    value: float | None = None
    threshold: float | None = None
    related: str | None = None
    """uid of the twin that was kept, or of the parent of a copy."""
    detail: str | None = None


class Value(Part):
    """One value of a row that is on one side only."""

    path: str
    compared_as: ComparedAs
    text: str
    cut: bool = False


class Match(Part):
    """How the two versions of a row were found to be one."""

    by: MatchedBy
    score: Share = None
    """Similarity of the texts, for `fuzzy` and `media`."""


class RowSample(Part):
    """One row of the report."""

    uid: str
    """What `--row` finds it by: the uid, else the key, else `a:12` or `b:12`, the number of the row on one side."""
    source_id: str | None = None
    key: dict[str, str] | None = None
    row_a: int | None = None
    """Number of the row on the side A, from 0; None where it was added."""
    row_b: int | None = None
    status: Status
    match: Match | None = None
    flags: tuple[Literal["derived", "moved_split", "failed", "digits", "image_mismatch", "repeated_roles"], ...] = ()
    facets: dict[str, str] = {}
    """For filters: label, split, task, source and the like; of B, else of A."""
    classes: tuple[ChangeClass, ...] = ()
    """Classes of all its changes, each once."""
    reasons: tuple[Reason, ...] = ()
    """What the ledger says about it, in the order of the stages; empty where there is no ledger."""
    changes: tuple[Change, ...] = ()
    more_changes: Count = 0
    """Changes that are not shown."""
    images: tuple[ImagePair, ...] = ()
    content: tuple[Value, ...] = ()
    """What an added or removed row says."""
