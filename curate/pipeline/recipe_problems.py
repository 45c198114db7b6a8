"""Pointing at what is wrong in a recipe: pydantic's errors as places in the file, or the `--set` to blame."""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from curate.errors import Problem
from curate.pipeline import registry
from curate.pipeline.recipe import Recipe, recipe_model

Location = tuple[int | str, ...]
Complaint = tuple[Location, str, str]
"""Location, kind and message of one of pydantic's errors."""

_BRANCH = re.compile(r"int|float|str|bool|none|(literal|tuple|list|dict|constrained-\w+|function-\w+)\b.*")
"""Names that pydantic gives to the branches of a union of plain types."""
_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "string": "a text",
    "bool": "true or false",
    "tuple": "a list, as in [a, b]",
    "list": "a list, as in [a, b]",
    "path": "a path",
    "model": "a mapping, as in {key: value}",
    "dict": "a mapping, as in {key: value}",
}
"""What a value must be, by the first word of the error's kind."""


def complaint(item: ErrorDetails) -> Complaint:
    """What makes one of pydantic's errors the same as one of another reading of the file."""
    return item["loc"], item["type"], item["msg"]


def problem_at(shown_as: str, line: int, column: int, message: str, lines: Sequence[str], hint: str = "") -> Problem:
    """A problem at a line and column, both from 1, with that line, a mark below its column and a hint beside it."""
    excerpt = ""
    if 0 < line <= len(lines):
        gutter = f"{line:>6} | "
        excerpt = f"{gutter}{lines[line - 1]}\n{' ' * 7}| {' ' * (column - 1)}^ {hint}".rstrip()
    return Problem(f"{shown_as}:{line}:{column}", message, excerpt)


class Finder:
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
        complaints = error.errors()
        for item in complaints:
            if item["type"] == "too_short" and any(item["loc"] == one["loc"][:-1] for one in complaints):
                continue  # what it held was wrong and is told, not its length
            location, branch = self._without_tags(item)
            if branch:
                found.setdefault(location, []).append(item)
            else:
                problems.append(self._one(location, [item], *self._message(item, location)))
        for location, items in found.items():
            wanted = list(dict.fromkeys(_wanted(item) for item in items))
            told = " or ".join(wanted).replace("False", "false").replace("True", "true")
            problems.append(self._one(location, items, f"must be {told}", ""))
        return [problem for _, problem in sorted(problems, key=lambda pair: pair[0])]

    def _one(
        self, location: Location, items: list[ErrorDetails], message: str, hint: str
    ) -> tuple[tuple[int, int], Problem]:
        shown = ".".join(map(str, location))
        message = f"{shown}: {message}" if shown else message
        culprits = self._culprits(location, any(complaint(item) not in self.before for item in items))
        if culprits:
            return (0, 0), Problem(" ".join(culprits), message + (f"; {hint}" if hint else ""))
        line, column = self._place(location)
        return (line, column), problem_at(self.shown_as, line, column, message, self.lines, hint)

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
        if location == ("name",) and kind == "string_pattern_mismatch":
            return f"'{item['input']}' is no name: letters, digits, `_`, `-` and `.`, the first one no mark", ""
        if kind == "too_short":
            return "must not be empty", ""
        if kind.partition("_")[2] in ("type", "attributes_type", "parsing"):
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
