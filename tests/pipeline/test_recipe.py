"""A wrong recipe is answered with the place, what is allowed, and what was probably meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from curate.errors import RecipeError, UsageError
from curate.pipeline.recipe import recipe_schema
from curate.pipeline.recipe_file import find_recipe, parse_recipe, shipped_recipes

GOOD = """\
name: shop
input:
  path: data/train.json
stages:
  - use: denoise
    min_words: 2
  - use: split
exports:
  - use: sharegpt
"""


def problems(text: str, *overrides: str) -> list[str]:
    with pytest.raises(RecipeError) as caught:
        parse_recipe(text, "shop.yaml", Path("/recipes"), overrides)
    return [str(problem) for problem in caught.value.problems]


def test_paths_are_relative_to_the_recipe() -> None:
    """A recipe that works only from one folder cannot be shared."""
    assert parse_recipe(GOOD, "shop.yaml", Path("/recipes")).input.path == Path("/recipes/data/train.json")


def test_paths_on_the_command_line_are_relative_to_the_working_folder() -> None:
    """`--set input.path=train.json` must mean the file that the shell sees."""
    assert parse_recipe(GOOD, "shop.yaml", Path("/recipes"), ["input.path=train.json"]).input.path == Path("train.json")


def test_a_stage_is_set_by_its_name_or_number() -> None:
    """People think in stages, not in list positions."""
    by_name = parse_recipe(GOOD, "shop.yaml", Path(), ["stages.denoise.min_words=5"])
    by_number = parse_recipe(GOOD, "shop.yaml", Path(), ["stages.0.min_words=5"])

    assert by_name == by_number
    assert by_name.stages[0].min_words == 5  # type: ignore[attr-defined]


def test_an_unknown_key_is_pointed_at_with_the_nearest_one() -> None:
    """A key that is ignored in silence gives a training set that nobody asked for."""
    assert problems(GOOD.replace("min_words", "min_word")) == [
        "shop.yaml:6:5: stages.0.min_word: unknown key 'min_word'\n"
        "     6 |     min_word: 2\n"
        "       |     ^ did you mean 'min_words'?"
    ]


def test_an_unknown_stage_names_all_stages() -> None:
    """The list of stages belongs where it is needed."""
    (problem,) = problems(GOOD.replace("use: split", "use: splitt"))

    assert problem.startswith("shop.yaml:7:5: stages.1: 'splitt' is not one of ")
    assert "^ did you mean 'split'?" in problem


def test_all_problems_are_told_at_once_in_the_order_of_the_file() -> None:
    """One error a run is a slow way to learn."""
    found = problems(GOOD.replace("min_words: 2", "min_words: none").replace("name: shop", "nam: shop"))

    assert [one.splitlines()[0].split(": ")[1] for one in found] == ["name", "nam", "stages.0.min_words"]


def test_a_wrong_override_is_named_as_it_was_typed() -> None:
    """The caret would point at a line that is right."""
    (problem,) = problems(GOOD, "stages.denoise.min_words=many")

    assert problem.startswith(
        "--set stages.denoise.min_words=many: stages.0.min_words: Input should be a valid integer"
    )


@pytest.mark.parametrize(
    ("override", "said"),
    [("min_words", "KEY=VALUE"), ("stages.denois.x=1", "did you mean 'denoise'"), ("name.x=1", "below a plain value")],
)
def test_an_override_that_leads_nowhere_is_refused(override: str, said: str) -> None:
    """A typo in --set must not be lost."""
    with pytest.raises(UsageError, match=said):
        parse_recipe(GOOD, "shop.yaml", Path(), [override])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: a\n  b: c\n", "shop.yaml:2:4: not valid YAML"),
        ("- a\n", "shop.yaml:1:1: a recipe is a mapping"),
        ("name: a\nname: b\n", "not valid YAML"),
        ("", "a recipe is a mapping"),
        ("name: !!python/object:os.system x\ninput: {path: a}\nstages: []\n", "shop.yaml:1:1: name"),
    ],
)
def test_broken_yaml_is_told_with_its_place(text: str, said: str) -> None:
    """YAML's own messages do not name the file."""
    assert said in problems(text)[0]


def test_two_steps_of_one_name_are_refused() -> None:
    """Their folders would be one."""
    assert "two stages are called 'denoise'" in problems(GOOD.replace("use: split", "use: denoise"))[0]


def test_shipped_recipes_are_found_by_name_and_a_typo_is_told() -> None:
    """`curate run demo` is the first thing that anybody types."""
    assert {"demo", "mire"} <= set(shipped_recipes())
    with pytest.raises(UsageError, match="did you mean 'demo'"):
        find_recipe("demmo")


def test_the_schema_knows_every_stage_and_its_options() -> None:
    """Editors complete recipes from it."""
    text = str(recipe_schema())

    assert "min_words" in text
    assert "SplitOptions" in text
