"""What a label registry promises."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from curate.errors import RowError, UsageError
from curate.labels.registry import Registry

SHARED = Path(__file__).parents[3] / "shared" / "data"
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared reference data is not on this machine")
FULL_WIDTH = "下单过程中出现异常（显示购买失败浮窗）"
ASCII = "下单过程中出现异常(显示购买失败浮窗)"


@pytest.fixture(scope="module")
def mire() -> Registry:
    """The registry that comes with curate."""
    return Registry.load("mire")


@needs_shared
@pytest.mark.parametrize("task", ["image_scene", "dialogue_intent"])
def test_shipped_labels_stand_in_prompt_order(mire: Registry, task: str) -> None:
    """Else a rendered prompt differs from the one that the model was trained with."""
    reference = json.loads((SHARED / "fixtures" / "mire_label_registry.json").read_text(encoding="utf-8"))
    assert list(mire.labels(task)) == reference[task]["labels_in_prompt_order"]
    forbidden = set(mire.labels(task)) - set(mire.tasks[task].allowed)
    assert forbidden == set(reference[task].get("never_in_train", []))


@needs_shared
def test_shipped_aliases_are_those_of_the_reference(mire: Registry) -> None:
    """Else a label with the other kind of brackets is thrown out as unknown."""
    reference = json.loads((SHARED / "fixtures" / "mire_label_registry.json").read_text(encoding="utf-8"))
    aliases = {alias: label.name for task in mire.tasks.values() for label in task.labels for alias in label.aliases}
    assert aliases == reference["aliases"]


@needs_shared
@pytest.mark.parametrize(("task", "file"), [("image_scene", "image_scene.csv"), ("dialogue_intent", "intend.csv")])
def test_shipped_descriptions_are_those_of_the_reference(mire: Registry, task: str, file: str) -> None:
    """Else a prompt that explains the labels explains them wrongly."""
    with (SHARED / "mire_labels" / file).open(encoding="utf-8-sig", newline="") as stream:
        expected = {row["label"]: row["description"] for row in csv.DictReader(stream)}
    assert {label.name: label.description for label in mire.tasks[task].labels} == expected


def test_the_two_kinds_of_brackets_mean_one_label(mire: Registry) -> None:
    """Scoring is an exact match: the ASCII twin must become the label of the data."""
    assert mire.resolve("image_scene", ASCII) == FULL_WIDTH
    assert mire.resolve("image_scene", FULL_WIDTH) == FULL_WIDTH


def test_an_unknown_label_names_the_nearest_ones(mire: Registry) -> None:
    """Without it a person has to search the list for a typing mistake."""
    with pytest.raises(RowError) as caught:
        mire.resolve("dialogue_intent", "商品材质 ")
    assert (caught.value.code, caught.value.detail.split(",")[0]) == ("unknown_label", "nearest: 商品材质")


def test_an_unknown_task_names_the_known_ones(mire: Registry) -> None:
    """A recipe with a wrong task name must say which there are."""
    with pytest.raises(RowError) as caught:
        mire.resolve("scene", "气泡")
    assert (caught.value.code, caught.value.detail) == (
        "unknown_task",
        "the registry mire knows image_scene, dialogue_intent",
    )


def test_a_label_finds_its_task_where_the_source_names_none(mire: Registry) -> None:
    """A folder of pictures has no task of its own; its subfolders are named after labels."""
    assert mire.place("image", "购物车页面") == ("image_scene", "购物车页面")


def test_a_label_that_stands_twice_is_refused(tmp_path: Path) -> None:
    """Else the alias of one label silently wins over another label."""
    file = tmp_path / "mine.yaml"
    file.write_text("name: mine\ntasks:\n  t:\n    labels: [{name: a}, {name: b, aliases: [a]}]\n", encoding="utf-8")
    with pytest.raises(UsageError, match="more than one label: a"):
        Registry.load(file)


def test_a_misspelt_registry_gets_a_suggestion() -> None:
    """A typing mistake in a recipe must be found by reading the message."""
    with pytest.raises(UsageError, match="Did you mean 'mire'"):
        Registry.load("mier")


def test_the_digest_follows_the_content(tmp_path: Path, mire: Registry) -> None:
    """Else a run with another registry would reuse what was read with the old one."""
    file = tmp_path / "mine.yaml"
    file.write_text("name: mine\ntasks: {t: {labels: [{name: a}]}}\n", encoding="utf-8")
    first = Registry.load(file).digest()
    file.write_text("name: mine\ntasks: {t: {labels: [{name: b}]}}\n", encoding="utf-8")
    assert len({first, Registry.load(file).digest(), mire.digest()}) == 3
