"""The report: everything that a diff found, as plain frozen data; every renderer gets this and nothing else.

`Report.plain()` and `Report.from_plain()` are the way into a dictionary and back. Redaction works on that dictionary,
so that no renderer ever holds what was redacted. `Report.as_json()` is version 1 of the published format
(`curate schema diff`): fields are only ever added to it. Row counts are integers; every share names its denominator in
the field beside it and is None where that is 0; samples are sorted by uid.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from curate.diff.distribution import Distribution, Safety, Splits
from curate.diff.flow import Finding, RemovedBy, SegmentShare, StageFlow
from curate.diff.sample import Count, Part, RowSample, Share
from curate.diff.tables import ChangedIn, ColumnChange, Matching, Media, SchemaDiff, TextChanges, TurnErrors

VERSION: Literal["1"] = "1"


class Tool(Part):
    """What made the report."""

    name: Literal["curate"] = "curate"
    version: str


class Created(Part):
    """How the report was made."""

    command: str
    """The command that makes it again."""
    created_at: str | None = None
    """Only where SOURCE_DATE_EPOCH is set, so that the same inputs give the same bytes."""


class Side(Part):
    """One of the two data sets."""

    ref: str
    """As it was asked for: `work/demo@ocr`."""
    path: str
    """Relative to the working folder, else the base name."""
    format: Literal["parquet", "jsonl", "json", "sharegpt", "imagefolder", "run", "stage"]
    rows: Count
    fingerprint: str
    """`xxh3:` and 32 hexadecimal characters, of the bytes of its files in order."""
    run: str | None = None
    """Name of the recipe of the run that it belongs to."""


class Inputs(Part):
    """The two data sets."""

    a: Side
    b: Side


class Check(Part):
    """A rule of `--fail-on` or of a recipe's `checks`, and how it came out."""

    rule: str
    metric: str
    scope: str | None = None
    op: Literal["<=", ">=", "==", "<", ">"]
    limit: float
    unit: Literal["rows", "share", "points", "score"]
    value: float | None
    """None where it could not be computed; then the check fails."""
    ok: bool
    source: Literal["cli", "recipe"] = "cli"
    note: str = ""


class Verdict(Part):
    """Whether what was asked for holds."""

    status: Literal["pass", "fail", "no_policy"]
    differences: bool
    exit_code: Literal[0, 1]
    checks: tuple[Check, ...] = ()
    findings: tuple[Finding, ...] = Field(default=(), max_length=5)


class Rows(Part):
    """Rows by status: a = same + changed + removed, b = same + changed + added."""

    a: Count
    b: Count
    same: Count
    changed: Count
    added: Count
    removed: Count
    added_derived: Count = 0
    """Added rows whose parent is in A or B."""
    moved_split: Count = 0
    """Matched rows whose split differs; they are same or changed besides."""
    removed_failed: Count = 0
    """Removed rows that a stage set aside as bad."""
    unexplained_removed: Count | None = None
    """Removed rows without a word in the ledger; None where there is no ledger."""
    changed_share: Share = None
    changed_share_of: Literal["matched"] = "matched"
    removed_share: Share = None
    removed_share_of: Literal["a"] = "a"
    added_share: Share = None
    added_share_of: Literal["b"] = "b"


class Samples(Part):
    """Rows to look at, chosen by hash(seed, uid), so that a row stays when others change."""

    seed: int = 0
    changed: tuple[RowSample, ...] = ()
    added: tuple[RowSample, ...] = ()
    removed: tuple[RowSample, ...] = ()


class Limits(Part):
    """What the report left out, and why."""

    samples: Count = 20
    """Rows of one status that are shown at most."""
    text_characters: Count = 600
    rows_compared: Count = 0
    fast: bool = False
    where: str | None = None
    left_out: tuple[str, ...] = ()
    """Sentences."""


class Note(Part):
    """Something to know about how the report was made."""

    code: str
    text: str


class Report(Part):
    """Everything that a diff found."""

    schema_version: Literal["1"] = VERSION
    title: str = "curate diff"
    tool: Tool
    created_by: Created
    inputs: Inputs
    verdict: Verdict
    rows: Rows
    matching: Matching
    schema_diff: SchemaDiff
    columns: tuple[ColumnChange, ...] = ()
    changed_in: dict[str, ChangedIn] = {}
    """By column, whatever path changed in it; what is read in pictures is the column `ocr`."""
    text_changes: TextChanges = TextChanges()
    media: Media = Media()
    turns: TurnErrors | None = None
    """None where there are no conversations with pictures."""
    distributions: tuple[Distribution, ...] = ()
    stages: tuple[StageFlow, ...] = ()
    removed_by: tuple[RemovedBy, ...] = ()
    splits: Splits = Splits()
    safety: Safety = Safety()
    segments: tuple[SegmentShare, ...] = ()
    samples: Samples = Samples()
    limits: Limits = Limits()
    warnings: tuple[Note, ...] = ()

    def plain(self) -> dict[str, Any]:
        """Give the report as dictionaries, lists, texts and numbers."""
        return self.model_dump(mode="json")

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Report:
        """Make a report of what `plain` gave, redacted or not."""
        return cls.model_validate(plain)

    def as_json(self) -> dict[str, Any]:
        """Give what JSON shows: all of it but where files lie on this machine."""
        shown: dict[str, Any] = without_files(self.plain())
        return shown


def without_files(value: Any) -> Any:
    """Plain data of a report without the places of files on this machine."""
    if isinstance(value, dict):
        is_picture = {"file", "path", "sha256"} <= value.keys()
        return {key: without_files(item) for key, item in value.items() if not (is_picture and key == "file")}
    return [without_files(item) for item in value] if isinstance(value, list) else value
