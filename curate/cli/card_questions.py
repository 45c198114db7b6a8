"""`curate card --check` and `--ask`: what a card lacks, and asking for it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from curate.cli.output import Output, printable, whoever_reads

if TYPE_CHECKING:
    from curate.card.facts import Facts
    from curate.card.place import Place
    from curate.dataset.dataset import Dataset


def check_card(out: Output, place: Place, data: Dataset | None, purpose: str, hub: Path | None) -> int:
    """Say what is wrong with a card; 1 where there are errors."""
    from rich.table import Table
    from rich.text import Text

    from curate.card.check import check
    from curate.cli.summary import shown

    found = check(place, data, purpose, hub)
    errors = sum(finding.level == "error" for finding in found)
    told = {"card": place.card.as_posix(), "for": purpose, "ok": not errors, "findings": [f.as_dict() for f in found]}
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for finding in found:
        style = "red" if finding.level == "error" else "yellow"
        table.add_row(
            Text(finding.level, style=style), Text(printable(finding.place)), Text(printable(finding.message))
        )
    verdict = f"{errors} error{'s' if errors > 1 else ''}" if errors else "passes"
    with whoever_reads():
        if out.as_json:
            out.json(told)
        if found:
            out.print(table)
        out.print(f"{shown(place.card)} for {purpose}: {verdict}")
    return 1 if errors else 0


def ask(out: Output, place: Place, facts: Facts | None = None) -> int:
    """Ask the open questions; an empty answer leaves one open."""
    import sys

    from curate.card.answers import answer, answers
    from curate.card.layout import parse
    from curate.card.place import read, read_facts
    from curate.dataset.files import write_bytes
    from curate.errors import UsageError

    if sys.stdin is None or not sys.stdin.isatty():
        raise UsageError(f"--ask needs a terminal; write the answers into {place.card} instead")
    facts = facts or read_facts(place)
    layout = parse(read(place.card), place.card.name)
    open_ones = [question for question in layout.questions if question.id not in answers(layout)]
    for number, question in enumerate(open_ones, start=1):
        out.talk(f"\n{number} of {len(open_ones)}  {question.id}\n{question.text}")
        if question.id == "decisions" and facts is not None:
            out.talk(
                "\n".join(
                    f"  {step.step}: dropped {step.dropped:,} of {step.rows_in:,}" for step in facts.lineage.steps
                )
            )
        out.talk("(end with an empty line; nothing leaves it open)")
        lines = _typed()
        if lines:
            text = answer(read(place.card), place.card.name, question.id, "\n".join(lines))
            write_bytes(place.card, text.encode())
            out.talk("saved")
    out.hint("curate card DATASET   (takes the answers over into Croissant)")
    return 0


def _typed() -> list[str]:
    import sys

    lines: list[str] = []
    while line := sys.stdin.readline():
        if not line.strip():
            break
        lines.append(line.rstrip("\r\n"))
    return lines
