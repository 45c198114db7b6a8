"""How texts of a script are cut into sentences and clauses."""

from __future__ import annotations

import re
from typing import NamedTuple


class Script(NamedTuple):
    """How texts of a script are cut into sentences and clauses, and what tells that a clause says something."""

    sentence: re.Pattern[str]
    """A sentence: text up to an end mark or newline, the marks included."""
    clause: re.Pattern[str]
    """A clause: part of a sentence, the mark behind it included."""
    telling: re.Pattern[str]
    """A clause in which this is found says something, however short it is."""
    letters: int
    """Letters, digits and Han characters from which on a clause beside noise says something."""


CHINESE = Script(
    re.compile(
        r"(?:[^。！？!?~～\n]+|(?<=[0-9])[~～](?=[0-9¥￥]))*"
        r"(?:(?:[。！？!?]|(?<![0-9])[~～]|[~～](?![0-9¥￥]))+\n*|\n+|$)"
    ),
    re.compile(r"[^，,；;]*(?:[，,；;]+|$)"),
    re.compile(r"[0-9A-Za-z０-９]"),
    5,
)
"""Chinese; the wave of `99~199` is no end mark."""

SPACED = Script(
    re.compile(r"(?:[^.!?~。！？\n]+|[.!?~]+(?=[^\s.!?~。！？]))*(?:[.!?~。！？]+\s*|\n+|$)"),
    re.compile(r"[^,;]*(?:[,;]+|$)"),
    re.compile(r"[0-9]"),
    12,
)
"""Scripts with blanks between words; a full stop within a word or number is no end mark."""

MEANING = re.compile(r"[^\W_]", re.UNICODE)
"""A letter, digit or Han character."""
