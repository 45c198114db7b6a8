"""The stage contract is checked, not hoped for."""

from __future__ import annotations

import pyarrow as pa
import pytest

from curate.errors import StageBroken
from curate.pipeline.batch import Batch
from curate.records import Image, Record, Turn, derived_uid, row_hashes, source_uid, to_table, violations

CODES = {"why": "because"}


def batch(*labels: str) -> Batch:
    rows = [
        Record(f"u{n}", str(n), "chat", (Turn("user", "a"),), label=label, raw="{}") for n, label in enumerate(labels)
    ]
    return Batch(to_table(rows), "stage", CODES)


def test_a_change_without_a_word_is_a_bug_of_the_stage() -> None:
    """The ledger must be complete, or `curate why` lies."""
    one = batch("x", "y")
    one.set_column("label", pa.array(["x", "z"]))

    with pytest.raises(StageBroken, match="changed record u1 without a word"):
        one.outcome()


def test_an_undeclared_code_is_a_bug_of_the_stage() -> None:
    """A code that `curate reasons` does not know explains nothing."""
    with pytest.raises(StageBroken, match="'oops' is not among its declared codes"):
        batch("x").change(0, "oops")


def test_a_lost_row_is_a_bug_of_the_stage() -> None:
    """Filtering the table by hand would lose rows in silence."""
    one = batch("x", "y")
    one.table = one.table.slice(1)

    with pytest.raises(StageBroken, match="gave back 1 rows of 2"):
        one.outcome()


def test_a_record_made_invalid_is_a_bug_of_the_stage() -> None:
    """A trainer would stop at it after an hour."""
    one = batch("x")
    one.set_column("turns", pa.array([[{"role": "user", "text": "<image>"}]], one.table.schema.field("turns").type))
    one.change(0, "why")

    with pytest.raises(StageBroken, match="1 <image> in the turns, 0 images"):
        one.outcome()


def test_a_change_that_changes_nothing_is_not_counted() -> None:
    """`changed 1,000` must mean that a thousand records differ."""
    one = batch("x")
    one.change(0, "why")
    outcome = one.outcome()

    assert outcome.counts.changed == 0
    assert outcome.ledger.num_rows == 0


def test_derived_records_stand_behind_their_parents() -> None:
    """The order of the output must not depend on the order of work."""
    one = batch("x", "y", "z")
    for row in (2, 0):
        parent = f"u{row}"
        uid = derived_uid(parent, "stage", "0")
        one.derive(row, Record(uid, uid, "chat", (Turn("user", "b"),), parent=parent, raw="{}"), "why")
    one.drop(1, "why")
    outcome = one.outcome()

    parents = [row["parent"] or row["uid"] for row in outcome.rows.to_pylist()]
    assert parents == ["u0", "u0", "u2", "u2"]
    assert (outcome.counts.rows_in, outcome.counts.kept, outcome.counts.dropped, outcome.counts.added) == (3, 2, 1, 2)


def test_a_dropped_row_is_kept_as_it_came() -> None:
    """Whoever looks at a dropped row wants to see what it was."""
    one = batch("x", "y")
    one.set_column("label", pa.array(["X", "y"]))
    one.change(0, "why")
    one.drop(0, "why")

    assert one.outcome().dropped["label"].to_pylist() == ["x"]


def test_hashes_tell_null_from_empty_and_fields_from_each_other() -> None:
    """Two records that differ must never look equal."""
    rows = [
        Record("u", "0", "chat", (Turn("user", "a"),), raw="{}"),
        Record("u", "0", "chat", (Turn("user", "a"),), label="", raw="{}"),
        Record("u", "0", "chat", (Turn("user", "a"),), split="train", raw="{}"),
        Record("u", "0", "chat", (Turn("user", "a"), Turn("user", "")), raw="{}"),
        Record("u", "0", "chat", (Turn("agent", "a"),), raw="{}"),
        Record("u", "0", "chat", (Turn("user", "a"),), (Image("x.jpg"),), raw="{}"),
    ]

    assert len(set(row_hashes(to_table(rows)))) == len(rows)


def test_violations_name_row_and_reason() -> None:
    """An invalid record is found by the engine, not by the trainer."""
    rows = [
        Record("u", "0", "chat", (Turn("user", "a"),), raw="{}"),
        Record("u", "0", "chat", (Turn("robot", "a"),), raw="{}"),
        Record("u", "0", "chat", (Turn("user", "a"),), split="dev", raw="{}"),
    ]

    assert violations(to_table(rows)) == [
        (1, "a turn has an unknown role"),
        (2, "split is not one of train, val, test"),
    ]


def test_uids_are_stable() -> None:
    """Predictions are joined by uid months later; these values may never change."""
    assert source_uid("fingerprint", 0) == "4gthkovqvkmsgpxrtid4zmi4wy"
    assert derived_uid("parent", "stage", "0") == "5xp6dxjgojxcunw7qpdeldbnvi"
