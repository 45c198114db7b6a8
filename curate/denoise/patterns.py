"""Regular expressions of rule files: compiled, put together, and refused with a message that names them."""

from __future__ import annotations

import re


def compiled(pattern: str) -> re.Pattern[str]:
    """Compile a pattern.

    Raises:
        ValueError: it is not valid; the message names it.
    """
    try:
        return re.compile(pattern)
    except (re.error, OverflowError) as error:
        raise ValueError(f"not a valid pattern: {pattern}: {error}") from error


def either(patterns: tuple[str, ...]) -> re.Pattern[str]:
    """All patterns as one; each is compiled alone first, so that an error names the right one."""
    for pattern in patterns:
        compiled(pattern)
    return compiled("|".join(map(_scoped, patterns)) or "(?!)")


_FLAGS = re.compile(r"\(\?([aimsux]+)\)")


def _scoped(pattern: str) -> str:
    """The pattern as a group; flags at its beginning count within it alone."""
    flags = _FLAGS.match(pattern)
    return f"(?{flags.group(1)}:{pattern[flags.end() :]})" if flags else f"(?:{pattern})"


def check_replacement(pattern: re.Pattern[str], by: str) -> None:
    """Refuse what cannot stand for what a pattern finds.

    Raises:
        ValueError: it names a group that the pattern does not have.
    """
    try:
        pattern.sub(by, "")
    except (re.error, IndexError) as error:
        raise ValueError(f"{pattern.pattern}: cannot be replaced by {by!r}: {error}") from error
