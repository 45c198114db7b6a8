"""Reading a recipe: by path or by shipped name, with `--set` applied, and every problem pointed at."""

from __future__ import annotations

import contextlib
import copy
import difflib
import io
import itertools
import re
from collections.abc import Container, Iterable, Mapping, Sequence
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
Complaint = tuple[Location, str, str]
"""Location, kind and message of one of pydantic's errors."""

_NO_VALUE = (ValueError, LookupError, TypeError, AttributeError, RecursionError)
"""What ruamel.yaml lets through for values such as `2024-13-45`, `!!int ''` or ten thousand brackets."""
_BRANCH = re.compile(r"int|float|str|bool|none|(literal|tuple|list|dict|constrained-\w+|function-\w+)\b.*")
"""Names that pydantic gives to the branches of a union of plain types."""
_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "string": "a text",
    "bool": "true or false",
    "tuple": "a list, as in [a, b]",
    "list": "a list, as in [a, b]",
    "model": "a mapping, as in {key: value}",
    "dict": "a mapping, as in {key: value}",
}
"""What a value must be, by the first word of the error's kind."""


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
    root = _parse_yaml(text, shown_as)
    as_written = copy.deepcopy(root)
    from_command_line = [_apply(root, override) for override in overrides]
    try:
        recipe = _validate(root, folder)
        recipe.said_at.update(_said_at(root, shown_as if is_file else None, dict(from_command_line)))
        return recipe
    except ValidationError as error:
        before = _complaints(as_written, folder) if overrides else frozenset()
        finder = _Finder(root, text.splitlines(), shown_as, from_command_line, before)
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
        plain = _plain(root)
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
        return frozenset(_complaint(item) for item in error.errors())
    except RecipeError:
        pass  # then everything is wrong with it, and told above
    return frozenset()


def _complaint(item: ErrorDetails) -> Complaint:
    return item["loc"], item["type"], item["msg"]


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
    except _NO_VALUE as error:
        raise RecipeError([Problem(shown_as, f"a value cannot be read: {error}")]) from error
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
    override = override if len(override) <= 160 else f"{override[:159]}…"
    if not equals or not key:
        raise UsageError(f"--set takes KEY=VALUE, as in --set stages.denoise.min_words=2; got '{override}'")
    value = _value(text, override)
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


def _value(text: str, override: str) -> Any:
    try:
        return YAML(typ="safe", pure=True).load(text) if text.strip() else None
    except (YAMLError, *_NO_VALUE) as error:
        what = (error.problem if isinstance(error, MarkedYAMLError) else None) or str(error).partition("\n")[0]
        raise UsageError(
            f"--set {override}: the value is not valid YAML ({what}); text with special characters is quoted twice, "
            """as in --set 'key="[text]"'"""
        ) from error


def _step(node: Any, part: str, override: str) -> int | str:
    """One step down: a key, a number in a list, or the title of a stage in a list."""
    if isinstance(node, dict):
        return part
    if isinstance(node, list):
        if part.isdecimal() and len(part) < 10 and int(part) < len(node):
            return int(part)
        titles = [str(item.get("name") or item.get("use")) if isinstance(item, dict) else "" for item in node]
        if part in titles:
            return titles.index(part)
        near = difflib.get_close_matches(part, titles, n=1)
        hint = f"did you mean '{near[0]}'?" if near else "there are: " + (", ".join(titles) or "none")
        raise UsageError(f"--set {override}: nothing is called '{part[:80]}'; {hint}")
    raise UsageError(f"--set {override}: '{part}' is below a plain value, not below a mapping or list")


class _Finder:
    """Turns pydantic's errors into problems with a place in the file."""

    def __init__(
        self,
        root: Any,
        lines: list[str],
        shown_as: str,
        overridden: Iterable[tuple[Location, str]],
        before: frozenset[Complaint],
    ) -> None:
        self.root = root
        self.lines = lines
        self.shown_as = shown_as
        self.overridden = dict(overridden)
        self.before = before

    def problems(self, error: ValidationError) -> list[Problem]:
        """All problems, in the order of the file; what the branches of a union say of one value is one problem."""
        found: dict[Location, list[ErrorDetails]] = {}
        problems: list[tuple[tuple[int, int], Problem]] = []
        for item in error.errors():
            location, branch = self._without_tags(item)
            if branch:
                found.setdefault(location, []).append(item)
            else:
                problems.append(self._one(location, [item], *self._message(item, location)))
        for location, items in found.items():
            wanted = list(dict.fromkeys(_wanted(item) for item in items))
            problems.append(self._one(location, items, f"must be {' or '.join(wanted)}", ""))
        return [problem for _, problem in sorted(problems, key=lambda pair: pair[0])]

    def _one(
        self, location: Location, items: list[ErrorDetails], message: str, hint: str
    ) -> tuple[tuple[int, int], Problem]:
        shown = ".".join(map(str, location))
        message = f"{shown}: {message}" if shown else message
        culprits = self._culprits(location, any(_complaint(item) not in self.before for item in items))
        if culprits:
            return (0, 0), Problem(" ".join(culprits), message + (f"; {hint}" if hint else ""))
        line, column = self._place(location)
        return (line, column), _problem(self.shown_as, line, column, message, self.lines, hint)

    def _culprits(self, location: Location, new: bool) -> list[str]:
        """The `--set`s that a problem comes from.

        One that gave the value itself is to blame in any case; one that gave something above, below or beside it
        only where the file alone has no such problem.
        """
        own = [text for where, text in self.overridden.items() if location[: len(where)] == where]
        if own or not new:
            return own[-1:]
        near: dict[str, int] = {}
        for where, text in self.overridden.items():
            shared = len([None for one, other in itertools.takewhile(_same, zip(where, location, strict=False))])
            if len(where) > 1 and (shared == len(location) or shared == len(where) - 1):
                near[text] = shared
        return [text for text, shared in near.items() if shared == max(near.values())]

    def _without_tags(self, item: ErrorDetails) -> tuple[Location, bool]:
        """Drop the names of unions' branches, which pydantic puts into locations; say whether plain ones were there."""
        node, kept, branch = self.root, [], False
        for part in item["loc"]:
            if isinstance(node, dict) and part not in node and part == node.get("use"):
                continue
            if _is_branch(node, part, item["type"]):
                branch = True
                continue
            kept.append(part)
            try:
                node = node[part]
            except (KeyError, IndexError, TypeError):
                node = {}
        return tuple(kept), branch

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
        if kind.partition("_")[2] in ("type", "attributes_type"):
            return f"must be {_wanted(item)}", ""
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


def _same(pair: tuple[object, object]) -> bool:
    return pair[0] == pair[1]


def _is_branch(node: Any, part: int | str, kind: str) -> bool:
    """Whether a part of a location names the branch of a union, not a key or a number in the recipe."""
    if not isinstance(part, str) or kind in ("missing", "extra_forbidden") or not _BRANCH.fullmatch(part):
        return False
    return not isinstance(node, dict) or part not in node


def _wanted(item: ErrorDetails) -> str:
    """What a value should have been, to stand behind "must be"."""
    kind, context = item["type"], item.get("ctx", {})
    if kind == "literal_error":
        return str(context["expected"]).replace("'", "")
    word = kind.partition("_")[0]
    return _KINDS.get(word) or item["msg"].removeprefix("Value error, ").removeprefix("Input should be ")


def _nearest(word: str, allowed: Sequence[str]) -> str:
    near = difflib.get_close_matches(word, allowed, n=1)
    return f"did you mean '{near[0]}'?" if near else "allowed: " + ", ".join(allowed)
