"""Which item of a list became which: turns of a dialogue, objects with ids, lines of text in a picture, anything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rapidfuzz.distance import Indel

from curate.diff.cells import cell, turn_keys

Aligned = list[tuple[int | None, int | None]]
"""Places before and after; None where there is no partner."""

_ALIKE = 0.3
"""Similarity from which on a turn is taken for an edited version of another."""
_IDS = ("id", "uid")
_MOST = 400
"""Items in a run of changed ones that are compared with each other; longer runs are paired in order."""


def align(before: list[Any], after: list[Any]) -> Aligned:
    """Pair the items of two lists, in the order in which they are read: objects by id, turns by role and text."""
    if len(before) == len(after) == 1:
        return _align(before, after)
    head = _equal_ends(before, after)
    rest_a, rest_b = before[head:], after[head:]
    tail = _equal_ends(rest_a[::-1], rest_b[::-1])
    if tail:
        rest_a, rest_b = rest_a[:-tail], rest_b[:-tail]
    found: Aligned = [(place, place) for place in range(head)]
    found += [
        (None if one is None else one + head, None if other is None else other + head)
        for one, other in _align(rest_a, rest_b)
    ]
    return found + [(len(before) - left, len(after) - left) for left in range(tail, 0, -1)]


def _equal_ends(one: list[Any], other: list[Any]) -> int:
    """How many items at the beginning are equal."""
    length = 0
    for left, right in zip(one, other, strict=False):
        if type(left) is not type(right) or left != right:
            break
        length += 1
    return length


def _align(before: list[Any], after: list[Any]) -> Aligned:
    if not before or not after:
        return [*((place, None) for place in range(len(before))), *((None, place) for place in range(len(after)))]
    key = _id_key(before, after)
    if key is not None:
        return _by_id([item[key] for item in before], [item[key] for item in after])
    if len(before) == len(after) == 1:
        return _pair_run(before, after, [0], [0])
    old, new = [cell(item) for item in before], [cell(item) for item in after]
    found: Aligned = []
    gone: list[int] = []
    come: list[int] = []
    for op in Indel.opcodes(old, new):
        if op.tag == "equal":
            found += _pair_run(before, after, gone, come)
            gone, come = [], []
            found += zip(range(op.src_start, op.src_end), range(op.dest_start, op.dest_end), strict=True)
        elif op.tag == "delete":
            gone += range(op.src_start, op.src_end)
        else:
            come += range(op.dest_start, op.dest_end)
    return found + _pair_run(before, after, gone, come)


def _id_key(before: list[Any], after: list[Any]) -> str | None:
    for key in _IDS:
        if not isinstance(before[0], dict) or key not in before[0]:
            continue
        for items in (before, after):
            ids = [item.get(key) if isinstance(item, dict) else None for item in items]
            if any(not isinstance(one, (str, int)) for one in ids) or len(set(ids)) < len(ids):
                break
        else:
            return key
    return None


def _by_id(before: list[Any], after: list[Any]) -> Aligned:
    places = {value: place for place, value in enumerate(after)}
    found: Aligned = [(place, places.get(value)) for place, value in enumerate(before)]
    known = set(before)
    return found + [(None, place) for place, value in enumerate(after) if value not in known]


def _pair_run(before: list[Any], after: list[Any], gone: list[int], come: list[int]) -> Aligned:
    """Pair items between two that stayed, in order: the pairs that are most alike together, never crossing."""
    if not gone or not come:
        return [*((place, None) for place in gone), *((None, place) for place in come)]
    if len(gone) * len(come) > _MOST:
        pairs = list(zip(gone, come, strict=False))
    elif len(gone) == len(come) == 1:
        alike = _likeness(before[gone[0]], after[come[0]])
        pairs = [(gone[0], come[0])] if alike is not None else []
    else:
        pairs = _best_in_order(before, after, gone, come)
    partner_a, partner_b = dict(pairs), {other: one for one, other in pairs}
    found: Aligned = []
    waiting = list(come)
    for place in gone:
        other = partner_a.get(place)
        if other is None:
            found.append((place, None))
            continue
        while waiting and waiting[0] < other:
            found.append((None, waiting.pop(0)))
        waiting.pop(0)
        found.append((place, other))
    return found + [(None, place) for place in waiting if place not in partner_b]


def _best_in_order(
    before: list[Any], after: list[Any], gone: Sequence[int], come: Sequence[int]
) -> list[tuple[int, int]]:
    """The pairs, in order, whose likeness adds up to most (as in the alignment of sequences)."""
    likeness = [[_likeness(before[one], after[other]) for other in come] for one in gone]
    best = [[0.0] * (len(come) + 1) for _ in range(len(gone) + 1)]
    for one in range(len(gone) - 1, -1, -1):
        for other in range(len(come) - 1, -1, -1):
            value = likeness[one][other]
            joined = value + best[one + 1][other + 1] if value is not None and value >= _ALIKE else -1.0
            best[one][other] = max(joined, best[one + 1][other], best[one][other + 1])
    pairs, one, other = [], 0, 0
    while one < len(gone) and other < len(come):
        value = likeness[one][other]
        if value is not None and value >= _ALIKE and best[one][other] == value + best[one + 1][other + 1]:
            pairs.append((gone[one], come[other]))
            one, other = one + 1, other + 1
        elif best[one][other] == best[one + 1][other]:
            one += 1
        else:
            other += 1
    return pairs


def _likeness(one: Any, other: Any) -> float | None:
    """How alike two items are, 0 to 1; None where they cannot be versions of each other: turns of two roles."""
    if isinstance(one, dict) and isinstance(other, dict):
        keys = turn_keys(one)
        if keys is not None and keys == turn_keys(other):
            if one[keys[0]] != other[keys[0]]:
                return None
            left, right = one[keys[1]], other[keys[1]]
            if isinstance(left, str) and isinstance(right, str):
                if not left or not right:
                    return _ALIKE
                return max(Indel.normalized_similarity(left, right), _contains(left, right))
    return Indel.normalized_similarity(cell(one), cell(other)) if type(one) is type(other) else None


def _contains(one: str, other: str) -> float:
    """A short text inside of a long one is a version of it, however much went."""
    short, long = sorted((one, other), key=len)
    return 0.5 if len(short) >= 4 and short in long else 0.0
