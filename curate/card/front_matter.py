"""The YAML head of a card: read for its values, changed only in the lines of the keys that curate sets.

The Hub reads it as YAML 1.1, editors as 1.2; what the two would read differently is quoted when we write it, and told
when a person wrote it.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from curate.card.layout import CardError

OWNED = ("size_categories", "configs", "curate")
"""Keys that curate writes each time. `dataset_info` is not among them: stale sizes make `load_dataset` fail."""

_OTHERWISE = re.compile(r"(?i)y|n|yes|no|on|off|true|false|null|~|[-+]?[0-9][0-9_.:e+-]*")
"""What YAML 1.1 reads as a truth value, nothing or a number."""
_KEY = re.compile(r"""(?P<key>[^\s#'"{\[&*!|>%@`-][^:]*|"[^"]*"|'[^']*')[ \t]*:(?=[ \t\r\n]|$)""")


def load(lines: Sequence[str], name: str, version: tuple[int, int] = (1, 2)) -> dict[str, Any]:
    """Read the values.

    Raises:
        CardError: it is no YAML mapping, or has a key twice; with the line in the card.
    """
    yaml = YAML(typ="safe", pure=True)
    yaml.version = version
    yaml.allow_duplicate_keys = False
    try:
        found = yaml.load(io.StringIO("".join(lines).replace("\r\n", "\n")))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 2 if mark else 1
        raise CardError(f"{name}:{line}: the front matter is not valid YAML: {_first_line(error.problem)}") from error
    except (YAMLError, ValueError) as error:
        raise CardError(f"{name}:1: the front matter is not valid YAML: {_first_line(error)}") from error
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise CardError(f"{name}:2: the front matter must be a mapping of keys to values")
    return {str(key): value for key, value in found.items()}


def _first_line(error: object) -> str:
    return str(error or "").strip().partition("\n")[0]


def replace(lines: Sequence[str], values: Mapping[str, Any], newline: str) -> list[str]:
    """Write the given keys: in the place of their old lines, else at the end; every other line stays as it is.

    A key whose value is the same already keeps its lines.
    """
    kept = list(lines)
    if kept and not kept[-1].endswith("\n"):
        kept[-1] += newline
    for key, value in values.items():
        new = [line + newline for line in dump({key: value}).splitlines()]
        where = spans(kept).get(key)
        if where is None:
            kept += new
        elif load(kept[slice(*where)], "front matter").get(key) != value:
            kept[slice(*where)] = new
    return kept


def spans(lines: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Lines of each top-level key, without the comments and blank lines in front of the next one."""
    starts: list[tuple[str, int]] = []
    for number, line in enumerate(lines):
        if match := _KEY.match(line):
            starts.append((match["key"].strip("\"' "), number))
    found = {}
    for (key, start), (_, following) in zip(starts, [*starts, ("", len(lines))][1:], strict=True):
        end = following
        while end > start + 1 and (not lines[end - 1].strip() or lines[end - 1].startswith("#")):
            end -= 1
        found[key] = (start, end)
    return found


def dump(values: Mapping[str, Any]) -> str:
    """Write values as block YAML that versions 1.1 and 1.2 read alike."""
    yaml = YAML(typ="rt")
    yaml.width = 1 << 20
    yaml.indent(mapping=2, sequence=2, offset=0)
    text = io.StringIO()
    yaml.dump(_quoted(values), text)
    return text.getvalue()


def _quoted(value: Any) -> Any:
    if isinstance(value, str):
        return DoubleQuotedScalarString(value) if _OTHERWISE.fullmatch(value) else value
    if isinstance(value, Mapping):
        return {key: _quoted(below) for key, below in value.items()}
    if isinstance(value, (list, tuple)):
        return [_quoted(below) for below in value]
    return value
