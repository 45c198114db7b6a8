"""Rows whose answer is another than their label: what a page shows of them, so that a person can see why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from curate.dataset.predictions import Prediction
from curate.evaluate.gold import GoldRow
from curate.report.sides import picture_facts, turns_facts

MOST = 200
"""Rows that a page shows."""


@dataclass(frozen=True)
class Mistake:
    """One row with another answer than its label."""

    uid: str
    source_id: str
    task: str
    split: str | None
    label: str
    answer: str | None
    """None where there was none."""
    confidence: float | None
    rival: str | None
    """`right` or `wrong`, where other predictions were compared: how they answered this row."""
    turns: tuple[Mapping[str, Any], ...]
    """role and text."""
    images: tuple[Mapping[str, Any], ...] = ()
    """What `picture_facts` gives."""


def mistakes(
    rows: Sequence[GoldRow], answers: Sequence[Prediction], rivals: Sequence[Prediction] | None
) -> tuple[list[Mistake], int]:
    """Give the first rows with another answer, by uid, which is as good as drawn, and how many there are in all."""
    wrong = [place for place, row in enumerate(rows) if answers[place].answer != row.label]
    chosen = sorted(wrong, key=lambda place: rows[place].uid)[:MOST]
    return [_mistake(rows[place], answers[place], rivals[place] if rivals else None) for place in chosen], len(wrong)


def _mistake(row: GoldRow, answer: Prediction, rival: Prediction | None) -> Mistake:
    other = None if rival is None else "right" if rival.answer == row.label else "wrong"
    label = row.label or ""
    return Mistake(
        row.uid,
        row.source_id,
        row.task,
        row.split,
        label,
        answer.answer,
        answer.confidence,
        other,
        tuple(turns_facts(row.turns)),
    )


def with_pictures(found: Sequence[Mistake], images: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[Mistake]:
    """Give rows their pictures, by uid, as `read_pictures` gave them."""
    return [replace(one, images=tuple(picture_facts(image) for image in images.get(one.uid, ()))) for one in found]
