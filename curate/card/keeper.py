"""A run brings its card up to date: the one that its recipe names, or the one that it has in `data_cards/`."""

from __future__ import annotations

from pathlib import Path

from pyarrow import ArrowException

from curate.card.answers import metadata
from curate.card.card import Update, update
from curate.card.layout import CardError, parse
from curate.card.merge import body_hash
from curate.card.place import Place, read, read_facts
from curate.dataset.dataset import Dataset
from curate.errors import CurateError, UsageError
from curate.pipeline.afterwards import Afterwards, Said


class CardKeeper(Afterwards[Path]):
    """Keeps the card at a path; it is made where there is none."""

    @property
    def place(self) -> Place:
        """Where the card is."""
        return Place(self.asked.parent, self.asked.name.removesuffix(".md"))

    def check(self) -> None:
        """Make sure that the card is one, and that no block in it was edited by hand."""
        if self.asked.suffix != ".md":
            raise UsageError(f"card: {self.asked.name} must end in .md")
        if not self.asked.exists():
            return
        name = self.asked.name
        layout, facts = parse(read(self.asked), name), read_facts(self.place)
        metadata(layout, name)
        for block in layout.blocks:
            written = facts.blocks.get(block.id) if facts else None
            if written not in (None, body_hash(layout.inside(block))):
                raise CardError(
                    f"{name}:{block.start + 1}: block '{block.id}' was edited by hand; "
                    "`curate card DATASET --move-edits` puts the lines below it"
                )

    def do(self, run: Path) -> Said:
        """Measure the run, unless nothing has changed, and write the card."""
        done = update(Dataset.open(run), run.name if run.is_absolute() else run.as_posix(), self.place, checked=True)
        return _said(self.asked.name, done)


def _said(name: str, done: Update) -> Said:
    did = "made" if done.created else f"changed {', '.join(done.changed)}" if done.changed else "is up to date"
    asked = len(done.answered) + len(done.open)
    return Said("card", f"card {name}  {did}; {len(done.answered)} of {asked} answered", True, done.as_dict())


def keep(data: Dataset, shown: str, place: Place, *, make: bool) -> Said | None:
    """Bring the card of a run up to date without being told to; give None where it has none.

    A card that says that it is another dataset's is left alone. What goes wrong is told, not raised: the rows are
    done, and nobody asked for the card.

    Args:
        data: A run whose manifests tell the truth: it was just run, or is read by their word.
        shown: What cards call it: its path from here.
        place: Where its card is.
        make: Whether to make a card where there is none.
    """
    try:
        if not place.card.exists():
            if not make:
                return None
        elif _dataset_of(place) != shown:
            return None
        return _said(place.card.as_posix(), update(data, shown, place, checked=True))
    except (CurateError, OSError, ArrowException) as error:
        line = f"card {place.card.as_posix()}  was not brought up to date: {error}"
        return Said("card", line, True, {"card": place.card.as_posix(), "error": str(error)})


def _dataset_of(place: Place) -> str | None:
    """What a card says that it is of; None where nobody measured it."""
    owned = metadata(parse(read(place.card), place.card.name), place.card.name).get("curate")
    return str(owned.get("dataset")) if isinstance(owned, dict) else None
