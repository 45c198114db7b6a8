"""Predictions beside the rows that they belong to: by name or, where the file has none, by checked position."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from curate.dataset.predictions import Prediction, Predictions
from curate.errors import InputError
from curate.evaluate.gold import GoldRow
from curate.report.personal import mask


class Joined(NamedTuple):
    """Predictions beside the rows that they belong to."""

    rows: list[Prediction | None]
    """The prediction of each gold row; None where there is none."""
    key: str
    """What they were joined by: uid, source_id or line."""
    notes: list[str]


def join(gold: Sequence[GoldRow], predictions: Predictions) -> Joined:
    """Bring predictions to the gold rows, by name or, where the file has none, by checked position.

    Raises:
        InputError: they do not belong together.
    """
    if not predictions.names:
        return Joined(_by_position(gold, predictions), "line", [])
    for key, given in predictions.names.items():
        names = [row.uid if key == "uid" else row.source_id for row in gold]
        table = dict(zip(given, predictions.rows, strict=True))
        if not any(name in table for name in names):
            continue
        twice = [name for name, times in [*Counter(names).items(), *Counter(given).items()] if times > 1]
        if twice:
            who = f"{key} {mask(twice[0])}"
            raise InputError(f"{predictions.path}: several rows have the {who}; nobody knows which is meant")
        strange = len(set(table) - set(names))
        notes = [f"{strange} predictions belong to no gold row"] if strange else []
        return Joined([table.get(name) for name in names], key, notes)
    one = next(iter(predictions.names.values()))[0]
    raise InputError(
        f"{predictions.path}: none of its {len(predictions.rows)} rows ({mask(one)}, …) is in the gold data "
        f"({mask(gold[0].source_id)}, …)"
    )


def _by_position(gold: Sequence[GoldRow], predictions: Predictions) -> list[Prediction | None]:
    """Trust the order only where the counts are equal and every label that stands in the file fits."""
    how = "name the rows with --index index.parquet of the export"
    if len(gold) != len(predictions.rows):
        raise InputError(
            f"{predictions.path} has {len(predictions.rows)} predictions without ids for {len(gold)} gold rows, "
            f"so nobody knows which belongs to which; {how}"
        )
    for line, (row, label) in enumerate(zip(gold, predictions.labels, strict=True), 1):
        if label is not None and row.label is not None and label.strip() != row.label:
            raise InputError(
                f"{predictions.path}: prediction {line} was made for the label '{mask(label)[:40]}', "
                f"but row {line} of the gold data is '{mask(row.label)}': the order is not the same; {how}"
            )
    return list(predictions.rows)
