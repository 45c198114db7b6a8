"""The words of all pages, in English and Chinese, from one file (`words.yaml`)."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Any, Literal, get_args

from ruamel.yaml import YAML

Language = Literal["en", "zh"]
LANGUAGES: tuple[str, ...] = get_args(Language)
_FIELD = re.compile(r"\{(?P<name>\w+)(?:#(?P<one>[^#{}]*)#(?P<many>[^#{}]*))?\}")


@cache
def table() -> dict[str, dict[str, str]]:
    """Every text by key and language."""
    loaded: dict[str, dict[str, str]] = YAML(typ="safe", pure=True).load(
        (files("curate.report") / "words.yaml").read_text("utf-8")
    )
    return loaded


def fields(text: str) -> set[str]:
    """Names of the values that a text takes."""
    return {match["name"] for match in _FIELD.finditer(text)}


class Words:
    """The words of one language: `words("diff_digits", rows=3)`.

    `{rows}` takes a value, whole numbers with separators; `{rows#row#rows}` puts the word that fits behind the number.
    """

    def __init__(self, language: Language) -> None:
        self.language = language

    def __call__(self, key: str, /, **values: Any) -> str:
        """Fill in a text. Plain text: whatever shows it escapes it.

        Raises:
            KeyError: there is no such text, or a value is missing.
        """

        def value(match: re.Match[str]) -> str:
            given = values[match["name"]]
            shown = f"{given:,}" if isinstance(given, int) else str(given)
            return f"{shown} {match['one'] if given == 1 else match['many']}" if match["many"] else shown

        return _FIELD.sub(value, table()[key][self.language])

    def named(self, group: str, name: str) -> str:
        """The text of a name of a closed set (`status_removed`); the name itself where there is none."""
        text = table().get(f"{group}_{name}")
        return text[self.language] if text else name
