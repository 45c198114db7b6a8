"""Numbers, texts and tables as the Markdown of a card has them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from curate.card.facts import Quantiles

_UNITS = ("bytes", "kB", "MB", "GB", "TB")
_SPECIAL = re.compile(r"([\\`*\[\]|@#~]|(?<!\w)_|_(?!\w))")


def count(value: int) -> str:
    """A whole number: 1,234."""
    return f"{value:,}"


def share(value: float) -> str:
    """A share: 12.8 %."""
    return f"{100 * value:.1f} %"


def number(value: float) -> str:
    """A measured number: at most one digit behind the point, two below 10."""
    return f"{value:,.0f}" if value == round(value) else f"{value:,.2f}" if abs(value) < 10 else f"{value:,.1f}"


def size(value: int) -> str:
    """A number of bytes in powers of 1,000."""
    scaled, unit = float(value), 0
    while scaled >= 1000 and unit < len(_UNITS) - 1:
        scaled, unit = scaled / 1000, unit + 1
    return f"{value:,} bytes" if not unit else f"{scaled:.1f} {_UNITS[unit]}"


def cell(text: str) -> str:
    """Text of a dataset in a table: nothing in it is Markdown, HTML, a marker or a mention."""
    plain = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    plain = "".join(character if character.isprintable() else f"⟨U+{ord(character):04X}⟩" for character in plain)
    return _SPECIAL.sub(r"\\\1", plain)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; a column whose name begins with `#` is of numbers."""
    line = "|".join("---:" if name.startswith("#") else "---" for name in head)
    names = " | ".join(name.removeprefix("#") for name in head)
    return "\n".join([f"| {names} |", f"|{line}|", *(f"| {' | '.join(row)} |" for row in rows)])


def spread(rows: Mapping[str, Quantiles | None]) -> str:
    """How numbers are spread, a line for each; what was not measured has none."""
    lines = (
        [name, count(one.n), *(number(value) for value in (one.mean, one.least, one.p5, one.p50, one.p95, one.most))]
        for name, one in rows.items()
        if one is not None
    )
    return table(["", "#n", "#mean", "#least", "#5 %", "#50 %", "#95 %", "#most"], lines)


def told(found: Mapping[str, int]) -> str:
    """Names with their counts in one line."""
    return ", ".join(f"{cell(name)} {count(value)}" for name, value in found.items())
