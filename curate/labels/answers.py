"""What a model's answer means: a label of a task, found by named steps in a fixed order. Nothing is random.

The steps undo what models were seen to do with labels: quote them, wrap them in JSON or tags, end them with a full
stop, say a label's description or `group-label` instead of the label, or miss it by a letter.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from rapidfuzz.distance import Levenshtein

from curate.labels.registry import Task

STEPS = {
    "exact": "The answer is a label.",
    "alias": "The answer is another spelling of a label.",
    "stripped": "Without quotes, brackets and end marks the answer is a label.",
    "json": "The answer is JSON in which a label stands.",
    "named": "The answer names the label behind a word such as `标签：`, or between tags.",
    "description": "The answer is the description of a label, or its beginning.",
    "coarse_fine": "The answer is a label behind the group that it belongs to.",
    "contained": "Exactly one label stands in the answer.",
    "nearest": "The answer differs from one label by few letters.",
    "fallback": "The answer is not usable; the registry's fallback is taken.",
    "unusable": "The answer is not usable, and the registry has no fallback for the task.",
}
"""Every step, in order, with one sentence for reports."""

SIMILAR = 0.7
"""Least similarity (1 - edit distance / length of the longer) at which an answer is taken for the nearest label."""

_LEAST_DESCRIPTION = 4
"""Characters of a description that an answer must have to be recognised by it."""

_QUOTES = " \t\r\n\"'`“”‘’「」『』《》【】[]<>*。．.！!，,；;：:"
_NAMED = re.compile(
    r"(?:标签|标籤|标簽|類別|类别|分类|意图|场景|结论|答案|label|answer|category)\w{0,4}\s*[:：>]\s*(.+)", re.I
)
_TAGGED = re.compile(r"<([^<>/]+)>\s*([^<>]+?)\s*</\1>")
_JSON = re.compile(r"\{.*\}|\[.*\]", re.DOTALL)


class Answer(NamedTuple):
    """A label, and the step that found it; the label is None where the step is `unusable`."""

    label: str | None
    step: str


def parse_answer(text: str, task: Task) -> Answer:
    """Find the label that an answer means. Only labels that a model may answer are given."""
    for step, find in _FINDERS:
        label = find(text, task)
        if label is not None and label in task.allowed:
            return Answer(label, step)
    return Answer(task.fallback, "fallback") if task.fallback is not None else Answer(None, "unusable")


def _exact(text: str, task: Task) -> str | None:
    return text if text in task.names else None


def _alias(text: str, task: Task) -> str | None:
    return task.canonical.get(text)


def _stripped(text: str, task: Task) -> str | None:
    """Take marks off from outside to inside, because a label may itself end in a bracket."""
    for start in range(len(text) - len(text.lstrip(_QUOTES)) + 1):
        for end in range(len(text), len(text.rstrip(_QUOTES)) - 1, -1):
            if text[start:end] in task.canonical:
                return task.canonical[text[start:end]]
    return None


def _json(text: str, task: Task) -> str | None:
    match = _JSON.search(text)
    if match is None:
        return None
    try:
        value = json.loads(match.group())
    except (ValueError, RecursionError):
        return None
    return _only(_stripped(one, task) for one in _strings(value))


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for one in value.values() if isinstance(value, dict) else value:
            if isinstance(one, str):
                yield one


def _named(text: str, task: Task) -> str | None:
    parts = [match.group(2) for match in _TAGGED.finditer(text)] + [match.group(1) for match in _NAMED.finditer(text)]
    return _only(_stripped(part, task) for part in parts)


def _description(text: str, task: Task) -> str | None:
    said = text.strip(_QUOTES)
    if len(said) < _LEAST_DESCRIPTION:
        return None
    return _only(label.name for label in task.labels if label.description.startswith(said))


def _coarse_fine(text: str, task: Task) -> str | None:
    said = text.strip(_QUOTES)
    return _only(
        label.name
        for label in task.labels
        if label.coarse
        and said.startswith(label.coarse)
        and said[len(label.coarse) :].lstrip(" -—–:：>/") == label.name
    )


def _contained(text: str, task: Task) -> str | None:
    found = [spelling for spelling in task.canonical if spelling in text]
    whole = [one for one in found if not any(one != other and one in other for other in found)]
    return _only(task.canonical[one] for one in whole)


def _nearest(text: str, task: Task) -> str | None:
    said = text.strip(_QUOTES)
    ranked = sorted(((Levenshtein.normalized_similarity(said, name), name) for name in task.allowed), reverse=True)
    if not ranked or ranked[0][0] < SIMILAR or (len(ranked) > 1 and ranked[0][0] == ranked[1][0]):
        return None
    return ranked[0][1]


def _only(labels: Iterator[str | None]) -> str | None:
    """The one label among several finds; None where there are none or different ones."""
    found = {label for label in labels if label is not None}
    return found.pop() if len(found) == 1 else None


_FINDERS: tuple[tuple[str, Callable[[str, Task], str | None]], ...] = (
    ("exact", _exact),
    ("alias", _alias),
    ("stripped", _stripped),
    ("json", _json),
    ("named", _named),
    ("description", _description),
    ("coarse_fine", _coarse_fine),
    ("contained", _contained),
    ("nearest", _nearest),
)
