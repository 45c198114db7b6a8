"""Holds a report against rules: of `--fail-on`, or of the recipe that a run was made by."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from curate.diff.drift import rounded
from curate.diff.report import Check, Report
from curate.diff.rules import Rule
from curate.errors import UsageError
from curate.report.personal import rules as personal_rules


class Measured(NamedTuple):
    """A metric's value, in rows or as a score, and what a share of it is of."""

    value: float | None
    whole: int | None = None
    note: str = ""


def check_columns(rules: Sequence[Rule], columns: Sequence[str], measures: Sequence[str]) -> None:
    """Make sure that rules name what there is.

    Args:
        rules: What must hold.
        columns: Columns of both sides.
        measures: What else has a distribution, as lengths of texts; only drift can be asked of it.

    Raises:
        UsageError: one names a column, or a kind of personal data, that is not there: it would hold for ever.
    """
    kinds = [one.id for one in personal_rules()]
    for rule in rules:
        scope = rule.scope
        if rule.metric == "new_pii" and scope is not None and scope not in kinds:
            raise UsageError(f"'{rule.text}': there is no kind '{scope}'; there are: {', '.join(kinds)}")
        if scope is None or rule.metric in ("rows", "new_pii"):
            continue
        known = [*columns, *measures] if rule.metric == "drift" else columns
        top = scope.split("[")[0].split(".")[0].split("/")[0]
        if scope not in known and top not in known:
            raise UsageError(f"'{rule.text}': there is no column '{scope}'; there are: {', '.join(known)}")


def evaluate(
    rules: Sequence[Rule], report: Report, strict: bool = False, source: Literal["cli", "recipe"] = "cli"
) -> tuple[Check, ...]:
    """Hold a report against rules, in their order.

    Args:
        rules: What must hold.
        report: What was found; its verdict is not looked at.
        strict: Whether drift that too few rows can tell is a failure.
        source: Who asked.
    """
    return tuple(_check(rule, report, strict, source) for rule in rules)


def _check(rule: Rule, report: Report, strict: bool, source: Literal["cli", "recipe"]) -> Check:
    found = MEASURES[rule.metric](rule, report)
    value, note = found.value, found.note
    if value is not None and rule.unit == "share":
        value, note = (rounded(100 * value / found.whole), note) if found.whole else (None, note or "of no rows")
    elif value is not None and rule.unit == "points":
        value = rounded(100 * value)
    ok = value is not None and rule.holds(value)
    if rule.metric == "drift" and value is not None:
        ok, note = _drift_holds(rule, report, ok, strict)
    return Check(
        rule=rule.text,
        metric=rule.metric if rule.part is None else f"{rule.metric}.{rule.part}",
        scope=rule.scope,
        op=rule.op,
        limit=rule.limit,
        unit=rule.unit,
        value=value,
        ok=ok,
        source=source,
        note=note if value is not None or note else "could not be computed",
    )


def _drift_holds(rule: Rule, report: Report, ok: bool, strict: bool) -> tuple[bool, str]:
    """A distance that chance explains is no drift; too few rows are no proof of anything."""
    found = next(one for one in report.distributions if one.column == rule.scope and one.scope is None)
    if found.state == "too_few_rows":
        note = f"too few rows to tell (noise floor {found.noise_floor:.3g})"
        return not strict, note
    if not ok and found.value <= found.noise_floor:
        return True, f"within the noise floor {found.noise_floor:.3g}"
    return ok, f"noise floor {found.noise_floor:.3g}"


def _rows(rule: Rule, report: Report) -> Measured:
    if rule.scope is None:
        return Measured(report.rows.b)
    if not report.splits.rows:
        return Measured(None, note="there are no splits")
    return Measured(report.splits.rows.get(rule.scope, (0, 0))[1])


def _column_rows(rule: Rule, report: Report, change: str | None) -> Measured:
    """Rows that changed in a column, with any class of change or one."""
    matched = report.rows.same + report.rows.changed
    if report.limits.fast:
        return Measured(None, note="not looked at with --fast")
    whole = report.changed_in.get(str(rule.scope))
    if whole is not None:
        return Measured(whole.rows if change is None else whole.classes.get(change, 0), matched)
    schema = report.schema_diff
    top = str(rule.scope).split("[")[0].split(".")[0]
    if {rule.scope, top} & {*schema.skipped, *schema.added, *schema.removed}:
        return Measured(None, note=f"{top} was not compared")
    wanted = [
        one
        for one in report.columns
        if one.path == rule.scope or one.path.split("[")[0].split(".")[0] == rule.scope
        or fnmatch.fnmatchcase(one.path, str(rule.scope))
    ]  # fmt: skip
    counts = [one.changed_rows if change is None else one.classes.get(change, 0) for one in wanted]
    return Measured(max(counts, default=0), matched)


def _changed(rule: Rule, report: Report) -> Measured:
    if rule.scope is not None:
        return _column_rows(rule, report, None)
    return Measured(report.rows.changed, report.rows.same + report.rows.changed)


def _of_class(name: str | None) -> Callable[[Rule, Report], Measured]:
    def measure(rule: Rule, report: Report) -> Measured:
        wanted = name or str(rule.part)
        if rule.scope is not None:
            return _column_rows(rule, report, wanted)
        if report.limits.fast:
            return Measured(None, note="not looked at with --fast")
        return Measured(report.text_changes.by_class.get(wanted, 0), report.rows.same + report.rows.changed)

    return measure


def _drift(rule: Rule, report: Report) -> Measured:
    found = [one for one in report.distributions if one.column == rule.scope and one.scope is None]
    return Measured(found[0].value) if found else Measured(None, note=f"{rule.scope} has no distribution to compare")


def _vanished(rule: Rule, report: Report) -> Measured:
    found = [one for one in report.distributions if one.column == rule.scope and one.kind == "categorical"]
    return Measured(found[0].vanished_values) if found else Measured(None, note=f"{rule.scope} is no category")


def _leaks(rule: Rule, report: Report) -> Measured:
    leaks = report.splits.leaks
    if leaks is None:
        return Measured(None, note="there are no splits")
    return Measured(leaks.b if rule.metric == "leaks" else leaks.new, report.rows.b)


def _personal(rule: Rule, report: Report) -> Measured:
    found = report.safety.personal
    if found is None:
        return Measured(None, note="personal data was not looked for")
    if rule.scope is not None and rule.scope not in found:
        return Measured(0)
    return Measured(sum(one.new for kind, one in found.items() if rule.scope in (None, kind)))


def _error_rate(rule: Rule, report: Report) -> Measured:
    name = "cer_p95" if rule.part == "p95" else "cer_p50"
    if rule.scope == "ocr":
        boxes = report.media.boxes
        if boxes is None:
            read = any(one.column == "OCR lines" for one in report.distributions)
            return Measured(0.0) if read else Measured(None, note="no text was read in pictures")
        return Measured(getattr(boxes, name) or 0.0)
    rates = [
        rate
        for one in report.columns
        if rule.scope in (one.path, one.path.split("[")[0].split(".")[0])
        and (rate := getattr(one, name)) is not None
    ]  # fmt: skip
    if report.limits.fast:
        return Measured(None, note="not looked at with --fast")
    return Measured(max(rates, default=0.0))


def _schema(rule: Rule, report: Report) -> Measured:
    found = report.schema_diff
    return Measured(len(found.added) + len(found.removed) + len(found.retyped))


def _turns(rule: Rule, report: Report) -> Measured:
    if report.turns is None:
        return Measured(None, note="there are no conversations")
    found = report.turns.any_error if rule.metric == "turn_errors" else report.turns.image_mismatch
    return Measured(found[1], report.rows.b)


MEASURES: dict[str, Callable[[Rule, Report], Measured]] = {
    "removed": lambda rule, report: Measured(report.rows.removed, report.rows.a),
    "added": lambda rule, report: Measured(report.rows.added, report.rows.b),
    "changed": _changed,
    "failed": lambda rule, report: Measured(report.rows.removed_failed, report.rows.a),
    "unexplained_removed": lambda rule, report: Measured(
        report.rows.unexplained_removed,
        report.rows.a,
        "" if report.rows.unexplained_removed is not None else "there is no ledger",
    ),
    "schema": _schema,
    "digits": _of_class("digits"),
    "content": _of_class("content"),
    "class": _of_class(None),
    "drift": _drift,
    "vanished": _vanished,
    "split_moves": lambda rule, report: Measured(report.rows.moved_split, report.rows.same + report.rows.changed),
    "leaks": _leaks,
    "new_leaks": _leaks,
    "new_pii": _personal,
    "cer": _error_rate,
    "turn_errors": _turns,
    "image_mismatch": _turns,
    "rows": _rows,
}
"""How each metric of `rules.METRICS` is computed."""
