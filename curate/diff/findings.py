"""What stands out: at most five sentences, the most serious first, each with what shows its rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from curate.diff.flow import Finding
from curate.diff.report import Report
from curate.diff.sample import Change, RowSample
from curate.report.words import Words

MOST = 5
_ORDER = {"high": 0, "medium": 1, "low": 2}
_HARMLESS = {"invisible", "nfc", "width", "whitespace", "punctuation"}
_CONTEXT = 8


def find(report: Report) -> tuple[Finding, ...]:
    """Look through a report that has everything but its findings."""
    found = [
        *_turns(report), *_digits(report), *_personal(report), *_leaks(report), *_split_moves(report),
        *_unexplained(report), *_vanished(report), *_concentrated(report), *_drift(report), *_near_limit(report),
        *_bad_records(report), *_good_news(report),
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda one: _ORDER[one.severity])[:MOST])


def rows(number: int) -> str:
    """`1 row`, `2 rows`."""
    return f"{number:,} row{'' if number == 1 else 's'}"


def _said(key: str, **values: int | str) -> dict[str, Any]:
    """A sentence in English, with what it takes to say it in another language."""
    return {"text": Words("en")(f"finding_{key}", **values), "key": f"finding_{key}", "values": values}


def _turns(report: Report) -> Iterator[Finding]:
    if report.turns and report.turns.new_image_mismatch:
        said = _said("image_mismatch", rows=report.turns.new_image_mismatch)
        yield Finding(id="image_mismatch", severity="high", filter={"flag": "image_mismatch"}, **said)
    if report.turns and report.turns.new_repeated_roles:
        said = _said("repeated_roles", rows=report.turns.new_repeated_roles)
        shown = tuple(row.uid for row in report.samples.changed if "repeated_roles" in row.flags)[:3]
        in_run = report.inputs.b.format in ("run", "stage")  # an export has yet to give the turns their form
        severity: Literal["high", "medium"] = "medium" if in_run else "high"
        yield Finding(id="repeated_roles", severity=severity, filter={"flag": "repeated_roles"}, rows=shown, **said)


def _digits(report: Report) -> Iterator[Finding]:
    number = report.text_changes.digits_changed_rows
    if number:
        shown = [row for row in report.samples.changed if "digits" in row.classes]
        change = next((one for row in shown for one in row.changes if one.change == "digits" and one.segments), None)
        yield Finding(
            id="digits",
            severity="high",
            **_said("digits", rows=number),
            example=excerpt(change) if change else "",
            filter={"class": "digits"},
            rows=tuple(row.uid for row in shown[:3]),
        )


def excerpt(change: Change) -> str:
    """The first edit of a change that holds a digit, else its first one, as `金额 [1→7],200元`."""
    edits = list(_edits(change))
    chosen = next(
        (one for one in edits if any(sign.isdigit() for sign in one[1] + one[2])), edits[0] if edits else None
    )
    if chosen is None:
        return ""
    before, out, into, after = chosen
    return f"{before[-_CONTEXT:]}[{_short(out)}→{_short(into)}]{after[:_CONTEXT]}"


def _edits(change: Change) -> Iterator[tuple[str, str, str, str]]:
    """Each edit of a change: what stands before it, what went, what came, what stands behind it."""
    kinds = [one.kind for one in change.segments]
    texts = [one.text for one in change.segments]
    place = 0
    while place < len(kinds):
        if kinds[place] not in ("out", "in"):
            place += 1
            continue
        start = place
        while place < len(kinds) and kinds[place] in ("out", "in"):
            place += 1
        out = "".join(text for kind, text in zip(kinds[start:place], texts[start:place], strict=True) if kind == "out")
        into = "".join(text for kind, text in zip(kinds[start:place], texts[start:place], strict=True) if kind == "in")
        yield texts[start - 1] if start else "", out, into, texts[place] if place < len(texts) else ""


def _short(text: str) -> str:
    return text if len(text) <= 24 else f"{text[:12]}…{text[-11:]}"


def _personal(report: Report) -> Iterator[Finding]:
    new = {kind: one.new for kind, one in (report.safety.personal or {}).items() if one.new}
    if new:
        told = ", ".join(f"{kind} {number:,}" for kind, number in sorted(new.items()))
        yield Finding(id="new_pii", severity="high", **_said("personal", told=told))


def _leaks(report: Report) -> Iterator[Finding]:
    leaks = report.splits.leaks
    if leaks and leaks.new:
        kinds = ", ".join(kind.replace("_", " ") for kind, (a, b) in leaks.by.items() if b > a) or "the same rows"
        said = _said("leaks_more" if leaks.a else "leaks", rows=leaks.new, kinds=kinds, a=leaks.a, b=leaks.b)
        uids = tuple(uid for group in leaks.samples for uid in group)[:3]
        yield Finding(id="leaks", severity="high", rows=uids, **said)


def _split_moves(report: Report) -> Iterator[Finding]:
    if report.rows.moved_split:
        told = ", ".join(f"{one.before} → {one.after} {one.rows:,}" for one in report.splits.moved[:3])
        shown = tuple(row.uid for row in report.samples.changed if "moved_split" in row.flags)[:3]
        yield Finding(
            id="split_moved",
            severity="high",
            **_said("split_moved", rows=report.rows.moved_split),
            example=told,
            filter={"flag": "moved_split"},
            rows=shown,
        )


def _unexplained(report: Report) -> Iterator[Finding]:
    if report.rows.unexplained_removed:
        said = _said("unexplained", rows=report.rows.unexplained_removed)
        shown = tuple(row.uid for row in report.samples.removed if not row.reasons)[:3]
        yield Finding(id="unexplained", severity="high", filter={"status": "removed"}, rows=shown, **said)


def _vanished(report: Report) -> Iterator[Finding]:
    for one in report.distributions:
        if one.scope is None and one.column == "label" and one.vanished_values:
            names = ", ".join(one.vanished[:3]) + (" …" if one.vanished_values > 3 else "")
            said = _said("label_vanished", labels=one.vanished_values)
            yield Finding(id="label_vanished", severity="medium", example=names, **said)


def _concentrated(report: Report) -> Iterator[Finding]:
    for one in report.segments:
        if one.status == "removed" and one.support is not None:
            value = str(one.value)
            yield Finding(
                id=f"segment.removed.{one.column}",
                severity="medium",
                **_said("segment", share=f"{100 * one.support:.3g}%", column=one.column, lift=f"{one.lift:.2g}"),
                example=f"{one.column} {value}" if value.startswith("at ") else f"{one.column} = {value}",
                filter={"status": "removed", one.column: value},
            )
            return


def _drift(report: Report) -> Iterator[Finding]:
    drifted = [one for one in report.distributions if one.state == "drifted"]
    for one in sorted(drifted, key=lambda one: (one.column != "label", one.scope is not None, -one.value))[:2]:
        example = ""
        if one.kind == "categorical":
            most = max(one.table, key=lambda row: abs(row.points or 0.0))
            example = f"{'none' if most.value is None else most.value} {most.a:,} → {most.b:,}"
            values = {"points": f"{most.points or 0:+.1f}", "chance": f"{100 * one.noise_floor:.1f}"}
        else:
            a, b = (one.quantiles_a or {}).get("p50", 0.0), (one.quantiles_b or {}).get("p50", 0.0)
            values = {"a": f"{a:g}", "b": f"{b:g}", "distance": f"{one.value:.2f}", "chance": f"{one.noise_floor:.2f}"}
        key = f"drift_{one.kind}" if one.scope is None else f"drift_{one.kind}_in"
        said = _said(key, column=one.column, scope=one.scope or "", **values)
        yield Finding(id=f"drift.{one.column}", severity="medium", example=example, **said)


def _near_limit(report: Report) -> Iterator[Finding]:
    for one in report.removed_by:
        if one.near_threshold_rows >= 3 and one.near_threshold_rows >= one.rows / 5:
            limit = f"{one.metric} {one.threshold:g}"
            said = _said("near_limit", near=one.near_threshold_rows, rows=one.rows, stage=str(one.stage), limit=limit)
            shown = {"status": "removed", "reason": str(one.code)}
            yield Finding(id=f"near_limit.{one.code}", severity="medium", filter=shown, **said)


def _bad_records(report: Report) -> Iterator[Finding]:
    for one in report.warnings:
        if one.code == "bad_records":
            yield Finding(id="bad_records", severity="medium", text=one.text)


def _good_news(report: Report) -> Iterator[Finding]:
    images = report.media.images
    if images and images.re_encoded and not (images.pixels or images.unchecked):
        yield Finding(id="re_encoded_only", severity="low", **_said("re_encoded", pictures=images.re_encoded))
    classes = set(report.text_changes.by_class)
    if classes and classes <= _HARMLESS and not any(one.compared_as == "image" for one in report.columns):
        told = ", ".join(sorted(classes))
        yield Finding(id="harmless_only", severity="low", **_said("harmless", told=told))


def leading_row(report: Report) -> RowSample | None:
    """The row that a person looks at first: of a finding, else the first changed one."""
    named = [uid for one in report.verdict.findings for uid in one.rows]
    shown = [*report.samples.changed, *report.samples.removed, *report.samples.added]
    return next((row for uid in named for row in shown if row.uid == uid), shown[0] if shown else None)
