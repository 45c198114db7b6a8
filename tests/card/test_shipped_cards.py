"""The cards of this repository."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from curate.card.check import check
from curate.card.listing import cards
from curate.card.measure import measure
from curate.card.place import Place, read_facts
from curate.dataset.dataset import Dataset
from curate.pipeline.recipe_file import load_recipe, shipped_recipes
from curate.pipeline.run import run

CARDS = Path(__file__).parents[2] / "data_cards"
NAMES = sorted(path.stem for path in CARDS.glob("*.md") if path.stem != "README")


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_card_holds_what_the_hub_and_a_reader_need(name: str) -> None:
    """Our own cards are the example that people copy."""
    place = Place(CARDS, name)
    for purpose in ("internal", "hub", *(["neurips"] if place.facts.exists() else [])):
        assert [finding for finding in check(place, None, purpose) if finding.level == "error"] == []


def test_every_card_is_measured_or_says_that_it_is_reported() -> None:
    """A number from a paper must not look like one that was counted."""
    for card in cards(CARDS):
        text = (CARDS / f"{card['card']}.md").read_text("utf-8")
        assert ("**Reported, not measured.**" in text) == (card["state"] == "reported"), card


@pytest.mark.slow
def test_the_card_of_the_demo_is_of_the_demo(tmp_path: Path) -> None:
    """Data that changed and a card that did not. What the machine's arithmetic decides (OCR, file bytes) may differ."""
    recipe = load_recipe(shipped_recipes()["demo"], ["stages.ocr.engine=fake", "exports=[]"])
    run(recipe, tmp_path / "demo")
    now, card = measure(Dataset.open(tmp_path / "demo"), "demo"), read_facts(Place(CARDS, "demo"))

    assert card is not None
    assert json.loads(card.model_dump_json())["lineage"]["source_fingerprint"] == now.lineage.source_fingerprint
    for name in ("rows", "splits", "tasks", "labels", "licences"):
        assert getattr(card, name) == getattr(now, name), name
    assert (card.images.distinct, card.images.formats) == (now.images.distinct, now.images.formats)
