"""Takes out of a report what its readers must not see, before any renderer gets it, so that no renderer can leak.

A report is plain data: dictionaries, lists, texts and numbers. `Fields` says by key which of them hold text of the
dataset; everything else is our own words and numbers.

=========  ============================================================================================
mode       what stays
=========  ============================================================================================
none       everything
default    everything, with personal data masked in every text and key, ours included
keys-only  numbers, classes, names of records; of texts only their length, of values a hash, no pictures
strict     numbers and classes; of texts their length, of values and names of records a hash, no pictures
=========  ============================================================================================
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from curate.report.personal import mask

Mode = Literal["default", "strict", "keys-only", "none"]
MODES: tuple[str, ...] = get_args(Mode)
LEAST = 5
"""A value of a category is shown only where so many rows have it, or where it is declared."""


@dataclass(frozen=True)
class Fields:
    """Which keys of a report hold what; a key counts at any depth, and for everything below it."""

    texts: frozenset[str] = frozenset()
    """Texts of records."""
    values: frozenset[str] = frozenset()
    """Values of categories: labels, sources."""
    names: frozenset[str] = frozenset()
    """Names of records: uid, source id, file name."""
    pictures: frozenset[str] = frozenset()
    """Pictures as data; None takes their place."""

    def kind(self, key: str) -> str | None:
        """What stands under a key; None where nothing of the dataset does."""
        for name in ("texts", "values", "names", "pictures"):
            if key in getattr(self, name):
                return name
        return None


def redact(report: Any, mode: Mode, fields: Fields) -> Any:
    """Give a copy of a report that holds only what `mode` allows.

    Args:
        report: Plain data; keys of dictionaries are texts.
        mode: See above.
        fields: Where text of the dataset stands.

    Raises:
        ValueError: there is no such mode.
    """
    if mode not in MODES:
        raise ValueError(f"there is no redaction mode '{mode}'; choose one of {', '.join(MODES)}")
    return report if mode == "none" else _redacted(report, mode, fields, None)


def _redacted(value: Any, mode: Mode, fields: Fields, kind: str | None) -> Any:
    if kind == "pictures" and mode != "default":
        return None
    if isinstance(value, Mapping):
        return {mask(key): _redacted(below, mode, fields, fields.kind(key) or kind) for key, below in value.items()}
    if isinstance(value, (list, tuple)):
        return [_redacted(item, mode, fields, kind) for item in value]
    if isinstance(value, str):
        return value if kind == "pictures" else _text(value, mode, kind)
    return value


def _text(text: str, mode: Mode, kind: str | None) -> str:
    if mode == "default" or kind is None or (kind == "names" and mode == "keys-only"):
        return mask(text)
    return f"⟨{len(text)} characters⟩" if kind == "texts" else hidden(text)


def hidden(text: str) -> str:
    """A value's stand-in: the first 8 characters of its BLAKE2b hash, so that equal values stay equal."""
    return f"⟨{hashlib.blake2b(text.encode('utf-8', 'surrogatepass'), digest_size=4).hexdigest()}⟩"


def common_values(counts: Mapping[str, int], declared: Collection[str] = ()) -> tuple[dict[str, int], int, int]:
    """Keep the values of a category that many rows have or that are declared, as a label of a registry is.

    Gives the values with their rows, and of the rest the number of values and their rows.
    """
    shown = {value: rows for value, rows in counts.items() if rows >= LEAST or value in declared}
    return shown, len(counts) - len(shown), sum(counts.values()) - sum(shown.values())
