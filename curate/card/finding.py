"""One thing that a check says of a card."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from ruamel.yaml import YAML


@dataclass(frozen=True)
class Finding:
    """What is wrong, where, and what to do about it. Errors make the check fail; warnings are worth a look."""

    level: Literal["error", "warning"]
    place: str
    """The key, question or file."""
    message: str

    def as_dict(self) -> dict[str, str]:
        """For `--json`."""
        return asdict(self)


@cache
def data(name: str) -> Any:
    """Read one of the package's YAML files."""
    return YAML(typ="safe", pure=True).load((files("curate.card") / name).read_text("utf-8"))
