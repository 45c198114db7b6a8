"""Acceptance test 4 of cards: mlcroissant validates what we write and loads the data through it, without a network."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from card_support import write_dataset
from conformance import ask
from conformance.exports import split_demo

from curate.card.answers import answer
from curate.card.card import update
from curate.card.hub_folder import write_hub_folder
from curate.card.layout import parse
from curate.card.place import Place, place_of, read_facts
from curate.dataset.dataset import Dataset

pytestmark = pytest.mark.conformance
WORDS = {
    "published": "2026-11-26",
    "version": "1.0.0",
    "url": "https://example.org/x",
    "creators": "- A <https://a.org>",
}


def answered(dataset: Path, folder: Path) -> tuple[Path, int]:
    """A card with every question answered; its Croissant laid beside the data, and the rows that it counts."""
    data = Dataset.open(dataset)
    place = place_of(data, folder)
    update(data, "x", place)
    text = place.card.read_text("utf-8")
    for question in parse(text, "").questions:
        text = answer(text, "", question.id, WORDS.get(question.id, "中文 and English"))
    place.card.write_text(text.replace("---\n", "---\nlicense: cc-by-4.0\n", 1), "utf-8")
    update(data, "x", place)
    facts = read_facts(place)
    assert facts is not None
    return Path(shutil.copy(place.croissant, dataset / "croissant.json")), facts.rows


def test_4_croissant_loads_offline_with_as_many_rows_as_the_facts_say(tmp_path: Path) -> None:
    """Acceptance 4. A file that validates and does not load is found by the first person who tries."""
    plain, rows = answered(write_dataset(tmp_path / "shop"), tmp_path / "cards")
    split_demo(tmp_path / "run")
    write_hub_folder(Dataset.open(tmp_path / "shop"), Place(tmp_path / "cards", "shop"), tmp_path / "hub")
    hub = ask.croissant({"hub": tmp_path / "hub" / "croissant.json"}, ["records", "pictures-set"])["hub"]
    assert hub["warnings"] == []
    assert hub["sets"]["records"]["rows"] == hub["sets"]["pictures-set"]["rows"] == rows
    assert "PIL." in hub["sets"]["pictures-set"]["first"]
    run, run_rows = answered(tmp_path / "run", tmp_path / "run-cards")
    told = ask.croissant({"plain": plain, "run": run}, ["records"])

    for name, wanted in (("plain", rows), ("run", run_rows)):
        assert told[name]["warnings"] == []
        assert told[name]["sets"]["records"]["rows"] == wanted
    assert any("请送到" in text for text in told["plain"]["texts"])
