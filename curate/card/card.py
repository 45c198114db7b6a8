"""A card on disk: made, brought up to date, answered. Three files lie beside each other and are written together."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from curate.card.answers import answers, metadata
from curate.card.blocks import blocks
from curate.card.croissant import croissant
from curate.card.facts import Facts, Score
from curate.card.head import owned, suggested
from curate.card.layout import CardError, parse
from curate.card.measure import carry_over, measure, still_true
from curate.card.merge import body_hash, merge
from curate.card.place import Place, read, read_facts
from curate.dataset.dataset import Dataset
from curate.dataset.files import write_bytes


@dataclass
class Update:
    """What came of bringing a card up to date."""

    place: Place
    facts: Facts
    created: bool
    changed: list[str]
    absent: list[str]
    answered: list[str]
    open: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """For `--json` and the manifest of a run."""
        return {
            "card": self.place.card.as_posix(),
            "created": self.created,
            "changed": self.changed,
            "absent": self.absent,
            "answered": self.answered,
            "open": self.open,
            "fingerprint": self.facts.fingerprint,
        }


def update(
    data: Dataset,
    shown: str,
    place: Place,
    *,
    edits: str = "refuse",
    scores: Sequence[Score] = (),
    pictures: bool = True,
    tokenizer: Path | None = None,
    backup: bool = False,
    checked: bool = False,
) -> Update:
    """Make a card, or bring its blocks up to date.

    Args:
        data: What is measured.
        shown: What the card calls the place of the dataset; no absolute path.
        place: Where the card is.
        edits: What happens to blocks that a person edited: `refuse`, `overwrite` or `move`.
        scores: Results of evaluations; without any those of the card before stay.
        pictures: Whether to open every picture file.
        tokenizer: Counts tokens, as for `measure`.
        backup: Whether to keep the card as it was as `NAME.md.bak`.
        checked: Whether a run has just compared its files with its manifests: then facts of the same manifests are
            taken as they are, and no row is read.

    Raises:
        CardError: the card cannot be merged; nothing was written.
        InputError: the dataset cannot be read.
    """
    created = not place.card.exists()
    text = _template(place) if created else read(place.card)
    before = read_facts(place)
    layout = parse(text, place.card.name)
    told = answers(layout)
    unanswered = [question.id for question in layout.questions if question.id not in told]
    if checked and before is not None and still_true(before, data, place.name):
        if before.written == body_hash(text) and place.croissant.exists():
            return Update(place, before, False, [], [], sorted(told), unanswered)
        facts = before.model_copy()
    else:
        facts = carry_over(measure(data, place.name, pictures, tokenizer), before.model_dump() if before else None)
    facts.evaluation = list(scores) or (before.evaluation if before else [])
    counted = (len(told), len(layout.questions))
    merged = merge(
        text,
        place.card.name,
        owned(facts, shown, place),
        suggested(facts, place),
        blocks(facts, counted),
        before.blocks if before else {},
        edits,
        blocks(before, counted) if before else None,
    )
    facts.blocks, facts.written = merged.blocks, body_hash(merged.text)
    document = croissant(facts, metadata(parse(merged.text, place.card.name), place.card.name), told)
    if backup and not created:
        write_bytes(place.card.with_name(f"{place.card.name}.bak"), text.encode())
    for path, content in (
        (place.facts, as_json(facts.model_dump(mode="json"))),
        (place.croissant, as_json(document)),
        (place.card, merged.text),
    ):
        if not path.exists() or path.read_bytes() != content.encode():
            write_bytes(path, content.encode())
    return Update(place, facts, created, merged.changed, merged.absent, sorted(told), unanswered)


def as_json(value: Any) -> str:
    """JSON as all files of a card have it."""
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


def _template(place: Place) -> str:
    """A new card: the team's template where there is one, else ours."""
    own = place.folder / "_template.md"
    text = read(own) if own.exists() else (files("curate.card") / "template.md").read_text("utf-8")
    return text.replace("{name}", place.name)


def score(name: str, report: Mapping[str, Any]) -> Score:
    """Take what a card tells out of what `curate evaluate --json` printed.

    Raises:
        CardError: it is something else.
    """
    try:
        overall = report["overall"]
        low, high = overall["f1_interval"]
        return Score(
            name=name,
            rows=overall["rows"],
            signature=report["signature"],
            f1=overall["f1"],
            f1_low=low,
            f1_high=high,
            accuracy=overall["accuracy"],
            macro_f1=overall["macro_f1"],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise CardError(
            f"--evaluation {name} is not what `curate evaluate --json` prints, an object with `overall` and `signature`"
        ) from error
