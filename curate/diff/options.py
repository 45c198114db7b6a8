"""What a person may ask of a diff."""

from __future__ import annotations

import difflib
import fnmatch
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from curate.errors import UsageError

Ignored = Literal["whitespace", "case", "width", "punct", "order"]
IGNORED: tuple[Ignored, ...] = ("whitespace", "case", "width", "punct", "order")
Redaction = Literal["default", "strict", "keys-only", "none"]

_TOLERANCE = re.compile(r"(?P<column>.+?)=(?P<parts>(?:abs|rel):[^,]+(?:,(?:abs|rel):[^,]+)?)")


@dataclass(frozen=True)
class Tolerance:
    """Numbers differ where their distance is more than both limits."""

    absolute: float = 0.0
    relative: float = 0.0
    """Share of the larger one of the two."""

    def holds(self, before: float, after: float) -> bool:
        """Whether two numbers count as equal."""
        return abs(before - after) <= max(self.absolute, self.relative * max(abs(before), abs(after)))

    def __str__(self) -> str:
        return f"abs:{self.absolute:g},rel:{self.relative:g}"


EXACT = Tolerance()


@dataclass(frozen=True)
class DiffOptions:
    """How two data sets are compared, and what is shown of it."""

    key: tuple[str, ...] = ()
    """Columns that name a row; empty: found."""
    on_duplicate_key: Literal["group", "error"] = "group"
    columns: tuple[str, ...] = ()
    """Patterns of the columns that are compared; empty: all that both sides have, without bookkeeping."""
    ignore_columns: tuple[str, ...] = ()
    where: str | None = None
    """SQL condition on rows of both sides."""
    tolerances: dict[str, Tolerance] = field(default_factory=dict)
    """By pattern of a column or path."""
    ignore: frozenset[Ignored] = frozenset()
    text_diff: Literal["char", "word"] = "char"
    """Whether texts are shown as characters or as words that were exchanged; what counts stays the same."""
    samples: int = 20
    seed: int = 0
    fast: bool = False
    """Counts, schema and distributions only; rows are matched by uid or key alone and not read again."""
    row: str | None = None
    """Only this row is wanted, whole."""
    title: str = ""
    command: str = "curate diff"


def parse_tolerance(text: str) -> tuple[str, Tolerance]:
    """Read `COL=abs:0.01,rel:1e-6`.

    Raises:
        UsageError: it is not that.
    """
    match = _TOLERANCE.fullmatch(text)
    try:
        parts = dict(part.split(":", 1) for part in match["parts"].split(",")) if match else {}
        found = Tolerance(float(parts.get("abs", 0)), float(parts.get("rel", 0)))
    except ValueError:
        match = None
    if match is None or found.absolute < 0 or found.relative < 0:
        raise UsageError(f"--tol takes COLUMN=abs:NUMBER,rel:NUMBER, as in --tol score=abs:0.01; got '{text}'")
    return match["column"], found


def check_tolerances(tolerances: Iterable[str], known: Sequence[str]) -> None:
    """Make sure that each `--tol` names a column that both sides have.

    Args:
        tolerances: Patterns of columns or paths.
        known: The columns that are compared.

    Raises:
        UsageError: one does not; its numbers would be held exactly, and nobody would know.
    """
    for pattern in tolerances:
        top = pattern.split("[")[0].split(".")[0]
        if not any(fnmatch.fnmatchcase(name, pattern) or fnmatch.fnmatchcase(name, top) for name in known):
            near = difflib.get_close_matches(top, known, n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"compared are: {', '.join(known)}"
            raise UsageError(f"--tol {pattern}: there is no column '{top}'; {hint}")


def parse_ignored(text: str) -> frozenset[Ignored]:
    """Read a list of what does not count as a difference.

    Raises:
        UsageError: a word is unknown; the message names those that are known.
    """
    wanted = [word.strip() for word in text.split(",") if word.strip()]
    unknown = [word for word in wanted if word not in IGNORED]
    if unknown:
        raise UsageError(f"--ignore knows {', '.join(IGNORED)}; got '{unknown[0]}'")
    return frozenset(word for word in IGNORED if word in wanted)
