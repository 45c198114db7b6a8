"""The ledger: a row for every record that a stage touched, with the reason."""

from __future__ import annotations

import pyarrow as pa

ACTIONS = ("changed", "dropped", "added", "failed", "noted")

SCHEMA = pa.schema(
    [
        ("uid", pa.string()),
        ("stage", pa.string()),
        ("action", pa.string()),
        ("code", pa.string()),
        ("metric", pa.string()),
        ("value", pa.float64()),
        ("threshold", pa.float64()),
        ("related_uid", pa.string()),
        ("before", pa.string()),
        ("after", pa.string()),
        ("detail", pa.string()),
    ],
    metadata={b"curate.ledger": b"1"},
)
"""
uid         the record
stage       name of the stage in the recipe
action      one of `ACTIONS`; noted: something is worth knowing of a record that stays as it is
code        stable and documented: `curate reasons`
metric      what `value` measures, for example `hits` or `ocr_mean_score`
threshold   the limit that `value` was held against
related_uid the twin of a duplicate, the parent of a derived record
before      `records.row_hashes` of the record before the stage, and `after` it
detail      a few words for a person, never text of the dataset
"""
