"""`curate card`: make a data card, bring it up to date, check it, answer its questions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from curate.cli.output import Output, common, whoever_reads

if TYPE_CHECKING:
    from curate.card.card import Update
    from curate.card.facts import Facts


class _Unnamed(click.Context):
    """The context of `curate card DATASET`, a command that nobody names."""

    @property
    def command_path(self) -> str:
        """What was typed: `curate card`."""
        return super().command_path.rstrip()


class _Update(click.Command):
    context_class = _Unnamed


class _WithDefault(click.Group):
    """`curate card DATASET` without a word between."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Take what is no subcommand for a dataset."""
        if args and args[0] not in self.commands:
            return None, update_command, args
        return super().resolve_command(ctx, args)


@click.group(
    "card",
    cls=_WithDefault,
    no_args_is_help=True,
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
def command() -> None:
    """Measure a dataset and keep its data card: `curate card DATASET`.

    The card is Markdown that a person owns; only blocks between markers, and three keys at its head, are written by
    curate. Facts (JSON) and Croissant lie beside it. `curate card DATASET --help` lists the options; `card diff` and
    `card ls` compare and list cards. All take --json, --quiet and --debug.

    \b
    Examples:
      curate card work/demo
      curate card work/demo --check --for hub
      curate card work/demo --ask
      curate card diff data_cards/v1.md data_cards/v2.md
      curate card ls
    """


@click.command("card", cls=_Update)
@click.argument("dataset", type=click.Path(path_type=Path))
@click.option(
    "--cards",
    "folder",
    default="data_cards",
    show_default=True,
    type=click.Path(path_type=Path),
    help="Folder of the cards.",
)
@click.option("--name", help="Name of the card.  [default: the folder's]")
@click.option("--check", "checked", is_flag=True, help="Write nothing; exit 1 if the card is stale or not complete.")
@click.option(
    "--for",
    "purpose",
    type=click.Choice(["internal", "hub", "neurips"]),
    help="What --check requires.  [default: internal]",
)
@click.option("--ask", is_flag=True, help="Ask the open questions, one after the other; each answer is saved at once.")
@click.option("--force", is_flag=True, help="Write over blocks that were edited by hand.")
@click.option("--move-edits", is_flag=True, help="Put lines that were written into blocks below them.")
@click.option(
    "--evaluation",
    multiple=True,
    type=click.Path(path_type=Path),
    help="What `curate evaluate --json` printed; repeat for more.",
)
@click.option(
    "--hub",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Also write a folder for the Hugging Face Hub: rows by split, pictures, card and Croissant.",
)
@click.option("--no-pictures", is_flag=True, help="Do not open the picture files.")
@click.option(
    "--tokenizer",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Count tokens with a model's tokenizer.json.  [default: that of the recipe's exports]",
)
@click.option("--backup", is_flag=True, help="Keep the card as it was as NAME.md.bak.")
@common
def update_command(
    out: Output,
    dataset: Path,
    folder: Path,
    name: str | None,
    checked: bool,
    purpose: str | None,
    ask: bool,
    force: bool,
    move_edits: bool,
    evaluation: tuple[Path, ...],
    hub: Path | None,
    no_pictures: bool,
    tokenizer: Path | None,
    backup: bool,
) -> int:
    """Make or update the card of DATASET (a run, RUN@STEP, or Parquet files of records).

    With --check DATASET may be a card (.md) whose data are not here. With --json the facts are printed.

    \b
    Examples:
      curate card work/demo
      curate card work/demo --check --for neurips
    """
    from curate.card.card import score, update
    from curate.card.place import Place, place_of
    from curate.cli.card_hub import write_hub
    from curate.cli.card_questions import ask as ask_questions
    from curate.cli.card_questions import check_card
    from curate.cli.summary import as_written
    from curate.dataset.dataset import Dataset
    from curate.dataset.files import read_json

    if checked and (ask or force or move_edits or backup or evaluation):
        raise click.UsageError("--check writes nothing; --ask, --force, --move-edits, --backup, --evaluation do")
    if force and move_edits:
        raise click.UsageError("--force drops edited lines and --move-edits keeps them; give one of the two")
    if purpose and not checked:
        raise click.UsageError(f"--for {purpose} says what --check requires; give --check too")
    purpose = purpose or "internal"
    if dataset.suffix == ".md":
        place = Place(dataset.parent, dataset.name.removesuffix(".md"))
        if not (checked or ask):
            raise click.UsageError(f"{dataset} is a card; name its dataset, or say --check or --ask")
        return check_card(out, place, None, purpose, hub) if checked else ask_questions(out, place)
    data = Dataset.open(dataset)
    place = place_of(data, folder, name)
    if checked:
        return check_card(out, place, data, purpose, hub)
    done = update(
        data,
        as_written(dataset),
        place,
        edits="overwrite" if force else "move" if move_edits else "refuse",
        scores=[score(path.stem, read_json(path) or {}) for path in evaluation],
        pictures=not no_pictures,
        tokenizer=tokenizer,
        backup=backup,
    )
    if hub is not None:
        write_hub(out, data, place, hub)
    if out.as_json:
        out.json(done.facts.model_dump(mode="json"))
    else:
        with whoever_reads():
            _tell(out, done)
    return ask_questions(out, place, done.facts) if ask else 0


def _tell(out: Output, done: Update) -> None:
    from curate.cli.summary import shown

    place = shown(done.place.card)
    did = "made" if done.created else f"changed: {', '.join(done.changed)}" if done.changed else "is up to date"
    out.print(f"{place}  {did}")
    facts = done.facts
    out.print(
        f"  {facts.rows:,} rows, {len(done.answered)} of {len(done.answered) + len(done.open)} questions answered"
        + (f"; open: {', '.join(done.open)}" if done.open else "")
    )
    if done.absent:
        out.talk(
            f"note: not in the card, and so not written: {', '.join(done.absent)}; a block is two lines, "
            f"<!-- curate:begin {done.absent[0]} --> and <!-- curate:end {done.absent[0]} -->"
        )
    if done.open:
        out.hint("answer in the card, or with --ask")


@command.command("diff", short_help="compare the facts of two cards")
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", type=click.Path(path_type=Path))
@common
def diff_command(out: Output, before: Path, after: Path) -> None:
    """Compare the facts of two cards (NAME.md or NAME.facts.json): what was measured otherwise.

    \b
    Example:
      curate card diff old/demo.md data_cards/demo.md
    """
    from curate.card.compare import differences
    from curate.cli.ls import table

    found = differences(_facts_of(before), _facts_of(after))
    rows: list[dict[str, Any]] = [one.as_dict() for one in found]
    if out.as_json:
        out.json({"before": before.as_posix(), "after": after.as_posix(), "differences": rows})
    elif rows:
        table(out, [{key: _short(value) for key, value in row.items()} for row in rows], ("fact", "before", "after"))
    else:
        out.print("the facts are the same")


def _short(value: Any) -> str:
    text = "" if value is None else f"{value:,}" if isinstance(value, (int, float)) else str(value)
    return text if len(text) <= 60 else f"{text[:59]}…"


def _facts_of(path: Path) -> Facts:
    from curate.card.place import Place, read_facts
    from curate.errors import InputError

    name = path.name.removesuffix(".facts.json").removesuffix(".md")
    facts = read_facts(Place(path.parent, name))
    if facts is None:
        raise InputError(f"there are no facts beside {path}; `curate card DATASET` measures them")
    return facts


@command.command("ls", short_help="list the cards of a folder, stale ones too")
@click.argument("folder", default="data_cards", type=click.Path(path_type=Path))
@common
def list_command(out: Output, folder: Path) -> None:
    """List the cards of FOLDER (default data_cards): rows, answers, licence, and whether they are stale.

    \b
    Example:
      curate card ls
    """
    from curate.card.listing import cards
    from curate.cli.ls import table

    rows = cards(folder)
    if out.as_json:
        out.json(rows)
    elif rows:
        table(out, rows, ("card", "rows", "answered", "state", "licence"))
    else:
        out.talk(f"no cards in {folder}")
