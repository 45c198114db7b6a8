"""What of a diff report its readers must not see, by mode; taken out of the model, before any renderer gets it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from curate.diff.report import Report
from curate.diff.sample import RowSample
from curate.report.personal import find
from curate.report.redaction import LEAST, Fields, Mode, redact

DECLARED = frozenset(("label", "label_from", "split", "task", "picture format"))
"""Columns whose values are names of a registry or of ours, and may be shown however rare they are."""
_OURS = frozenset(("status", "stage", "reason", "class", "flag"))
_ROW = Fields(
    texts=frozenset(("text", "before", "after", "detail")),
    values=frozenset(("facets",)),
    names=frozenset(("uid", "source_id", "key", "related")),
)
_PICTURE = Fields(texts=frozenset(("text",)), names=frozenset(("path", "sha256")), pictures=frozenset(("file",)))
_TABLE = Fields(values=frozenset(("value", "vanished", "appeared", "before", "after")))
_NAMES = Fields(names=frozenset(("samples", "rows")), texts=frozenset(("example",)))


def redacted(report: Report, mode: Mode) -> Report:
    """Give a report that holds only what a mode allows; see `curate.report.redaction`."""
    if mode == "none":
        return report
    plain = report.plain()
    samples = {
        status: [_row(row, mode) for row in plain["samples"][status]] for status in ("changed", "added", "removed")
    }
    rest = {key: value for key, value in plain.items() if key not in ("samples", "verdict", "inputs", "tool")}
    found: dict[str, Any] = redact(rest, mode, Fields())
    found |= {
        "tool": plain["tool"],
        "inputs": redact(plain["inputs"], mode, Fields()),
        "samples": {**plain["samples"], **samples},
    }
    found["distributions"] = [_table(one, mode) for one in plain["distributions"]]
    found["segments"] = redact(plain["segments"], mode, Fields(values=frozenset(("value",))))
    found["splits"] = {
        "rows": plain["splits"]["rows"],
        "moved": redact(plain["splits"]["moved"], mode, _TABLE),
        "leaks": redact(plain["splits"]["leaks"], mode, _NAMES),
    }
    found["matching"]["duplicate_keys"] = redact(plain["matching"]["duplicate_keys"], mode, _NAMES)
    found["verdict"] = {
        **redact(plain["verdict"], mode, Fields()),
        "findings": [_finding(one, mode) for one in plain["verdict"]["findings"]],
    }
    found["safety"] = {**plain["safety"], "redacted": True, "redaction": mode}
    return Report.from_plain(found)


def redacted_row(row: RowSample, mode: Mode) -> RowSample:
    """Give a row that holds only what a mode allows."""
    return row if mode == "none" else RowSample.model_validate(_row(row.model_dump(mode="json"), mode))


def _finding(one: Mapping[str, Any], mode: Mode) -> dict[str, Any]:
    shown: dict[str, Any] = redact(one, mode, _NAMES)
    hidden = redact(one["filter"], mode, Fields(values=frozenset(one["filter"]) - _OURS))
    return {**shown, "filter": hidden}


def _table(one: dict[str, Any], mode: Mode) -> dict[str, Any]:
    """A distribution; values that few rows have go to `other`, unless their column is of declared values."""
    table, other = one["table"], one["other"]
    if one["column"] not in DECLARED:
        rare = [row for row in table if row["value"] is not None and row["a"] + row["b"] < LEAST]
        table = [row for row in table if row not in rare]
        if rare:
            other = _joined([*rare, *([other] if other else [])], one["n_a"], one["n_b"])
            shown = {row["value"] for row in table}
            for name in ("vanished", "appeared"):
                one = {**one, name: [value for value in one[name] if value in shown]}
    found: dict[str, Any] = redact({**one, "table": table}, mode, _TABLE)
    return {**found, "other": other}


def _joined(rows: list[dict[str, Any]], whole_a: int, whole_b: int) -> dict[str, Any]:
    a, b = sum(row["a"] for row in rows), sum(row["b"] for row in rows)
    share_a, share_b = (part / whole if whole else None for part, whole in ((a, whole_a), (b, whole_b)))
    points = None if share_a is None or share_b is None else round(100 * (share_b - share_a), 4)
    return {"value": "other", "a": a, "b": b, "share_a": share_a, "share_b": share_b, "points": points}


def _row(row: dict[str, Any], mode: Mode) -> dict[str, Any]:
    changes = [{**one, "segments": _segments(one["segments"])} for one in row["changes"]]
    inner = ("images", "changes", "content", "reasons")
    found: dict[str, Any] = redact({key: value for key, value in row.items() if key not in inner}, mode, _ROW)
    found["changes"] = redact(changes, mode, _ROW)
    found["content"] = redact(row["content"], mode, _ROW)
    found["reasons"] = redact(row["reasons"], mode, _ROW)
    found["images"] = [_picture(one, mode) for one in row["images"]]
    return found


def _segments(segments: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Cover personal data that lies across segments, as a telephone number does of which one digit changed."""
    covered = [list(one["text"]) for one in segments]
    for kinds in (("same", "out"), ("same", "in")):
        places = [
            (number, place)
            for number, one in enumerate(segments)
            for place in range(len(one["text"]) if one["kind"] in kinds else 0)
        ]
        text = "".join(segments[number]["text"][place] for number, place in places)
        for hit in find(text):
            touched = {number for number, _ in places[hit.start : hit.end]}
            if len(touched) > 1:
                for number, place in places[hit.start : hit.end]:
                    covered[number][place] = "·"
    return [{**one, "text": "".join(text)} for one, text in zip(segments, covered, strict=True)]


def _picture(pair: dict[str, Any], mode: Mode) -> dict[str, Any]:
    """A pair of pictures; lines whose text was masked are to be blurred."""
    found = dict(pair)
    for side in ("before", "after"):
        ref = pair[side]
        if ref is None:
            continue
        shown: dict[str, Any] = redact(ref, mode, _PICTURE)
        for box, before in zip(shown["boxes"], ref["boxes"], strict=True):
            box["hidden"] = box["text"] != before["text"]
        found[side] = shown
    return found
