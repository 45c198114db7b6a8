"""Reading a recipe: by path or by shipped name, with `--set` applied, and every problem pointed at."""

from __future__ import annotations

import contextlib
import copy
import difflib
from collections.abc import Container, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from curate.errors import Problem, RecipeError, UsageError
from curate.pipeline import registry
from curate.pipeline.recipe import Recipe, recipe_model
from curate.pipeline.recipe_problems import Complaint, Finder, Location, complaint
from curate.pipeline.recipe_tree import apply_override, parse_yaml, plain_values


def shipped_folder() -> Path:
    """Folder of the recipes that come with curate."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "pipelines"
    return installed if installed.is_dir() else package.parent / "pipelines"


def shipped_recipes() -> dict[str, Path]:
    """The recipes that come with curate, by name."""
    return {path.stem: path for path in sorted(shipped_folder().glob("*.yaml"))}


def find_recipe(name: str) -> Path:
    """Find a recipe by file or by shipped name.

    Raises:
        UsageError: there is none; the message names what there is.
    """
    path = Path(name)
    if path.suffix in {".yaml", ".yml"} or path.is_file():
        if path.is_file():
            return path
        raise UsageError(f"there is no recipe file {name}")
    shipped = shipped_recipes()
    if name in shipped:
        return shipped[name]
    near = difflib.get_close_matches(name, shipped, n=1)
    hint = f"did you mean '{near[0]}'?" if near else "give a .yaml file, or one of: " + ", ".join(shipped)
    raise UsageError(f"there is no recipe '{name}'; {hint}")


def load_recipe(path: Path, overrides: Sequence[str] = ()) -> Recipe:
    """Read a recipe file.

    Args:
        path: The YAML file; paths in it are relative to its folder.
        overrides: `KEY=VALUE` texts, as `stages.denoise.min_words=2`; a stage is named by its title or number, and
            paths in them are relative to the working folder.

    Raises:
        RecipeError: with every problem found, each with file, line, column and a hint.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"the recipe {path} is not UTF-8 (byte {error.start}); save it as UTF-8") from error
    except OSError as error:
        raise UsageError(f"cannot read the recipe {path}: {error.strerror}") from error
    return parse_recipe(text, path.name, path.resolve().parent, overrides, is_file=True)


def parse_recipe(
    text: str, shown_as: str, folder: Path, overrides: Sequence[str] = (), *, is_file: bool = False
) -> Recipe:
    """Read a recipe from text; `shown_as` is its name in messages. Raises as `load_recipe`.

    Args:
        text: YAML.
        shown_as: What the text is called.
        folder: What paths in it are relative to.
        overrides: As for `load_recipe`.
        is_file: Whether its lines are lines of a file, which a person can look up.
    """
    root = parse_yaml(text, shown_as)
    as_written = copy.deepcopy(root)
    from_command_line = [apply_override(root, override) for override in overrides]
    try:
        recipe = _validate(root, folder)
        recipe.said_at.update(_said_at(root, shown_as if is_file else None, dict(from_command_line)))
        return recipe
    except ValidationError as error:
        before = _complaints(as_written, folder) if overrides else frozenset()
        finder = Finder(root, text.splitlines(), shown_as, from_command_line, before)
        raise RecipeError(finder.problems(error)) from error


def _said_at(root: Any, file: str | None, overridden: Mapping[Location, str]) -> dict[str, str]:
    """Where stages and their options were said, by name: a line of the file, or what was typed."""
    found: dict[str, str] = {}
    for number, stage in enumerate(root["stages"]):
        title = str(stage.get("name") or stage["use"])
        if file:
            found[title] = f"{file}:{root['stages'].lc.item(number)[0] + 1}"
        places: list[tuple[Any, Location]] = [(stage, (key,)) for key in stage]
        places += [(stage[key], (key, name)) for key in stage if isinstance(stage[key], dict) for name in stage[key]]
        for node, keys in places:
            typed = [text for place, text in overridden.items() if ("stages", number, *keys) == place[: 2 + len(keys)]]
            if typed:
                found[".".join(map(str, (title, *keys)))] = typed[-1]
            elif file:
                found[".".join(map(str, (title, *keys)))] = f"{file}:{node.lc.key(keys[-1])[0] + 1}"
    return found


def _validate(root: Any, folder: Path) -> Recipe:
    try:
        plain = plain_values(root)
    except RecursionError:
        raise RecipeError([Problem("", "a value holds itself (&name … *name), or is nested too deeply")]) from None
    context = {"folder": folder}
    stages, exports = _used(plain, "stages", registry.stages()), _used(plain, "exports", registry.exporters())
    if stages is not None and exports is not None:
        with contextlib.suppress(ValidationError):  # said again below, by the model that knows all names
            return recipe_model(stages, exports).model_validate(plain, context=context)
    return recipe_model().model_validate(plain, context=context)


def _used(plain: Any, key: str, known: Container[str]) -> tuple[str, ...] | None:
    """The names that the steps use; None where one of them is not known, or is none."""
    steps = plain.get(key, [])
    if not isinstance(steps, list):
        return None
    names = {str(step.get("use")) if isinstance(step, dict) else "" for step in steps}
    return tuple(sorted(names)) if all(name in known for name in names) else None


def _complaints(root: Any, folder: Path) -> frozenset[Complaint]:
    """What is wrong with the file as it is written, before `--set`."""
    try:
        _validate(root, folder)
    except ValidationError as error:
        return frozenset(complaint(item) for item in error.errors())
    except RecipeError:
        pass  # then everything is wrong with it, and told above
    return frozenset()
