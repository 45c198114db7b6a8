"""What the facts say at the head of a card: keys that curate owns, and keys that it suggests once."""

from __future__ import annotations

from typing import Any

from curate.card.facts import VERSION, Facts
from curate.card.hub import size_category
from curate.card.place import Place


def owned(facts: Facts, shown: str, place: Place) -> dict[str, Any]:
    """The keys that curate sets each time; `shown` is what the card calls the place of the dataset."""
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


def suggested(facts: Facts, place: Place) -> dict[str, Any]:
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
