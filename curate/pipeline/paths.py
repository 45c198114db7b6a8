"""Paths in recipes: relative to the recipe's own folder, or to the working folder when said on the command line.

A URL (`s3://bucket/folder`) is a path too, see `curate.dataset.remote`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, ValidationInfo

from curate.dataset.url import url_of


class CommandLineText(str):
    """A string that came from the command line, not from the recipe file."""

    __slots__ = ()


def _resolve(value: Any, info: ValidationInfo) -> Any:
    if not isinstance(value, (str, Path)):
        return value
    path = Path(value).expanduser()
    base = (info.context or {}).get("folder")
    if base is None or path.is_absolute() or isinstance(value, CommandLineText) or url_of(path):
        return path
    return Path(base) / path


def _told(path: Path) -> str:
    return url_of(path) or str(path)


RecipePath = Annotated[Path, BeforeValidator(_resolve), PlainSerializer(_told, return_type=str, when_used="json")]
"""A path; validation takes the recipe's folder from the context key `folder`."""
