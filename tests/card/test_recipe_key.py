"""Runs keep their cards up to date: the one that a recipe names, and the one in `data_cards/`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from card_support import write_dataset

from curate.card.place import Place, read_facts
from curate.cli.main import invoke
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


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with data, a recipe, and a folder of cards."""
    monkeypatch.chdir(tmp_path)
    write_dataset(tmp_path / "shop")
    text = "name: deals\ninput: {path: shop}\nstages: [{use: split, by: [dialogue]}]\n"
    (tmp_path / "shop.yaml").write_text(text)
    (tmp_path / "data_cards").mkdir()
    return tmp_path


def ran(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """Exit code and what was printed."""
    capsys.readouterr()
    return invoke(list(arguments)), capsys.readouterr().out


def test_a_run_keeps_its_card_where_the_project_has_cards(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Who keeps cards must not have to remember them; the words of a person stay."""
    assert "card data_cards/deals.md  made; 0 of 18 answered" in ran(capsys, "run", "shop.yaml")[1]
    card = project / "data_cards/deals.md"
    card.write_text(card.read_text("utf-8") + "\n## Ours\n\nMine.\n", "utf-8")
    assert "card data_cards/deals.md  is up to date" in ran(capsys, "run", "shop.yaml")[1]

    _, told = ran(capsys, "run", "shop.yaml", "--set", "seed=5", "--json")

    assert {"numbers", "lineage"} <= set(json.loads(told)["card"]["changed"])
    assert card.read_text("utf-8").endswith("\nMine.\n")
    assert invoke(["card", "work/deals", "--check"]) == 1  # questions are open
    assert "fingerprint" not in capsys.readouterr().out


def test_without_a_folder_of_cards_none_appears(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody wants files that were not asked for, nor a card for each trial with --out."""
    ran(capsys, "run", "shop.yaml", "--out", "work/trial")
    ran(capsys, "run", "shop.yaml", "--out", "work/none", "--set", "card=false")
    (project / "data_cards").rmdir()
    code, said = ran(capsys, "run", "shop.yaml")

    assert (code, "card" in said) == (0, False)
    assert {path.name for path in project.iterdir()} == {"shop", "shop.yaml", "work"}


def test_a_recipe_that_says_false_has_no_card(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`card: false` stops it, in exports of the run, too."""
    ran(capsys, "run", "shop.yaml")
    before = (project / "data_cards/deals.md").read_bytes()

    said = ran(capsys, "run", "shop.yaml", "--set", "card=false", "--set", "seed=5")[1]
    said += ran(capsys, "export", "work/deals", "set")[1]

    assert "data_cards" not in said
    assert (project / "data_cards/deals.md").read_bytes() == before


@pytest.mark.parametrize("wrong", ["---\ncurate: {dataset: work/deals}\n---\n<!-- curate:begin numbers -->\n", "\xff"])
def test_a_broken_card_is_a_line_and_no_failure(project: Path, capsys: pytest.CaptureFixture[str], wrong: str) -> None:
    """The rows are done; a marker that is missing in a text must not make their run a failed one."""
    (project / "data_cards/deals.md").write_bytes(wrong.encode("latin-1"))

    code, said = ran(capsys, "run", "shop.yaml")

    assert code == 0
    assert "card data_cards/deals.md  was not brought up to date: " in said
    assert (project / "data_cards/deals.md").read_bytes() == wrong.encode("latin-1")


def test_the_card_of_another_dataset_is_left_alone(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A card that somebody wrote about the published set has the name of a run by chance."""
    (project / "data_cards/deals.md").write_text("# As it was reported\n")

    assert "card" not in ran(capsys, "run", "shop.yaml")[1]
    assert (project / "data_cards/deals.md").read_text() == "# As it was reported\n"


def test_a_run_with_nothing_to_do_reads_no_row_for_its_card(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """To look again at a finished run of 100,000 records must stay a matter of a second."""
    ran(capsys, "run", "shop.yaml")
    place = Place(project / "data_cards", "deals")
    facts = read_facts(place)
    monkeypatch.setattr("curate.card.card.measure", lambda *_: pytest.fail("rows were read"))
    card = place.card.read_text("utf-8")
    place.card.write_text(card.replace("*(not answered yet)*", "Ours.", 1), "utf-8")

    assert "is up to date" not in ran(capsys, "run", "shop.yaml")[1]
    assert "card 1 of 18 answered" in place.card.read_text("utf-8")
    assert read_facts(place).model_dump(exclude={"blocks", "written"}) == facts.model_dump(
        exclude={"blocks", "written"}
    )  # type: ignore[union-attr]


def test_an_export_brings_the_card_of_its_run_up_to_date(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And makes none: whoever exports wants conversations."""
    ran(capsys, "run", "shop.yaml", "--set", "card=data_cards/mine.md")
    assert (project / "data_cards/mine.md").exists()
    assert "card data_cards/mine.md  is up to date" in ran(capsys, "export", "work/deals", "set")[1]
    shutil.rmtree(project / "data_cards")
    (project / "data_cards").mkdir()

    assert "data_cards" not in ran(capsys, "export", "work/deals", "set")[1]
    assert list((project / "data_cards").iterdir()) == []


def test_an_export_for_the_hub_is_the_folder_that_the_card_writes(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """People look for it at `export`."""
    ran(capsys, "run", "shop.yaml")
    code, told = ran(capsys, "export", "work/deals", "--hub", "one", "--json")
    ran(capsys, "card", "work/deals", "--hub", "other")

    assert code == 0
    assert sum(json.loads(told)["rows"].values()) == 12
    names = sorted(path.relative_to("one") for path in Path("one").rglob("*") if path.is_file())
    assert {"README.md", "croissant.json"} <= set(map(str, names))
    assert all((Path("one") / name).read_bytes() == (Path("other") / name).read_bytes() for name in names)
    assert invoke(["export", "work/deals", "out", "--hub", "two"]) == 2
    assert invoke(["export", "work/deals", "--hub", "one"]) == 2
