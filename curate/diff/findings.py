"""What stands out: at most five sentences, the most serious first, each with what shows its rows."""

from __future__ import annotations

from collections.abc import Iterator

from curate.diff.flow import Finding
from curate.diff.report import Report
from curate.diff.sample import Change, RowSample

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


def _turns(report: Report) -> Iterator[Finding]:
    if report.turns and report.turns.new_image_mismatch:
        text = f"{rows(report.turns.new_image_mismatch)} no longer have as many pictures as <image> in the text"
        yield Finding(id="image_mismatch", severity="high", text=text, filter={"flag": "image_mismatch"})


def _digits(report: Report) -> Iterator[Finding]:
    number = report.text_changes.digits_changed_rows
    if number:
        shown = [row for row in report.samples.changed if "digits" in row.classes]
        change = next((one for row in shown for one in row.changes if one.change == "digits" and one.segments), None)
        yield Finding(
            id="digits",
            severity="high",
            text=f"{rows(number)} changed digits",
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
        yield Finding(id="new_pii", severity="high", text=f"personal data that was not there before: {told}")


def _leaks(report: Report) -> Iterator[Finding]:
    leaks = report.splits.leaks
    if leaks and leaks.new:
        kinds = ", ".join(kind.replace("_", " ") for kind, (a, b) in leaks.by.items() if b > a) or "the same rows"
        before = f"; before {leaks.a:,}, now {leaks.b:,}" if leaks.a else ""
        text = f"{rows(leaks.new)} of one split are in another split, too ({kinds}){before}"
        uids = tuple(uid for group in leaks.samples for uid in group)[:3]
        yield Finding(id="leaks", severity="high", text=text, rows=uids)


def _split_moves(report: Report) -> Iterator[Finding]:
    if report.rows.moved_split:
        told = ", ".join(f"{one.before} → {one.after} {one.rows:,}" for one in report.splits.moved[:3])
        shown = tuple(row.uid for row in report.samples.changed if "moved_split" in row.flags)[:3]
        yield Finding(
            id="split_moved",
            severity="high",
            text=f"{rows(report.rows.moved_split)} moved to another split",
            example=told,
            filter={"flag": "moved_split"},
            rows=shown,
        )


def _unexplained(report: Report) -> Iterator[Finding]:
    if report.rows.unexplained_removed:
        text = f"{rows(report.rows.unexplained_removed)} are gone without a word in the ledger"
        shown = tuple(row.uid for row in report.samples.removed if not row.reasons)[:3]
        yield Finding(id="unexplained", severity="high", text=text, filter={"status": "removed"}, rows=shown)


def _vanished(report: Report) -> Iterator[Finding]:
    for one in report.distributions:
        if one.scope is None and one.column == "label" and one.vanished_values:
            names = ", ".join(one.vanished[:3]) + (" …" if one.vanished_values > 3 else "")
            text = "1 label has" if one.vanished_values == 1 else f"{one.vanished_values:,} labels have"
            yield Finding(id="label_vanished", severity="medium", text=f"{text} no rows any more", example=names)


def _concentrated(report: Report) -> Iterator[Finding]:
    for one in report.segments:
        if one.status == "removed" and one.support is not None:
            value = str(one.value)
            yield Finding(
                id=f"segment.removed.{one.column}",
                severity="medium",
                text=f"{100 * one.support:.3g}% of removed rows share their {one.column} "
                f"({one.lift:.2g}x over-represented)",
                example=f"{one.column} {value}" if value.startswith("at ") else f"{one.column} = {value}",
                filter={"status": "removed", one.column: value},
            )
            return


def _drift(report: Report) -> Iterator[Finding]:
    drifted = [one for one in report.distributions if one.state == "drifted"]
    for one in sorted(drifted, key=lambda one: (one.column != "label", one.scope is not None, -one.value))[:2]:
        where = one.column if one.scope is None else f"{one.column} in {one.scope}"
        example = ""
        if one.kind == "categorical":
            most = max(one.table, key=lambda row: abs(row.points or 0.0))
            example = f"{'none' if most.value is None else most.value} {most.a:,} → {most.b:,}"
            detail = f"one value by {most.points or 0:+.1f} points; chance alone {100 * one.noise_floor:.1f} in all"
        else:
            a, b = (one.quantiles_a or {}).get("p50", 0.0), (one.quantiles_b or {}).get("p50", 0.0)
            detail = f"median {a:g} → {b:g}; distance {one.value:.2f}, chance alone {one.noise_floor:.2f}"
        yield Finding(id=f"drift.{one.column}", severity="medium", text=f"{where} drifted: {detail}", example=example)


def _near_limit(report: Report) -> Iterator[Finding]:
    for one in report.removed_by:
        if one.near_threshold_rows >= 3 and one.near_threshold_rows >= one.rows / 5:
            text = (
                f"{one.near_threshold_rows:,} of {rows(one.rows)} that {one.stage} took out lie at the limit "
                f"{one.metric} {one.threshold:g}"
            )
            shown = {"status": "removed", "reason": str(one.code)}
            yield Finding(id=f"near_limit.{one.code}", severity="medium", text=text, filter=shown)


def _bad_records(report: Report) -> Iterator[Finding]:
    for one in report.warnings:
        if one.code == "bad_records":
            yield Finding(id="bad_records", severity="medium", text=one.text)


def _good_news(report: Report) -> Iterator[Finding]:
    images = report.media.images
    if images and images.re_encoded and not (images.pixels or images.unchecked):
        text = f"{images.re_encoded:,} pictures have other bytes and the same pixels: they were only re-encoded"
        yield Finding(id="re_encoded_only", severity="low", text=text)
    classes = set(report.text_changes.by_class)
    if classes and classes <= _HARMLESS and not any(one.compared_as == "image" for one in report.columns):
        told = ", ".join(sorted(classes))
        yield Finding(id="harmless_only", severity="low", text=f"all changes of texts are harmless: {told}")


def leading_row(report: Report) -> RowSample | None:
    """The row that a person looks at first: of a finding, else the first changed one."""
    named = [uid for one in report.verdict.findings for uid in one.rows]
    shown = [*report.samples.changed, *report.samples.removed, *report.samples.added]
    return next((row for uid in named for row in shown if row.uid == uid), shown[0] if shown else None)
