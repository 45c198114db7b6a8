"""Paths in recipes: relative to the recipe's own folder, or to the working folder when said on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, ValidationInfo


class CommandLineText(str):
    """A string that came from the command line, not from the recipe file."""

    __slots__ = ()


def _resolve(value: Any, info: ValidationInfo) -> Any:
    if not isinstance(value, (str, Path)):
        return value
    path = Path(value).expanduser()
    base = (info.context or {}).get("folder")
    if base is None or path.is_absolute() or isinstance(value, CommandLineText):
        return path
    return Path(base) / path


RecipePath = Annotated[Path, BeforeValidator(_resolve)]
"""A path; validation takes the recipe's folder from the context key `folder`."""
