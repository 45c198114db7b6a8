"""A recipe that names a card keeps it up to date."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from card_support import write_dataset

from curate.errors import UsageError
from curate.pipeline.recipe_file import parse_recipe
from curate.pipeline.run import run


def test_a_run_brings_the_card_of_its_recipe_up_to_date(tmp_path: Path) -> None:
    """A card that somebody must remember to write anew is stale."""
    write_dataset(tmp_path / "shop")
    text = "name: shop\ninput: {path: shop}\nstages: [{use: split, by: [dialogue]}]\ncard: cards/shop.md\n"
    recipe = parse_recipe(text, "shop.yaml", tmp_path)
    result = run(recipe, tmp_path / "work")
    card = tmp_path / "cards" / "shop.md"

    assert result.said[0].line == "card shop.md  made; 0 of 18 answered"
    assert "`01-split`" in card.read_text("utf-8")
    assert json.loads((tmp_path / "work" / "run.json").read_text("utf-8"))["card"]["created"] is True
    assert str(tmp_path) not in card.read_text("utf-8") + (tmp_path / "cards" / "shop.facts.json").read_text("utf-8")
    assert run(recipe, tmp_path / "work").said[0].line == "card shop.md  is up to date; 0 of 18 answered"


def test_a_card_that_cannot_be_merged_stops_the_run_before_it_begins(tmp_path: Path) -> None:
    """An hour of reading pictures, and then a marker is missing."""
    write_dataset(tmp_path / "shop")
    (tmp_path / "shop.md").write_text("<!-- curate:begin numbers -->\n")
    recipe = parse_recipe("name: shop\ninput: {path: shop}\nstages: []\ncard: shop.md\n", "shop.yaml", tmp_path)

    with pytest.raises(UsageError, match=r"shop.md:1: block 'numbers' does not end"):
        run(recipe, tmp_path / "work")
    assert not (tmp_path / "work").exists()
