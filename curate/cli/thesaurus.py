"""`curate thesaurus`: write a table of synonyms, or ask what may stand for a word."""

from __future__ import annotations

from pathlib import Path

import click

from curate.cli.output import Output, common, spare


@click.group("thesaurus")
def command() -> None:
    """Write a table of synonyms for `curate augment-text --table`, or ask what may stand for a word.

    Both commands take --json, --quiet and --debug.

    \b
    Examples:
      curate thesaurus show 发货 什么时候
      curate thesaurus export --from lexicon mine.tsv
    """


@command.command("show")
@click.argument("words", nargs=-1, required=True)
@click.option("--table", type=click.Path(path_type=Path), help="Your own table, over the shipped lexicon.")
@common
def show(out: Output, words: tuple[str, ...], table: Path | None) -> int:
    """Print what may stand for each of WORDS.

    \b
    Example:
      curate thesaurus show 发货 什么时候
    """
    from curate.augment.thesaurus import make_thesaurus

    thesaurus = make_thesaurus("table" if table else "lexicon", table)
    found = {word: thesaurus.nearby(word, 20) for word in words}
    if out.as_json:
        out.json(found)
    for word, near in found.items():
        out.print(f"{word}  {' '.join(other for other, _ in near) or 'nothing'}")
    return 0


@command.command("export")
@click.option("--from", "source", type=click.Choice(["lexicon", "synonyms"]), required=True, help="Where from.")
@click.option(
    "--words",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="File with one word a line; needed for synonyms.",
)
@click.option("--number", type=click.IntRange(min=1), default=5, show_default=True, help="Neighbours of each word.")
@click.option("--least", type=float, default=0.7, show_default=True, help="Score a neighbour must have.")
@click.argument("table", type=click.Path(path_type=Path))
@common
def export(out: Output, source: str, words: Path | None, number: int, least: float, table: Path) -> int:
    """Write a TSV of word, synonym and score: from the shipped lexicon, to edit, or from the package `synonyms`.

    The package runs in a process of its own; it needs the extra `synonyms` and word vectors or a licence id.
    Its neighbours are not all synonyms: read the table before you use it.

    \b
    Examples:
      curate thesaurus export --from lexicon mine.tsv
      curate thesaurus export --from synonyms --words words.txt vectors.tsv
    """
    if source == "lexicon":
        from curate.augment.thesaurus import Lexicon
        from curate.dataset.files import write_bytes

        groups = Lexicon.shipped().groups
        lines = [
            f"{word}\t{other}\t1\n"
            for group in groups
            for word in group.sources
            for other in group.words
            if other != word
        ]
        write_bytes(table, "".join(lines).encode("utf-8"))
        number_written = len(lines)
    else:
        from curate.augment.export_thesaurus import export_synonyms

        if words is None:
            raise click.UsageError("--words FILE is missing: the words to ask for, one a line")
        spare("TABLE", table, words)
        asked = [line.strip() for line in words.read_text("utf-8-sig").splitlines() if line.strip()]
        number_written = export_synonyms(asked, table, number, least)
    if out.as_json:
        out.json({"table": str(table), "lines": number_written})
    out.talk(f"{number_written:,} lines in {table}")
    out.hint(f"curate augment-text IN OUT --table {table}")
    return 0
