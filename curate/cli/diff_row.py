"""One row of a diff in a terminal, and what classes of change are called there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from curate.cli.output import Output, printable
from curate.diff.said import SAID, in_short

if TYPE_CHECKING:
    from curate.diff.sample import Change, RowSample


def row_text(out: Output, row: RowSample) -> None:
    """Print one row whole."""
    out.print(Group(*_whole_row(row)))


def _whole_row(row: RowSample) -> Iterator[Text]:
    match = f", matched by {row.match.by}" if row.match else ""
    yield Text.assemble((printable(row.uid), "bold"), printable(f"  {row.source_id or ''}  {row.status}{match}"))
    for reason in row.reasons:
        value = f" ({reason.metric} {reason.value:g})" if reason.metric and reason.value is not None else ""
        detail = f": {reason.detail}" if reason.detail else ""
        yield Text(printable(f"  {reason.stage}  {reason.action}  {reason.code}{value}{detail}"), style="dim")
    yield from list(row_lines(row, None))[1:]
    if row.status == "same":
        yield Text("    no difference")
    for one in row.content:
        yield Text.assemble((f"    {printable(one.path)}  ", "dim"), printable(one.text))
    for pair in row.images:
        if pair.change != "same":
            facts = (("SSIM", pair.ssim), ("PSNR", pair.psnr), ("IoU", pair.iou), ("CER", pair.cer))
            told = ", ".join(f"{name} {value:g}" for name, value in facts if value is not None)
            shown = pair.after or pair.before
            name = shown.path if shown else ""
            yield Text(printable(f"    {pair.path}  {SAID.get(pair.change, pair.change)}  {name}  {told}".rstrip()))


def row_lines(row: RowSample, most: int | None) -> Iterator[Text]:
    """A row's name and its changes, at most so many."""
    facets = "  ".join(f"{name} {row.facets[name]}" for name in ("label", "split") if name in row.facets)
    yield Text.assemble(("  " + printable(row.uid), "bold"), printable(f"  {row.source_id or ''}  {facets}").rstrip())
    changes = row.changes[:most]
    for one in changes:
        line = Text(f"    {printable(one.path)}  ", style="dim")
        line.append(f"{SAID.get(one.change, one.change)}  ", "cyan")
        yield line.append_text(change_text(one))
    hidden = len(row.changes) - len(changes) + row.more_changes
    if hidden:
        yield Text(f"    {hidden:,} more changes", style="dim")


def change_text(change: Change) -> Text:
    """A change in one line; where colours fail, signs tell what went and came."""
    if not change.segments:
        return Text(printable(f"{in_short(change.before)} → {in_short(change.after)}"))
    line = Text()
    for one in change.segments:
        shown = printable(one.text)
        if one.kind == "gap":
            line.append(f"…{one.characters:,}…", "dim")
        elif one.kind == "same":
            line.append(shown)
        else:
            line.append(
                f"[-{shown}-]" if one.kind == "out" else f"{{+{shown}+}}", "red" if one.kind == "out" else "green"
            )
    return line
