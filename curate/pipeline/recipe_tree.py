"""A recipe's YAML as a tree that remembers its lines, and `--set` applied to it."""

from __future__ import annotations

import difflib
import io
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from curate.errors import Problem, RecipeError, UsageError
from curate.pipeline.paths import CommandLineText
from curate.pipeline.recipe_problems import Location, problem_at

_NO_VALUE = (ValueError, LookupError, TypeError, AttributeError, RecursionError)
"""What ruamel.yaml lets through for values such as `2024-13-45`, `!!int ''` or ten thousand brackets."""


def parse_yaml(text: str, shown_as: str) -> Any:
    """Read YAML into ruamel's nodes, which know their lines.

    Raises:
        RecipeError: it is not YAML, or no mapping; the problem has its line and column.
    """
    yaml = YAML(typ="rt")
    yaml.allow_duplicate_keys = False
    try:
        root = yaml.load(io.StringIO(text))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        lines = text.splitlines() or [""]
        raise RecipeError([problem_at(shown_as, line, column, f"not valid YAML: {error.problem}", lines)]) from error
    except YAMLError as error:
        raise RecipeError([Problem(shown_as, f"not valid YAML: {error}")]) from error
    except _NO_VALUE as error:
        raise RecipeError([Problem(shown_as, f"a value cannot be read: {error}")]) from error
    if not isinstance(root, dict):
        raise RecipeError([Problem(f"{shown_as}:1:1", "a recipe is a mapping with the keys name, input, stages")])
    return root


def plain_values(node: Any) -> Any:
    """Turn ruamel's nodes into plain Python values; command-line strings keep their class, paths depend on it."""
    if isinstance(node, dict):
        return {str(key): plain_values(value) for key, value in node.items()}
    if isinstance(node, list):
        return [plain_values(value) for value in node]
    if isinstance(node, bool) or node is None or isinstance(node, CommandLineText):
        return node
    for kind in (int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return node


def apply_override(root: Any, override: str) -> tuple[Location, str]:
    """Set one `KEY=VALUE` in the tree; give its location and its text.

    Raises:
        UsageError: the text has no `=`, its value is not YAML, or its key names a step that is not there.
    """
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
