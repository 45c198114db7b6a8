"""Puts new facts into a card and leaves every byte of a person's alone."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from curate.card import front_matter
from curate.card.layout import Block, CardError, Layout, parse, split_lines


@dataclass
class Merged:
    """The new text of a card, and what a person should hear."""

    text: str
    blocks: dict[str, str]
    """Hash of each block as it was written, so that a later edit inside one is noticed."""
    changed: list[str] = field(default_factory=list)
    """Blocks and keys that are not as they were."""
    absent: list[str] = field(default_factory=list)
    """Blocks that the card does not have: a person removed them, and so they stay away."""


def body_hash(body: str) -> str:
    """Name of a block's content, 16 hexadecimal characters."""
    return hashlib.sha256(body.strip("\n").encode()).hexdigest()[:16]


def merge(
    text: str,
    name: str,
    owned: Mapping[str, Any],
    suggested: Mapping[str, Any],
    blocks: Mapping[str, str],
    written: Mapping[str, str],
    edits: str = "refuse",
    old: Mapping[str, str] | None = None,
) -> Merged:
    """Write blocks and keys into a card.

    Args:
        text: The card as it is.
        name: What messages call it.
        owned: Keys of the front matter that are set each time.
        suggested: Keys that are set only where the card has none.
        blocks: Content of each block.
        written: Hash of each block as curate last wrote it.
        edits: What to do with a block that a person edited: `refuse`, `overwrite`, or `move` their lines below it.
        old: Content of the blocks as curate last wrote them, to find the person's lines; what is missing is empty.

    Raises:
        CardError: markers do not pair, the front matter is not YAML, or a block was edited by hand.
    """
    layout = parse(text, name)
    merged = Merged("", {})
    pieces: list[str] = []
    done = layout.body
    for block in layout.blocks:
        pieces += layout.lines[done : block.start]
        done = block.end
        pieces += _block(layout, block, name, blocks, written, edits, old or {}, merged)
    pieces += layout.lines[done:]
    head = _head(layout, name, owned, suggested, merged)
    merged.text = "".join([*head, *pieces])
    merged.absent = [block for block in blocks if block not in {one.id for one in layout.blocks}]
    return merged


def _block(
    layout: Layout,
    block: Block,
    name: str,
    blocks: Mapping[str, str],
    written: Mapping[str, str],
    edits: str,
    old: Mapping[str, str],
    merged: Merged,
) -> list[str]:
    """The lines of one block, markers included, and the person's lines below it where they are moved."""
    lines = layout.lines[block.start : block.end]
    if block.id not in blocks:
        return lines
    before, after = layout.inside(block).strip("\n"), blocks[block.id].strip("\n")
    below: list[str] = []
    if block.id in written and body_hash(before) != written[block.id] and before != after and edits != "overwrite":
        theirs = _added(old.get(block.id, after), before)
        if edits == "refuse":
            raise CardError(_edited(layout, block, name, theirs))
        below = [layout.newline, *(line + layout.newline for line in theirs)]
    merged.blocks[block.id] = body_hash(after)
    if before == after:
        return lines
    merged.changed.append(block.id)
    body = [line.rstrip("\n") + layout.newline for line in split_lines(after)]
    return [lines[0], *body, lines[-1], *below]


def _added(before: str, after: str) -> list[str]:
    """Lines that are in `after` and not in `before`."""
    return [line[2:] for line in difflib.ndiff(before.split("\n"), after.split("\n")) if line.startswith("+ ")]


def _edited(layout: Layout, block: Block, name: str, theirs: list[str]) -> str:
    shown = "\n".join(f"    + {line}" for line in theirs[:8]) or "    (lines were taken out)"
    more = f"\n    … and {len(theirs) - 8} more" if len(theirs) > 8 else ""
    return (
        f"{name}:{block.start + 1}: block '{block.id}' was edited by hand, and its content would be lost:\n"
        f"{shown}{more}\n"
        "--move-edits puts these lines below the block; --force drops them"
    )


def _head(
    layout: Layout, name: str, owned: Mapping[str, Any], suggested: Mapping[str, Any], merged: Merged
) -> list[str]:
    """The lines up to the body, with the keys set."""
    start, end = layout.front or (0, 0)
    lines = layout.lines[start:end]
    values = front_matter.load(lines, name)
    wanted = {**{key: value for key, value in suggested.items() if key not in values}, **owned}
    merged.changed += [key for key, value in wanted.items() if values.get(key) != value]
    new = front_matter.replace(lines, wanted, layout.newline)
    if front_matter.load(new, name) != {**values, **wanted}:
        raise CardError(f"{name}:2: the front matter is written in a way that cannot be changed line by line")
    if layout.front is None:
        return [f"---{layout.newline}", *new, f"---{layout.newline}"]
    return [*layout.lines[:start], *new, *layout.lines[end : layout.body]]
