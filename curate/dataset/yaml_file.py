"""YAML that people write (rules, registries, templates): whatever is wrong with it is said with its place."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError


class NotYaml(ValueError):
    """A text is not YAML; the message says where and why."""


def load_yaml(text: str, *, pure: bool = True) -> Any:
    """Read YAML as plain data.

    Args:
        text: One document.
        pure: Whether ruamel.yaml's parser in Python reads it; the one in C is quicker, for long files.

    Raises:
        NotYaml: with line and column where the parser knows them.
    """
    try:
        return YAML(typ="safe", pure=pure).load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise NotYaml(f"{place}{error.problem or error.context}") from error
    except YAMLError as error:
        raise NotYaml(str(error)) from error
    except RecursionError as error:
        raise NotYaml("it is nested too deeply") from error
    except (ValueError, LookupError, TypeError, AttributeError) as error:  # `2024-13-45`, `!!int ''`
        raise NotYaml(f"a value cannot be read: {error}") from error


def complaints(error: ValidationError) -> list[str]:
    """What does not fit a schema, one `key.key: what` for each problem, without the checker's own web addresses."""
    return [_said(item["loc"], item["type"], item["msg"]) for item in error.errors(include_url=False)]


def _said(location: tuple[int | str, ...], kind: str, message: str) -> str:
    said = {
        "missing": "the key is missing",
        "extra_forbidden": "unknown key",
        "model_type": "must be a mapping, as in {key: value}",
    }.get(kind, message.removeprefix("Value error, "))
    place = ".".join(map(str, location))
    return f"{place}: {said}" if place else said
