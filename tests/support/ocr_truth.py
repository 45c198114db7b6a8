"""Pages with exact ground truth, and how well lines that were read agree with them."""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from rapidfuzz.distance import Levenshtein

ROOT = Path(__file__).parent.parent.parent
PICTURES = (".jpg", ".jpeg", ".webp", ".png")


class Page(NamedTuple):
    """A picture and the lines that stand in it."""

    path: Path
    texts: list[str]


class Agreement(NamedTuple):
    """How well pages were read; sums, so that pages can be added up."""

    characters: int
    """In the ground truth, without blanks."""
    found: int
    """Of them those that were read somewhere on their page."""
    read: int
    """Characters that were read."""
    errors: int
    """Letters to insert, delete or replace, line by line, each line with the one that fits it best."""

    @property
    def recall(self) -> float:
        """Share of the characters that were read."""
        return self.found / self.characters

    @property
    def precision(self) -> float:
        """Share of what was read that stands there."""
        return self.found / max(1, self.read)

    @property
    def error_rate(self) -> float:
        """Character error rate."""
        return self.errors / self.characters


def demo_pages() -> list[Page]:
    """The pages of the demo data."""
    truth = ROOT / "tests" / "demo_data" / "truth"
    return list(_pages(truth, ROOT / "pipelines" / "demo" / "images"))


def pages_of(folder: Path) -> list[Page]:
    """Pages of a folder that holds NAME.json (with `lines` of `text`) beside each NAME.jpg, .webp or .png."""
    return list(_pages(folder, folder))


def _pages(truth: Path, pictures: Path) -> Iterator[Page]:
    for path in sorted(truth.glob("*.json")):
        picture = next(pictures / f"{path.stem}{end}" for end in PICTURES if (pictures / f"{path.stem}{end}").exists())
        yield Page(picture, [line["text"] for line in json.loads(path.read_text("utf-8"))["lines"]])


def agreement(truth: Sequence[str], read: Sequence[str]) -> Agreement:
    """Compare the lines of one page, in any order, without blanks; full-width letters count as half-width ones."""
    expected, given = [_plain(text) for text in truth], [_plain(text) for text in read]
    there, seen = Counter("".join(expected)), Counter("".join(given))
    return Agreement(there.total(), (there & seen).total(), seen.total(), _errors(expected, given))


def total(parts: Sequence[Agreement]) -> Agreement:
    """Add pages up."""
    return Agreement(*(sum(values) for values in zip(*parts, strict=True)))


def _plain(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())


def _errors(truth: Sequence[str], read: Sequence[str]) -> int:
    """Pair lines, the closest pair first; a line of the truth without a partner counts whole."""
    pairs = sorted(
        (Levenshtein.distance(one, other), row, column)
        for row, one in enumerate(truth)
        for column, other in enumerate(read)
    )
    errors = {row: len(text) for row, text in enumerate(truth)}
    rows, columns = set(range(len(truth))), set(range(len(read)))
    for distance, row, column in pairs:
        if row in rows and column in columns and distance < errors[row]:
            errors[row] = distance
            rows.discard(row)
            columns.discard(column)
    return sum(errors.values())
