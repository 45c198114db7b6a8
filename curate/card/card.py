"""A card on disk: made, brought up to date, answered. Three files lie beside each other and are written together."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from curate.card import front_matter
from curate.card.blocks import blocks
from curate.card.croissant import croissant
from curate.card.facts import VERSION, Facts, Score
from curate.card.hub import size_category
from curate.card.layout import OPEN, CardError, Layout, parse
from curate.card.measure import carry_over, measure
from curate.card.merge import merge
from curate.dataset.dataset import Dataset, steps
from curate.dataset.files import read_json, write_bytes

_NAME = re.compile(r"[^\w.-]+")
_MARKER = re.compile(r" {0,3}(#{1,6}(\s|$)|<!-- curate:|```|~~~)")


@dataclass(frozen=True)
class Place:
    """Where a card is."""

    folder: Path
    name: str

    @property
    def card(self) -> Path:
        """The card itself, a person's."""
        return self.folder / f"{self.name}.md"

    @property
    def facts(self) -> Path:
        """What was measured."""
        return self.folder / f"{self.name}.facts.json"

    @property
    def croissant(self) -> Path:
        """Croissant; never edited by hand."""
        return self.folder / f"{self.name}.croissant.json"


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


def place_of(data: Dataset, folder: Path, name: str | None = None) -> Place:
    """Where a dataset's card is: named after the run's folder (with the step where it is not the last) or the file."""
    if name is None:
        path = (data.run or data.folder).resolve()
        name = path.stem if path.is_file() else path.name
        if data.run is not None and data.step is not None and data.step != steps(data.run)[-1]:
            name = f"{name}-{data.step.name.partition('-')[2]}"
    return Place(folder, _NAME.sub("-", str(name)).strip("-") or "dataset")


def read(path: Path) -> str:
    """Read a card as it is, line ends included.

    Raises:
        CardError: there is none, or it is not UTF-8.
    """
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise CardError(f"there is no card {path}; `curate card DATASET` makes one") from None
    except (OSError, UnicodeDecodeError) as error:
        raise CardError(f"cannot read {path}: {error}") from error


def read_facts(place: Place) -> Facts | None:
    """The facts as they were written; None where there are none, or they are of another version or damaged."""
    value = read_json(place.facts)
    if value is None:
        return None
    try:
        return Facts.model_validate(value)
    except ValidationError:
        return None


def answers(layout: Layout) -> dict[str, str]:
    """What a person answered, by question."""
    found = ((question.id, layout.answer(question)) for question in layout.questions)
    return {name: words for name, words in found if words is not None}


def metadata(layout: Layout, name: str) -> dict[str, Any]:
    """The values of a card's front matter."""
    start, end = layout.front or (0, 0)
    return front_matter.load(layout.lines[start:end], name)


def update(
    data: Dataset,
    shown: str,
    place: Place,
    *,
    edits: str = "refuse",
    scores: Sequence[Score] = (),
    pictures: bool = True,
    backup: bool = False,
) -> Update:
    """Make a card, or bring its blocks up to date.

    Args:
        data: What is measured.
        shown: What the card calls the place of the dataset; no absolute path.
        place: Where the card is.
        edits: What happens to blocks that a person edited: `refuse`, `overwrite` or `move`.
        scores: Results of evaluations; without any those of the card before stay.
        pictures: Whether to open every picture file.
        backup: Whether to keep the card as it was as `NAME.md.bak`.

    Raises:
        CardError: the card cannot be merged; nothing was written.
        InputError: the dataset cannot be read.
    """
    created = not place.card.exists()
    text = _template(place) if created else read(place.card)
    before = read_facts(place)
    layout = parse(text, place.card.name)
    facts = carry_over(measure(data, place.name, pictures), before.model_dump() if before else None)
    facts.evaluation = list(scores) or (before.evaluation if before else [])
    told = answers(layout)
    counted = (len(told), len(layout.questions))
    merged = merge(
        text,
        place.card.name,
        _owned(facts, shown, place),
        _suggested(facts, place),
        blocks(facts, counted),
        before.blocks if before else {},
        edits,
        blocks(before, counted) if before else None,
    )
    facts.blocks = merged.blocks
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
    unanswered = [question.id for question in layout.questions if question.id not in told]
    return Update(place, facts, created, merged.changed, merged.absent, sorted(told), unanswered)


def as_json(value: Any) -> str:
    """JSON as all files of a card have it."""
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


def _template(place: Place) -> str:
    """A new card: the team's template where there is one, else ours."""
    own = place.folder / "_template.md"
    text = read(own) if own.exists() else (files("curate.card") / "template.md").read_text("utf-8")
    return text.replace("{name}", place.name)


def _owned(facts: Facts, shown: str, place: Place) -> dict[str, Any]:
    splits = [split.name or "unsplit" for split in facts.splits]
    entries = [{"split": split, "path": f"data/{split}-*.parquet"} for split in splits]
    return {
        "size_categories": [size_category(facts.rows)],
        "configs": [{"config_name": "default", "data_files": entries}],
        "curate": {
            "card_schema": VERSION,
            "dataset": shown,
            "fingerprint": facts.fingerprint,
            "facts": place.facts.name,
        },
    }


def _suggested(facts: Facts, place: Place) -> dict[str, Any]:
    """What the facts alone tell, set once where the card says nothing; never a licence."""
    tasks = ["image-text-to-text", "image-to-text"] if facts.images.uses else ["text-generation"]
    if facts.labels.labelled:
        tasks.insert(0, "text-classification")
    suggested: dict[str, Any] = {
        "pretty_name": place.name,
        "tags": ["image", "text"] if facts.images.uses else ["text"],
        "task_categories": tasks,
    }
    if facts.text.language:
        suggested["language"] = [facts.text.language]
    if facts.labels.sources and set(facts.labels.sources) == {"pseudo"}:
        suggested["annotations_creators"] = ["machine-generated"]
    return suggested


def answer(text: str, name: str, question: str, words: str) -> str:
    """Put a person's words under a question; nothing else changes.

    Raises:
        CardError: the card has no such question.
    """
    layout = parse(text, name)
    found = next((one for one in layout.questions if one.id == question), None)
    if found is None:
        raise CardError(f"{name} has no question '{question}'")
    lines = [
        (f"\\{line}" if _MARKER.match(line) else line) + layout.newline for line in words.strip().splitlines()
    ] or [OPEN + layout.newline]
    return "".join([*layout.lines[: found.start], *lines, *layout.lines[found.end :]])


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
        raise CardError(f"{name} is not what `curate evaluate --json` prints: {error} is not as expected") from error
