"""`curate show`: a dataset or one record, readable in the terminal."""

from __future__ import annotations

import shlex
from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from curate.cli.output import Output, common, printable

if TYPE_CHECKING:
    import pyarrow as pa
    from rich.console import RenderableType

    from curate.dataset.dataset import Dataset
    from curate.records import Record

_ROLES = {"user": "bold cyan", "agent": "magenta", "system": "dim"}


@click.command("show")
@click.argument("dataset")
@click.argument("record", required=False)
@click.option("-n", "--rows", type=click.IntRange(min=0), help="Records to show of a dataset.  [default: 3]")
@common
def command(out: Output, dataset: str, record: str | None, rows: int | None) -> None:
    """Show DATASET (a run, RUN@STEP, or Parquet files), or one RECORD of it by uid, source id or number.

    \b
    Examples:
      curate show work/demo
      curate show work/demo@ocr 0
      curate show work/demo 2127e96c
    """
    from curate.dataset.dataset import Dataset

    if record is not None and rows is not None:
        raise click.UsageError("RECORD and --rows exclude each other: one record, or the first ones")
    rows = 3 if rows is None else rows
    data = Dataset.open(dataset)
    if record is not None:
        found = find_record(data, record)
        out.json(found.as_row()) if out.as_json else out.print(card(found), page=True)
        return
    facts = summary(data)
    if out.as_json:
        out.json(facts)
        return
    out.print(overview(data, facts))
    for number, one in enumerate(data):
        if number >= rows:
            break
        out.print(card(one), page=True)
    if facts["rows"] > rows:
        out.talk(f"{rows} of {facts['rows']:,} records; curate show {shlex.quote(dataset)} UID shows one")


def find_record(data: Dataset, wanted: str) -> Record:
    """Find a record by its uid, source id or number (fewer than 8 digits), or by the beginning of its uid or id.

    Raises:
        UsageError: there is none, or the beginning fits several.
    """
    import pyarrow.compute as pc

    from curate.errors import UsageError

    exact: list[int] = []
    begins: list[int] = []
    before = 0
    for batch in data.iter_batches(["uid", "source_id"]):
        one, two = batch["uid"], batch["source_id"]
        exact += _rows(pc.or_kleene(pc.equal(one, wanted), pc.equal(two, wanted)), before)
        begins += _rows(pc.or_kleene(pc.starts_with(one, wanted), pc.starts_with(two, wanted)), before)
        before += batch.num_rows
    hits = exact
    if not hits and wanted.isdecimal() and len(wanted) < 8 and int(wanted) < before:
        hits = [int(wanted)]
    hits = hits or begins
    if len(hits) != 1:
        what = (
            f"{len(hits)} records {'are called' if exact else 'begin with'} '{wanted}'; name one by its uid"
            if hits
            else f"there is no record '{wanted}'"
        )
        raise UsageError(f"{what} ({before:,} records)")
    return _record(data, hits[0])


def _rows(mask: pa.Array, before: int) -> list[int]:
    """The numbers of the rows that a mask marks, counted from the beginning of the dataset."""
    import pyarrow.compute as pc

    return [before + row for row in pc.indices_nonzero(pc.fill_null(mask, False)).to_pylist()]


def _record(data: Dataset, number: int) -> Record:
    import pyarrow as pa

    from curate.records import from_table

    for batch in data.iter_batches():
        if number < batch.num_rows:
            return next(from_table(pa.Table.from_batches([batch.slice(number, 1)])))
        number -= batch.num_rows
    raise AssertionError("the number was taken from the same files")


def summary(data: Dataset) -> dict[str, Any]:
    """Count what a dataset holds: rows, tasks, splits, labels, turns, pictures, pictures that were read."""
    counts: dict[str, Counter[str]] = {name: Counter() for name in ("task", "split", "label")}
    turns = pictures = read = rows = 0
    for batch in data.iter_batches(["task", "split", "label", "turns", "images"]):
        rows += batch.num_rows
        for name, counter in counts.items():
            counter.update(value or "none" for value in batch[name].to_pylist())
        turns += len(batch["turns"].flatten())
        images = batch["images"].flatten()
        pictures += len(images)
        read += len(images) - images.field("ocr").null_count if len(images) else 0
    by_name = {
        name: dict(sorted(counter.items(), key=lambda item: (-item[1], item[0]))) for name, counter in counts.items()
    }
    return {"rows": rows, "turns": turns, "pictures": pictures, "pictures_read": read, **by_name}


def overview(data: Dataset, facts: dict[str, Any]) -> RenderableType:
    """The facts of a dataset in a few lines."""
    from rich.console import Group
    from rich.text import Text

    lines = [
        Text.assemble(
            (printable(str(data.folder)), "bold"),
            f"   {facts['rows']:,} records, {facts['turns']:,} turns, {facts['pictures']:,} pictures",
        ),
        Text(f"  pictures read: {facts['pictures_read']:,}", style="dim"),
    ]
    for name in ("task", "split", "label"):
        values = facts[name]
        shown = ", ".join(f"{printable(value)} {number:,}" for value, number in list(values.items())[:12])
        more = f", … {len(values) - 12} more" if len(values) > 12 else ""
        lines.append(Text.assemble((f"  {name}: ", "dim"), shown + more))
    return Group(*lines)


def card(record: Record) -> RenderableType:
    """One record as a panel: the dialogue, then the text read in its pictures."""
    from rich.console import Group
    from rich.panel import Panel
    from rich.text import Text

    parts: list[RenderableType] = []
    for turn in record.turns:
        line = Text(f"{turn.role:<7}", style=_ROLES.get(turn.role, ""))
        text = printable(turn.text).replace("\n", "\n" + " " * 7)
        parts.append(line.append(text, style="" if turn.role == "user" else "dim"))
    for number, image in enumerate(record.images, start=1):
        size = f"{image.width}×{image.height}" if image.width else "?"
        parts.append(Text(f"picture {number}: {printable(image.path)}  {size} {image.format or ''}", style="yellow"))
        if image.ocr is not None:
            text = printable(image.ocr.text.replace("\n", " / "))
            parts.append(Text(f"  {text[:400]}{'…' if len(text) > 400 else ''}", style="dim"))
    title = Text.assemble((record.uid, "bold"), f"  {printable(record.source_id)}  {record.task}")
    tail = Text(
        " · ".join(part for part in (printable(record.label or "no label"), record.split or "no split") if part)
    )
    return Panel(Group(*parts), title=title, title_align="left", subtitle=tail, subtitle_align="right")
