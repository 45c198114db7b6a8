"""Which words may stand for which: the protocol, the shipped lexicon, and tables of one's own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple, Protocol

from curate.dataset.files import digest
from curate.errors import UsageError

TARGET = ">"
"""Before a word of the lexicon that may be put in, but is never taken out."""


class Thesaurus(Protocol):
    """Gives words that may stand for another one."""

    words: frozenset[str]
    """All words that it knows, which are then cut as one."""

    def nearby(self, word: str, n: int, pos: str | None = None) -> list[tuple[str, float]]:
        """Give at most `n` words for `word`, the best first, each with a score up to 1; none where it is not known.

        Args:
            word: The word.
            n: How many at most.
            pos: Its part of speech, if known; words of another one are left out.
        """

    def fits(self, word: str, before: str, after: str) -> bool:
        """Whether `word` has the meaning that the thesaurus knows between these texts."""

    def digest(self) -> str:
        """Hash of everything that decides the answers."""


@dataclass(frozen=True)
class Group:
    """Words that may stand for each other, as the lexicon writes them."""

    pos: str
    words: tuple[str, ...]
    """All of them; `sources` are those that may be replaced."""
    sources: tuple[str, ...]
    example: str
    """A sentence in which each of them fits, with one of them in brackets."""
    not_before: tuple[str, ...] = ()
    not_after: tuple[str, ...] = ()

    def allows(self, before: str, after: str) -> bool:
        """Whether the texts on both sides leave the words their meaning."""
        return not (after.startswith(self.not_before) or before.endswith(self.not_after))


class Lexicon:
    """Groups of words for talk between customers and shops; every word is in at most one group that replaces it."""

    def __init__(self, groups: Sequence[Group]) -> None:
        self.groups = tuple(groups)
        self._of = {word: group for group in groups for word in group.sources}
        self.words = frozenset(word for group in groups for word in group.words)

    @classmethod
    def shipped(cls) -> Lexicon:
        """The lexicon that comes with curate."""
        return cls(parse_lexicon((files("curate.augment") / "data" / "lexicon.tsv").read_text("utf-8"), "lexicon.tsv"))

    def nearby(self, word: str, n: int, pos: str | None = None) -> list[tuple[str, float]]:
        """The other words of its group, in the order of the file."""
        group = self._of.get(word)
        if group is None or pos not in (None, group.pos):
            return []
        return [(other, 1.0) for other in group.words if other != word][:n]

    def fits(self, word: str, before: str, after: str) -> bool:
        """Whether the word's group allows what stands around it."""
        group = self._of.get(word)
        return group is not None and group.allows(before, after)

    def digest(self) -> str:
        """Hash of the groups."""
        return digest([[g.pos, g.words, g.sources, g.not_before, g.not_after] for g in self.groups])


def parse_lexicon(text: str, name: str) -> list[Group]:
    """Read a lexicon; what a line means stands at the head of the shipped file.

    Raises:
        UsageError: a line does not fit, or a word would be replaced by two groups; the message names the line.
    """
    groups: list[Group] = []
    lines: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        cells = line.split("\t")
        if not 3 <= len(cells) <= 5:
            raise UsageError(f"{name}:{number}: {len(cells)} columns; there are 3 to 5, separated by tabs")
        written = _parts(cells[1])
        words = tuple(word.removeprefix(TARGET) for word in written)
        sources = tuple(word for word in written if not word.startswith(TARGET))
        if len(words) < 2 or len(set(words)) < len(words) or not sources:
            raise UsageError(f"{name}:{number}: a group has two or more different words, one of them without {TARGET}")
        if not any(f"[{word}]" in cells[2] for word in words):
            raise UsageError(f"{name}:{number}: the example must hold one of the words in brackets: {cells[2]}")
        for word in sources:
            if word in lines:
                raise UsageError(f"{name}:{number}: '{word}' is in the group of line {lines[word]} too")
            lines[word] = number
        around = (_parts(cells[3]) if len(cells) > 3 else ()), (_parts(cells[4]) if len(cells) > 4 else ())
        groups.append(Group(cells[0], words, sources, cells[2], *around))
    return groups


def _parts(cell: str) -> tuple[str, ...]:
    return tuple(part for part in cell.strip().split("/") if part)


class Entry(NamedTuple):
    """One line of a table."""

    word: str
    score: float
    pos: str | None


class Table:
    """A person's own table, over another thesaurus: words that it has are answered from it alone.

    Args:
        entries: For each word what may stand for it.
        below: Answers for all other words; None for nothing.
    """

    def __init__(self, entries: dict[str, list[Entry]], below: Thesaurus | None) -> None:
        self._entries = {word: sorted(found, key=lambda one: (-one.score, one.word)) for word, found in entries.items()}
        self._below = below
        own = set(entries) | {entry.word for found in entries.values() for entry in found}
        self.words = frozenset(own) | (below.words if below else frozenset())

    @classmethod
    def read(cls, path: Path, below: Thesaurus | None) -> Table:
        """Read a TSV of word, synonym, score (1 where it is missing) and part of speech (any where it is missing).

        Raises:
            UsageError: the file cannot be read, or a line does not fit; the message names it.
        """
        try:
            text = path.read_text("utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            reason = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else error.strerror
            raise UsageError(f"the table {path} cannot be read: {reason}") from error
        entries: dict[str, list[Entry]] = {}
        for number, line in enumerate(text.splitlines(), start=1):
            if line.strip() and not line.startswith("#"):
                word, entry = _entry(line.split("\t"), f"{path}:{number}")
                entries.setdefault(word, []).append(entry)
        if not entries:
            raise UsageError(f"the table {path} has no line; a line is word, synonym, score and part of speech")
        return cls(entries, below)

    def nearby(self, word: str, n: int, pos: str | None = None) -> list[tuple[str, float]]:
        """The table's words by falling score, else what the thesaurus below says."""
        if word in self._entries:
            found = [entry for entry in self._entries[word] if pos is None or entry.pos in (None, pos)]
            return [(entry.word, entry.score) for entry in found][:n]
        return self._below.nearby(word, n, pos) if self._below else []

    def fits(self, word: str, before: str, after: str) -> bool:
        """A table says nothing of what stands around its words."""
        return word in self._entries or (self._below is not None and self._below.fits(word, before, after))

    def digest(self) -> str:
        """Hash of the table and of what is below it."""
        return digest([sorted(self._entries.items()), self._below.digest() if self._below else None])


def _entry(cells: list[str], place: str) -> tuple[str, Entry]:
    if not 2 <= len(cells) <= 4 or not cells[0] or not cells[1]:
        raise UsageError(f"{place}: a line is word, synonym, score and part of speech, separated by tabs")
    try:
        score = float(cells[2]) if len(cells) > 2 and cells[2] else 1.0
    except ValueError:
        score = math.nan
    if not 0 <= score <= 1:
        raise UsageError(f"{place}: the score must be a number from 0 to 1, not '{cells[2]}'")
    return cells[0], Entry(cells[1], score, (cells[3] or None) if len(cells) > 3 else None)


@cache
def make_thesaurus(backend: str, table: Path | None) -> Thesaurus:
    """Make the thesaurus that a recipe names: `lexicon`, `table` (over the lexicon), or `table_only`.

    Raises:
        UsageError: the table is missing or does not fit.
    """
    if backend == "lexicon":
        return Lexicon.shipped()
    if table is None:
        raise UsageError("a thesaurus of one's own needs its file: table: synonyms.tsv (word, synonym, score)")
    return Table.read(table, None if backend == "table_only" else Lexicon.shipped())
