"""Reading a recipe: by path or by shipped name, with `--set` applied, and every problem pointed at."""

from __future__ import annotations

import difflib
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from curate.errors import Problem, RecipeError, UsageError
from curate.pipeline import registry
from curate.pipeline.paths import CommandLineText
from curate.pipeline.recipe import Recipe, recipe_model

Location = tuple[int | str, ...]


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
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the recipe {path}: {error}") from error
    return parse_recipe(text, path.name, path.resolve().parent, overrides)


def parse_recipe(text: str, shown_as: str, folder: Path, overrides: Sequence[str] = ()) -> Recipe:
    """Read a recipe from text; `shown_as` is its name in messages. Raises as `load_recipe`."""
    root = _parse_yaml(text, shown_as)
    from_command_line = [_apply(root, override) for override in overrides]
    try:
        return recipe_model().model_validate(_plain(root), context={"folder": folder})
    except ValidationError as error:
        finder = _Finder(root, text.splitlines(), shown_as, from_command_line)
        raise RecipeError(finder.problems(error)) from error


def _parse_yaml(text: str, shown_as: str) -> Any:
    yaml = YAML(typ="rt")
    yaml.allow_duplicate_keys = False
    try:
        root = yaml.load(io.StringIO(text))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        lines = text.splitlines() or [""]
        raise RecipeError([_problem(shown_as, line, column, f"not valid YAML: {error.problem}", lines)]) from error
    except YAMLError as error:
        raise RecipeError([Problem(shown_as, f"not valid YAML: {error}")]) from error
    if not isinstance(root, dict):
        raise RecipeError([Problem(f"{shown_as}:1:1", "a recipe is a mapping with the keys name, input, stages")])
    return root


def _problem(shown_as: str, line: int, column: int, message: str, lines: Sequence[str], hint: str = "") -> Problem:
    excerpt = ""
    if 0 < line <= len(lines):
        gutter = f"{line:>6} | "
        excerpt = f"{gutter}{lines[line - 1]}\n{' ' * 7}| {' ' * (column - 1)}^ {hint}".rstrip()
    return Problem(f"{shown_as}:{line}:{column}", message, excerpt)


def _plain(node: Any) -> Any:
    """Turn ruamel's nodes into plain Python values; command-line strings keep their class, paths depend on it."""
    if isinstance(node, dict):
        return {str(key): _plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(value) for value in node]
    if isinstance(node, bool) or node is None or isinstance(node, CommandLineText):
        return node
    for kind in (int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return node


def _apply(root: Any, override: str) -> tuple[Location, str]:
    """Set one `KEY=VALUE` in the tree; give its location and its text."""
    key, equals, text = override.partition("=")
    if not equals or not key:
        raise UsageError(f"--set takes KEY=VALUE, as in --set stages.denoise.min_words=2; got '{override}'")
    value = YAML(typ="safe").load(text) if text.strip() else None
    if isinstance(value, str):
        value = CommandLineText(value)
    node, location = root, []
    parts = key.split(".")
    for part in parts[:-1]:
        step = _step(node, part, override)
        location.append(step)
        if isinstance(node, dict) and step not in node:
            node[step] = {}
        node = node[step]
    last = _step(node, parts[-1], override)
    node[last] = value
    return (*location, last), f"--set {override}"


def _step(node: Any, part: str, override: str) -> int | str:
    """One step down: a key, a number in a list, or the title of a stage in a list."""
    if isinstance(node, dict):
        return part
    if isinstance(node, list):
        if part.isdigit() and int(part) < len(node):
            return int(part)
        titles = [str(item.get("name") or item.get("use")) if isinstance(item, dict) else "" for item in node]
        if part in titles:
            return titles.index(part)
        near = difflib.get_close_matches(part, titles, n=1)
        hint = f"did you mean '{near[0]}'?" if near else "there are: " + ", ".join(titles)
        raise UsageError(f"--set {override}: nothing is called '{part}'; {hint}")
    raise UsageError(f"--set {override}: '{part}' is below a plain value, not below a mapping or list")


class _Finder:
    """Turns pydantic's errors into problems with a place in the file."""

    def __init__(self, root: Any, lines: list[str], shown_as: str, overridden: Iterable[tuple[Location, str]]) -> None:
        self.root = root
        self.lines = lines
        self.shown_as = shown_as
        self.overridden = dict(overridden)

    def problems(self, error: ValidationError) -> list[Problem]:
        """All problems, in the order of the file."""
        found = [self._one(item) for item in error.errors()]
        return [problem for _, problem in sorted(found, key=lambda pair: pair[0])]

    def _one(self, item: ErrorDetails) -> tuple[tuple[int, int], Problem]:
        location = self._without_tags(item["loc"])
        message, hint = self._message(item, location)
        shown = ".".join(map(str, location))
        message = f"{shown}: {message}" if shown else message
        for where, text in self.overridden.items():
            if location[: len(where)] == where:
                return (0, 0), Problem(text, message + (f"; {hint}" if hint else ""))
        line, column = self._place(location)
        return (line, column), _problem(self.shown_as, line, column, message, self.lines, hint)

    def _without_tags(self, location: Location) -> Location:
        """Drop the name of the union's branch, which pydantic puts behind the number of a stage."""
        node, kept = self.root, []
        for part in location:
            if isinstance(node, dict) and part not in node and part == node.get("use"):
                continue
            kept.append(part)
            try:
                node = node[part]
            except (KeyError, IndexError, TypeError):
                node = None
        return tuple(kept)

    def _place(self, location: Location) -> tuple[int, int]:
        """Line and column of the deepest part of the location that the file has."""
        node, line, column = self.root, 1, 1
        for part in location:
            marks = getattr(node, "lc", None)
            if marks is None or getattr(marks, "data", None) is None or (isinstance(node, dict) and part not in node):
                break
            try:
                row, offset = marks.key(part) if isinstance(node, dict) else marks.item(part)
                line, column, node = row + 1, offset + 1, node[part]
            except (KeyError, IndexError, TypeError):
                break
        return line, column

    def _message(self, item: ErrorDetails, location: Location) -> tuple[str, str]:
        kind, context = item["type"], item.get("ctx", {})
        if kind == "extra_forbidden":
            allowed = self._keys(location[:-1])
            return f"unknown key '{location[-1]}'", _nearest(str(location[-1]), allowed)
        if kind == "union_tag_invalid":
            allowed = [tag.strip("' ") for tag in str(context["expected_tags"]).split(",")]
            return f"'{context['tag']}' is not one of {', '.join(allowed)}", _nearest(str(context["tag"]), allowed)
        if kind == "union_tag_not_found":
            return "the key `use` is missing", "say which: use: NAME"
        if kind == "literal_error":
            allowed = [text.strip("' ") for text in str(context["expected"]).replace(" or ", ", ").split(",")]
            return f"'{item['input']}' is not one of {', '.join(allowed)}", _nearest(str(item["input"]), allowed)
        if kind == "missing":
            return f"the key '{location[-1]}' is missing", f"add it, or say --set {'.'.join(map(str, location))}=…"
        return item["msg"].removeprefix("Value error, "), ""

    def _keys(self, location: Location) -> list[str]:
        """Keys that are allowed at a location."""
        model: type[BaseModel] = recipe_model()
        node = self.root
        for part in location:
            node = node[part]
            if part == "input":
                model = Recipe.model_fields["input"].annotation  # type: ignore[assignment]
            elif isinstance(part, int):
                known = registry.stages() if location[0] == "stages" else registry.exporters()
                model = known[str(node["use"])].Options
        return list(model.model_fields)


def _nearest(word: str, allowed: Sequence[str]) -> str:
    near = difflib.get_close_matches(word, allowed, n=1)
    return f"did you mean '{near[0]}'?" if near else "allowed: " + ", ".join(allowed)
