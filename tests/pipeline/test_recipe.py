"""A wrong recipe is answered with the place, what is allowed, and what was probably meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from curate.errors import RecipeError, UsageError
from curate.pipeline.recipe import recipe_schema
from curate.pipeline.recipe_file import find_recipe, load_recipe, parse_recipe, shipped_recipes

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

    assert problem.startswith("--set stages.denoise.min_words=many: stages.0.min_words: must be a whole number")


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


@pytest.mark.parametrize(
    "override",
    [
        "a=[",
        "name=*x",
        "name=!!python/object:os.system x",
        "name=2024-13-45",
        "name=!!int ''",
        "name=&x [*x]",
        "name=" + "[" * 5000,
        "name=" + "x" * 300,
        "stages.²=1",
        "stages." + "9" * 5000 + "=1",
        "stages.split.name=" + "y" * 65,
    ],
)
def test_nonsense_in_an_override_is_a_usage_error(override: str) -> None:
    """A slip in the shell's quoting is no bug in curate, and the message is no longer than a page."""
    with pytest.raises(UsageError) as caught:
        parse_recipe(GOOD, "shop.yaml", Path(), [override])

    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize("value", ["2024-13-45", "!!int ''"])
def test_a_value_that_yaml_cannot_make_is_told_with_its_file(value: str) -> None:
    """A date with a thirteenth month is no bug in curate."""
    assert problems(GOOD.replace("shop", value))[0].startswith("shop.yaml: a value cannot be read")


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["stages.denoise.use=ocr"], "--set stages.denoise.use=ocr: stages.0.min_words: unknown key 'min_words'"),
        (["stages.split.train=0.5"], "--set stages.split.train=0.5: stages.1: train, val and test must add up to 1"),
        (["stages.0.name=split"], "--set stages.0.name=split: two stages are called 'split'"),
        (
            ["seed=1", "stages.split.train=0.5", "stages.1.val=0.4"],
            "--set stages.split.train=0.5 --set stages.1.val=0.4: stages.1: train, val and test must add up to 1",
        ),
    ],
)
def test_what_an_override_breaks_around_it_is_told_with_the_override(overrides: list[str], said: str) -> None:
    """The file is right; a line of it in the message sends people to the wrong place."""
    (problem,) = problems(GOOD, *overrides)

    assert problem.startswith(said)


def test_what_is_wrong_in_the_file_is_not_blamed_on_an_override() -> None:
    """The other way round it is the same mistake."""
    (problem,) = problems(GOOD.replace("min_words: 2", "min_word: 2"), "stages.denoise.min_score=0.5")

    assert problem.startswith("shop.yaml:6:5: stages.0.min_word: unknown key")


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("workers=many", "workers: must be a whole number or auto"),
        ("input.path=5", "input.path: must be a path"),
        ("seed=many", "seed: must be a whole number"),
        ("time_limit=long", "time_limit: must be a number"),
        ("workers=true", "workers: must be 1 or more, or auto"),
        ("workers=0", "workers: must be 1 or more, or auto"),
        ("max_failed=true", "max_failed: must be a number of rows (20) or a share of them (1%)"),
        ("max_failed=1.5", "max_failed: must be a number of rows (20) or a share of them (1%)"),
        ("max_failed=101%", "max_failed: must be a number of rows (20) or a share of them (1%)"),
        ("memory_limit=255", "memory_limit: must be 256 (MiB) or more, or auto"),
        ("memory_limit=lots", "memory_limit: must be a whole number or auto"),
        ("input.shard_rows=few", "input.shard_rows: must be a whole number or auto"),
        ("input.shard_rows={a: 1}", "input.shard_rows: must be a whole number or auto"),
        ("input.shard_rows=0", "input: shard_rows must be 1 or more, or auto"),
        ("stages.split.by=picture", "stages.1.by: must be a list, as in [a, b]"),
        ("stages=denoise", "stages: must be a list, as in [a, b]"),
        ("input=train.json", "input: must be a mapping, as in {key: value}"),
        ("name=my shop", "name: 'my shop' is no name: letters, digits, `_`, `-` and `.`, the first one no mark"),
        ("card=3", "card: must be a path or false"),
    ],
)
def test_a_wrong_value_is_answered_with_what_it_must_be_in_one_line(override: str, said: str) -> None:
    """Words such as `tuple` or `literal['auto']` are the program's, not the reader's."""
    assert problems(GOOD, override) == [f"--set {override}: {said}"]


@pytest.mark.parametrize(
    "override",
    ["workers=auto", "workers=1", "max_failed=0", "max_failed=2.5%", "memory_limit=256", "input.shard_rows=1"],
)
def test_the_least_that_is_allowed_is_allowed(override: str) -> None:
    """A limit that refuses its own value is off by one."""
    changed = parse_recipe(GOOD, "shop.yaml", Path(), [override])

    path, _, value = override.partition("=")
    key = path.rpartition(".")[2]
    assert str(getattr(changed.input if "shard" in key else changed, key)) == value


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


@pytest.mark.parametrize(
    ("operations", "said"),
    [("[]", "must not be empty"), ("[foo]", "'foo' is not one of synonym, reorder, delete, swap, typo")],
)
def test_a_list_is_not_called_empty_because_its_only_item_is_wrong(operations: str, said: str) -> None:
    """`Tuple should have at least 1 item after validation, not 0` hid what was wrong."""
    text = GOOD.replace("use: denoise", "use: augment-text").replace("min_words: 2", f"operations: {operations}")
    (problem,) = problems(text)

    assert said in problem


def test_a_byte_order_mark_is_no_part_of_a_recipe(tmp_path: Path) -> None:
    """Notepad writes one; excerpts then began with a sign that nobody typed."""
    (tmp_path / "shop.yaml").write_text("\ufeff" + GOOD, "utf-8")
    assert load_recipe(tmp_path / "shop.yaml").name == "shop"

    (tmp_path / "shop.yaml").write_text("\ufeffnam: shop\n" + GOOD, "utf-8")
    with pytest.raises(RecipeError) as caught:
        load_recipe(tmp_path / "shop.yaml")
    assert "\ufeff" not in str(caught.value)


def test_a_recipe_in_another_encoding_is_told_to_be_one(tmp_path: Path) -> None:
    """`'utf-8' codec can't decode byte 0xd6` is no sentence for a person."""
    (tmp_path / "shop.yaml").write_bytes("name: 店".encode("gbk"))

    with pytest.raises(UsageError, match=r"is not UTF-8 \(byte 6\); save it as UTF-8"):
        load_recipe(tmp_path / "shop.yaml")
