"""Where things stand in a card: front matter, blocks that curate owns, and questions with a person's answers.

A card is Markdown. Only whole lines are markers, and none inside a fenced code block is one; everything is found by
line number, so that whatever is not a block can be written back byte for byte.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from curate.errors import UsageError

OPEN = "*(not answered yet)*"
"""Stands where a person has not answered yet."""

_BEGIN = re.compile(r" {0,3}<!-- curate:begin (?P<id>[a-z0-9_.-]+) -->[ \t]*\r?\n?")
_END = re.compile(r" {0,3}<!-- curate:end (?P<id>[a-z0-9_.-]+) -->[ \t]*\r?\n?")
_ASK = re.compile(r" {0,3}<!-- curate:ask (?P<id>[A-Za-z0-9_.-]+)(?: : (?P<text>.*?))? -->[ \t]*\r?\n?")
_FENCE = re.compile(r" {0,3}(?P<mark>`{3,}|~{3,})(?P<info>[^\n]*)")
_HEADING = re.compile(r" {0,3}(?P<marks>#{1,6})(?:[ \t]|\r?$)")
_RULE = re.compile(r"---[ \t]*\r?\n?")


class CardError(UsageError):
    """A card cannot be read or merged; the message names the line. Nothing was written."""


@dataclass(frozen=True)
class Block:
    """A part that curate owns: the lines from `start` (the begin marker) up to `end` (behind the end marker)."""

    id: str
    start: int
    end: int


@dataclass(frozen=True)
class Question:
    """A question and the lines of its answer, from `start` up to `end`."""

    id: str
    text: str
    start: int
    end: int
    line: int
    """The line of the marker, from 1."""


@dataclass
class Layout:
    """The parts of a card."""

    lines: list[str]
    """All lines, each with its own line end."""
    front: tuple[int, int] | None
    """Lines of the front matter between its rules; None where there is none."""
    body: int
    """The first line behind the front matter."""
    blocks: list[Block] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)

    @property
    def newline(self) -> str:
        """How the card ends its lines."""
        return "\r\n" if self.lines and self.lines[0].endswith("\r\n") else "\n"

    def inside(self, block: Block) -> str:
        """What stands between the markers of a block, line ends as `\\n`."""
        return "".join(self.lines[block.start + 1 : block.end - 1]).replace("\r\n", "\n")

    def answer(self, question: Question) -> str | None:
        """What a person answered; None where the question is open."""
        text = "".join(self.lines[question.start : question.end]).replace("\r\n", "\n").strip()
        return None if text in ("", OPEN) else text


def split_lines(text: str) -> list[str]:
    """Cut at line feeds alone: U+2028 and form feeds are characters like others."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def parse(text: str, name: str) -> Layout:
    """Find the parts of a card.

    Args:
        text: The card, line ends as they are in the file.
        name: What messages call it.

    Raises:
        CardError: a marker has no partner, or a block or question is there twice.
    """
    lines = split_lines(text)
    front = _front(lines)
    layout = Layout(lines, front, front[1] + 1 if front else 0)
    begun: tuple[str, int] | None = None
    asked: list[tuple[str, str, int]] = []
    stops: list[tuple[int, int]] = []
    for number, line in _plain_lines(lines, layout.body):
        if match := _BEGIN.fullmatch(line):
            if begun:
                raise CardError(
                    f"{name}:{number + 1}: block '{match['id']}' begins inside block '{begun[0]}' "
                    f"(line {begun[1] + 1}); add <!-- curate:end {begun[0]} --> before it"
                )
            begun = (match["id"], number)
            stops.append((number, 0))
        elif match := _END.fullmatch(line):
            if not begun or begun[0] != match["id"]:
                raise CardError(f"{name}:{number + 1}: block '{match['id']}' ends here but does not begin before")
            layout.blocks.append(Block(begun[0], begun[1], number + 1))
            begun = None
        elif begun:
            continue
        elif match := _ASK.fullmatch(line):
            asked.append((match["id"], match["text"] or "", number))
            stops.append((number, 0))
        elif match := _HEADING.match(line):
            stops.append((number, len(match["marks"])))
    if begun:
        raise CardError(
            f"{name}:{begun[1] + 1}: block '{begun[0]}' does not end; add <!-- curate:end {begun[0]} --> behind it"
        )
    layout.questions = list(_questions(asked, stops, lines))
    _check_once(layout, name)
    return layout


def _front(lines: list[str]) -> tuple[int, int] | None:
    if not lines or not _RULE.fullmatch(lines[0].removeprefix("\ufeff")):
        return None
    ends = (number for number, line in enumerate(lines[1:], start=1) if _RULE.fullmatch(line))
    end = next(ends, None)
    return None if end is None else (1, end)


def _plain_lines(lines: list[str], start: int) -> Iterator[tuple[int, str]]:
    """Lines that are not in a fenced code block (CommonMark 0.31, section 4.5), with their numbers from 0."""
    fence = ""
    for number in range(start, len(lines)):
        match = _FENCE.match(lines[number])
        if fence:
            if match and match["mark"].startswith(fence) and not match["info"].strip():
                fence = ""
        elif match and not (match["mark"][0] == "`" and "`" in match["info"]):
            fence = match["mark"]
        else:
            yield number, lines[number]


def _questions(asked: list[tuple[str, str, int]], stops: list[tuple[int, int]], lines: list[str]) -> Iterator[Question]:
    """An answer ends at a heading as high as the one that the question stands under, or at the next marker.

    Headings right in front of that marker belong to it.
    """
    headings = {number for number, level in stops if level}
    for name, text, line in asked:
        level = next((level for number, level in reversed(stops) if number < line and level), 6)
        behind = (number for number, other in stops if number > line and other <= level)
        end = next(behind, len(lines))
        while end > line + 1 and (not lines[end - 1].strip() or end - 1 in headings):
            end -= 1
        yield Question(name, text, line + 1, end, line + 1)


def _check_once(layout: Layout, name: str) -> None:
    seen: dict[str, int] = {}
    for kind, parts in (("block", layout.blocks), ("question", layout.questions)):
        seen.clear()
        for part in parts:
            line = part.start + (1 if kind == "block" else 0)
            if part.id in seen:
                raise CardError(
                    f"{name}:{line}: {kind} '{part.id}' is there already in line {seen[part.id]}; remove one"
                )
            seen[part.id] = line
