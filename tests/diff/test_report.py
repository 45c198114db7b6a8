"""The report is the contract between the engine and every renderer."""

from __future__ import annotations

import json

from diff_example import example

from curate.diff.report import Report
from curate.diff.schema import broken_invariants, schema


def test_a_report_survives_the_way_through_plain_data() -> None:
    """Redaction works on plain data; what it does not touch must come back as it was."""
    report = example()

    assert Report.from_plain(json.loads(json.dumps(report.plain()))) == report


def test_the_example_keeps_the_invariants() -> None:
    """Renderers are tested with it; it must be a report that can be."""
    assert broken_invariants(example()) == []


def test_json_does_not_tell_where_files_lie() -> None:
    """A report travels; the folders of the machine that made it do not concern anybody."""
    from pathlib import Path

    told = json.dumps(example(picture=Path("/home/somebody/a.png")).as_json())

    assert "/home/somebody" not in told


def test_an_invariant_that_does_not_hold_is_named() -> None:
    """A check that never complains checks nothing."""
    report = example()
    wrong = report.model_copy(update={"rows": report.rows.model_copy(update={"a": 841})})

    assert broken_invariants(wrong) == ["rows.a == rows.same + rows.changed + rows.removed"]


def test_the_schema_lets_later_fields_in() -> None:
    """Fields may be added within version 1; a reader that validates must not fail for one."""
    assert "additionalProperties" not in {
        key for one in schema()["$defs"].values() for key in one if one.get(key) is False
    }
