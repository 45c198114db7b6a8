"""Finds personal data in text by rules that are data (`personal.yaml`): counted by kind, masked, never shown.

It is a sieve for reports and cards, not a promise: a name or a picture of a document is not found by patterns.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from ruamel.yaml import YAML

_WIDE = {ord("０") + digit: ord("0") + digit for digit in range(10)} | {ord("＠"): ord("@"), ord("－"): ord("-")}
"""Full-width characters that people type into numbers; one for one, so that places stay."""
_EDGES = {"none": ("", ""), "digits": (r"(?<!\d)", r"(?!\d)"), "word": (r"(?<![A-Za-z0-9])", r"(?![A-Za-z0-9])")}
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_DIGITS = "10X98765432"
"""Weights of the first 17 digits and the check digit by their sum modulo 11: GB 11643-1999, after ISO 7064 MOD 11-2."""


class Hit(NamedTuple):
    """One find: the rule's id and the characters from `start` up to `end`."""

    kind: str
    start: int
    end: int


@dataclass(frozen=True)
class Rule:
    """One kind of personal data."""

    id: str
    what: str
    sieve: str
    """The pattern for RE2, which drops most texts at once."""
    pattern: re.Pattern[str]
    check: Callable[[str], bool]
    hits: tuple[str, ...]
    """Texts that it must hit."""
    spares: tuple[str, ...]
    """Texts that it must spare."""


def is_luhn(number: str) -> bool:
    """Whether the last digit is Luhn's check digit of the others (ISO/IEC 7812-1)."""
    digits = [int(character) for character in number if character.isdecimal()]
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def is_id_number(number: str) -> bool:
    """Whether the last character is the check digit of a resident identity number (GB 11643)."""
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, number, strict=False))
    return _CHECK_DIGITS[total % 11] == number[-1].upper()


def has_digits(text: str) -> bool:
    """Whether there are digits, more than those of a year alone."""
    digits = "".join(filter(str.isdecimal, text))
    return bool(digits) and not re.search(r"(?<![A-Za-z0-9_-])(19|20)\d{2}$", text)


CHECKS: dict[str, Callable[[str], bool]] = {
    "none": lambda text: True,
    "luhn": is_luhn,
    "id_number": is_id_number,
    "digits": has_digits,
}


@cache
def _loaded() -> tuple[str, tuple[Rule, ...]]:
    data: dict[str, Any] = YAML(typ="safe", pure=True).load(
        (files("curate.report") / "personal.yaml").read_text("utf-8")
    )
    return str(data["version"]), tuple(_rule(item) for item in data["rules"])


def _rule(item: dict[str, Any]) -> Rule:
    left, right = _EDGES[item["edge"]]
    return Rule(
        id=item["id"],
        what=item["what"],
        sieve=item["find"],
        pattern=re.compile(f"{left}(?:{item['find']}){right}", re.ASCII),
        check=CHECKS[item.get("check", "none")],
        hits=tuple(item["hits"]),
        spares=tuple(item["spares"]),
    )


def rules() -> tuple[Rule, ...]:
    """All rules, in the order in which they win."""
    return _loaded()[1]


def rules_version() -> str:
    """Name of the rule set, for reports and cards."""
    return _loaded()[0]


def find(text: str) -> list[Hit]:
    """Find personal data in a text; hits do not overlap and stand in the order of the text."""
    plain = text.translate(_WIDE)
    taken: list[Hit] = []
    for rule in rules():
        for start, end in _spans(rule, plain):
            if all(end <= other.start or start >= other.end for other in taken):
                taken.append(Hit(rule.id, start, end))
    return sorted(taken, key=lambda hit: hit.start)


def _spans(rule: Rule, plain: str) -> Iterator[tuple[int, int]]:
    for match in rule.pattern.finditer(plain):
        if rule.check(match.group()):
            yield match.span()


def mask(text: str) -> str:
    """Put `⟨phone····⟩` in the place of each find, as many characters as it had."""
    pieces, done = [], 0
    for hit in find(text):
        pieces += [text[done : hit.start], _cover(hit)]
        done = hit.end
    return "".join([*pieces, text[done:]]) if pieces else text


def _cover(hit: Hit) -> str:
    inside = hit.end - hit.start - 2
    return f"⟨{hit.kind[:inside]:·<{inside}}⟩"


def count(texts: pa.Array | pa.ChunkedArray) -> Counter[str]:
    """Count finds in a column of strings, by kind.

    Each distinct text is looked at once, and only if a rule's pattern is in it at all.
    """
    column = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    counted = pc.value_counts(pc.drop_null(column))
    values, times = counted.field("values"), counted.field("counts")
    suspect = pc.match_substring_regex(values, f"[{''.join(map(chr, _WIDE))}]")
    for rule in rules():
        suspect = pc.or_(suspect, pc.match_substring_regex(values, rule.sieve))
    found: Counter[str] = Counter()
    for text, number in zip(values.filter(suspect).to_pylist(), times.filter(suspect).to_pylist(), strict=True):
        for hit in find(text):
            found[hit.kind] += number
    return found
