"""The published JSON Schema of a report, and what else always holds of one."""

from __future__ import annotations

from typing import Any

from curate.diff.report import VERSION, Report

INVARIANTS = (
    "rows.a == rows.same + rows.changed + rows.removed",
    "rows.b == rows.same + rows.changed + rows.added",
    "sum(matching.by[*].pairs) == rows.same + rows.changed",
    "sum(removed_by[*].rows) == rows.removed where removed_by is not empty",
    "rows.moved_split counts matched rows, same or changed; it is no fifth status",
    "for each of stages: rows_in - dropped - failed + added == rows_out",
    "columns[*].changed_rows <= rows.same + rows.changed",
    "changed_in[*].rows <= rows.same + rows.changed",
    "every share names its denominator in *_of and is null where that is 0, never 0",
    "verdict.exit_code == 1 exactly where verdict.status is fail",
)


def schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of `--report FILE.json`; readers must accept fields that they do not know."""
    found = Report.model_json_schema(mode="serialization")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:curate:diff-report:{VERSION}",
        **_open(found),
        "title": f"curate diff report, version {VERSION}",
        "x-invariants": list(INVARIANTS),
    }


def _open(value: Any) -> Any:
    """Allow further fields, so that a later version 1 still fits; and leave out where files lie, as JSON does."""
    if isinstance(value, dict):
        kept = {
            key: _open(item) for key, item in value.items() if not (key == "additionalProperties" and item is False)
        }
        if value.get("title") == "ImageRef":
            kept["properties"].pop("file")
            kept["required"] = [name for name in kept.get("required", ()) if name != "file"]
        return kept
    return [_open(item) for item in value] if isinstance(value, list) else value


def broken_invariants(report: Report) -> list[str]:
    """Name every invariant that does not hold; none, unless there is a bug."""
    rows, matched = report.rows, report.rows.same + report.rows.changed
    holds = (
        rows.a == matched + rows.removed,
        rows.b == matched + rows.added,
        sum(step.pairs for step in report.matching.by) == matched,
        not report.removed_by or sum(one.rows for one in report.removed_by) == rows.removed,
        rows.moved_split <= matched,
        all(one.rows_in - one.dropped - one.failed + one.added == one.rows_out for one in report.stages),
        all(one.changed_rows <= matched for one in report.columns),
        all(one.rows <= matched for one in report.changed_in.values()),
        (rows.removed_share is None) == (rows.a == 0)
        and (rows.added_share is None) == (rows.b == 0)
        and (rows.changed_share is None) == (matched == 0),
        (report.verdict.exit_code == 1) == (report.verdict.status == "fail"),
    )
    return [text for text, fine in zip(INVARIANTS, holds, strict=True) if not fine]
