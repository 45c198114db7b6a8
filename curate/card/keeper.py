"""The recipe's key `card`: a run brings its card up to date."""

from __future__ import annotations

from pathlib import Path

from curate.card.answers import metadata
from curate.card.card import update
from curate.card.layout import CardError, parse
from curate.card.merge import body_hash
from curate.card.place import Place, read, read_facts
from curate.dataset.dataset import Dataset
from curate.errors import UsageError
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
        """Measure the run and write the card."""
        done = update(Dataset.open(run), run.name if run.is_absolute() else run.as_posix(), self.place)
        did = "made" if done.created else f"changed {', '.join(done.changed)}" if done.changed else "is up to date"
        asked = len(done.answered) + len(done.open)
        return Said(
            "card", f"card {self.asked.name}  {did}; {len(done.answered)} of {asked} answered", True, done.as_dict()
        )
