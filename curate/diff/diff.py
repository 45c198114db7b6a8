"""Compares two tables and writes the report: survey, pairs, comparison, then everything that is told of them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timezone
from typing import Literal

import numpy as np
import polars as pl

import curate
from curate.diff import drift, findings, leaks, ledgers
from curate.diff.checks import check_columns, evaluate
from curate.diff.columns import lay_out
from curate.diff.compare import Comparer, Comparison, pairs_of
from curate.diff.distribution import Distribution, SplitMove, Splits
from curate.diff.keys import candidates
from curate.diff.ladder import Ladder
from curate.diff.opening import recipe_name
from curate.diff.options import DiffOptions
from curate.diff.report import (
    Created,
    Inputs,
    Limits,
    Note,
    Report,
    Rows,
    Samples,
    Side,
    Tool,
    Verdict,
)
from curate.diff.rules import Rule
from curate.diff.samples import TEXT_CHARACTERS
from curate.diff.samples import Samples as SampleBuilder
from curate.diff.slices import over_represented
from curate.diff.state import State
from curate.diff.survey import EMPTY, KEY, MISMATCH, survey
from curate.diff.table import ROW, Table
from curate.diff.tables import ColumnChange, TurnErrors
from curate.diff.tally import Tally, share
from curate.diff.walk import Walker


def diff(a: Table, b: Table, options: DiffOptions, rules: Sequence[Rule] = (), strict: bool = False) -> Report:
    """Compare two tables.

    Args:
        a: What was.
        b: What is.
        options: How they are compared, and what is shown.
        rules: What must hold; the verdict says whether it does.
        strict: Whether drift that too few rows can tell fails a rule.

    Raises:
        UsageError: an option or rule does not fit the tables.
        InputError: a file cannot be read.
    """
    state = match(a, b, options)
    known = dict.fromkeys([*a.names, *b.names, "ocr", *state.survey_a.measures, *state.survey_b.measures])
    check_columns(rules, [name for name in known if not name.startswith("\x00")])
    compared = _compare(state)
    return _judged(_report(state, compared), rules, strict)


def match(a: Table, b: Table, options: DiffOptions) -> State:
    """Survey both tables and pair their rows."""
    layout = lay_out(a, b, options)
    keys = candidates(a, b, options)
    survey_a, survey_b = survey(a, 0, layout.columns, keys), survey(b, 1, layout.columns, keys)
    ladder = Ladder(a, b, survey_a, survey_b, layout.columns, options)
    pairing, matching = ladder.climb(keys)
    renumbered = {name for one in matching.rejected_keys if "anew" in one.why for name in one.key}
    if renumbered:
        layout.columns = [column for column in layout.columns if column.name not in renumbered]
        skipped = (*layout.schema.skipped, *sorted(renumbered))
        layout.schema = layout.schema.model_copy(update={"skipped": skipped})
    return State(
        a,
        b,
        survey_a,
        survey_b,
        layout,
        pairs_of(pairing, survey_a, survey_b, layout.columns),
        matching,
        [one.by for one in pairing.found],
        np.sort(pairing.left_a[ROW].to_numpy().astype(np.int64)),
        np.sort(pairing.left_b[ROW].to_numpy().astype(np.int64)),
        options,
        ledgers.steps_between(a, b),
        [*ladder.warnings, *_notes(a), *_notes(b)],
    )


def _notes(table: Table) -> list[Note]:
    if not table.bad_records:
        return []
    number = findings.rows(table.bad_records)
    return [Note(code="bad_records", text=f"{number} of {table.ref} are no JSON objects; their text is compared")]


def _compare(state: State) -> Comparison:
    """The second pass; with --fast hashes alone say what changed."""
    if not state.options.fast:
        walker = Walker(state.options, state.layout.nulls_are_missing)
        comparer = Comparer(
            state.a, state.b, state.layout.columns, walker, state.pair_names, state.options.samples, state.options.seed
        )
        return comparer.compare(state.pairs)
    for bits in state.pairs.differs.values():
        state.pairs.changed |= bits
    return Comparison(Tally(), [], {})


def _report(state: State, compared: Comparison) -> Report:
    a, b, options, pairs = state.a, state.b, state.options, state.pairs
    changed = int(pairs.changed.sum())
    matched, removed, added = len(pairs), len(state.left_a), len(state.left_b)
    removed_by, unexplained, failed = _removed_by(state)
    leaking, leak_notes = _leaks(state)
    builder = SampleBuilder(state)
    with_rows = not options.fast and options.samples > 0
    samples = Samples(
        seed=options.seed,
        changed=builder.changed(compared.shown[: options.samples]) if with_rows else (),
        added=builder.one_sided(1, state.sampled(1, state.left_b, options.samples)) if with_rows else (),
        removed=builder.one_sided(0, state.sampled(0, state.left_a, options.samples)) if with_rows else (),
    )
    return Report(
        title=options.title or f"{a.ref} → {b.ref}",
        tool=Tool(version=curate.__version__),
        created_by=Created(command=options.command, created_at=_created_at()),
        inputs=Inputs(a=_side(a, len(state.survey_a)), b=_side(b, len(state.survey_b))),
        verdict=Verdict(status="no_policy", differences=False, exit_code=0),
        rows=Rows(
            a=len(state.survey_a),
            b=len(state.survey_b),
            same=matched - changed,
            changed=changed,
            added=added,
            removed=removed,
            added_derived=int(state.derived.sum()),
            moved_split=int(state.moved_split.sum()),
            removed_failed=failed,
            unexplained_removed=unexplained,
            changed_share=share(changed, matched),
            removed_share=share(removed, len(state.survey_a)),
            added_share=share(added, len(state.survey_b)),
        ),
        matching=state.matching,
        schema_diff=state.layout.schema,
        columns=_columns(state, compared, matched),
        text_changes=compared.tally.text_changes(),
        media=compared.tally.media(
            any(one.compared_as == "image" for one in state.layout.columns),
            bool(compared.tally.iou or compared.tally.boxes),
        ),
        turns=_turn_errors(state),
        distributions=_distributions(state),
        stages=ledgers.flows(state.steps),
        removed_by=removed_by,
        splits=Splits(moved=_moves(state), leaks=leaking),
        segments=over_represented(
            state.survey_a,
            state.survey_b,
            state.marked(0, state.left_a),
            state.marked(1, state.left_b),
            state.marked(1, pairs.b[pairs.changed]),
        ),
        samples=samples,
        limits=Limits(
            samples=options.samples,
            text_characters=TEXT_CHARACTERS,
            rows_compared=int(np.any(list(pairs.differs.values()), axis=0).sum()) if pairs.differs else 0,
            fast=options.fast,
            where=options.where,
            left_out=_left_out(state, samples, changed),
        ),
        warnings=(*state.notes, *compared.warnings, *leak_notes),
    )


def _created_at() -> str | None:
    """A date only where the environment gives one, so that the same inputs give the same bytes."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    return datetime.fromtimestamp(int(epoch), timezone.utc).isoformat() if epoch.isdecimal() else None


def _side(table: Table, rows: int) -> Side:
    return Side(
        ref=table.ref,
        path=table.shown,
        format=table.format,
        rows=rows,
        fingerprint=table.fingerprint,
        run=recipe_name(table.run),
    )


def _columns(state: State, compared: Comparison, matched: int) -> tuple[ColumnChange, ...]:
    if not state.options.fast:
        tolerances = {name: str(one) for name, one in state.options.tolerances.items()}
        return compared.tally.column_changes(matched, tolerances)
    kinds = {column.name: column.compared_as for column in state.layout.columns}
    found = [
        ColumnChange(path=name, compared_as=kinds[name], changed_rows=int(bits.sum()), change_rate=share(int(bits.sum()), matched))
        for name, bits in state.pairs.differs.items()
        if bits.any()
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda one: (-one.changed_rows, one.path)))


def _removed_by(state: State) -> tuple[tuple[ledgers.RemovedBy, ...], int | None, int]:
    if not state.steps or not state.a.as_records:
        return (), None, 0
    if not len(state.left_a):
        return (), 0, 0
    uids = state.survey_a.rows[state.places(0, state.left_a)][KEY + "uid"]
    return ledgers.explain_removed(state.steps, uids)


def _leaks(state: State) -> tuple[leaks.Leaks | None, list[Note]]:
    columns, fast = state.layout.columns, state.options.fast
    one = leaks.find(state.a, state.survey_a, columns, fast)
    other = leaks.find(state.b, state.survey_b, columns, fast)
    was = np.zeros(len(state.survey_b), bool)
    if one is not None:
        was[state.places(1, state.pairs.b)] = one.rows[state.places(0, state.pairs.a)]
    groups = other.groups[:5] if other else []
    places = sorted({place for group in groups for place in group})
    rows = state.survey_b.rows[ROW].to_numpy()[places].astype(np.int64) if places else np.zeros(0, np.int64)
    names = dict(zip(places, state.names(1, rows), strict=True))
    notes = [note for found in (one, other) if found for note in found.notes]
    return leaks.together(one, other, names, was), notes


def _moves(state: State) -> tuple[SplitMove, ...]:
    if not state.moved_split.any():
        return ()
    places = np.flatnonzero(state.moved_split)
    one = state.survey_a.facets["split"][state.places(0, state.pairs.a[places])].cast(pl.String)
    other = state.survey_b.facets["split"][state.places(1, state.pairs.b[places])].cast(pl.String)
    counted = (
        pl.DataFrame({"a": one, "b": other})
        .group_by("a", "b")
        .len()
        .sort("len", "a", "b", descending=[True, False, False])
    )
    return tuple(SplitMove(before=a, after=b, rows=rows) for a, b, rows in counted.iter_rows())


def _turn_errors(state: State) -> TurnErrors | None:
    a, b = state.survey_a.measures, state.survey_b.measures
    if EMPTY not in a or EMPTY not in b:
        return None
    wrong_a = a.get(MISMATCH, np.zeros(len(state.survey_a))) > 0
    wrong_b = b.get(MISMATCH, np.zeros(len(state.survey_b))) > 0
    was = np.zeros(len(wrong_b), bool)
    was[state.places(1, state.pairs.b)] = wrong_a[state.places(0, state.pairs.a)]
    return TurnErrors(
        image_mismatch=(int(wrong_a.sum()), int(wrong_b.sum())),
        new_image_mismatch=int((wrong_b & ~was).sum()),
        empty_turns=(int((a[EMPTY] > 0).sum()), int((b[EMPTY] > 0).sum())),
    )


def _distributions(state: State) -> tuple[Distribution, ...]:
    """Every column and measure that both sides have; of single splits those that drift while the whole does not."""
    a, b, seed = state.survey_a, state.survey_b, 0
    categories = [name for name in a.facets if name in b.facets]
    numbers = [name for name in a.measures if name in b.measures and not name.startswith("\x00")]
    percent = 99 if len(categories) + len(numbers) > drift.MANY_COLUMNS else 95
    found: list[Distribution] = []
    for name in categories:
        found.append(drift.categorical(name, a.facets[name], b.facets[name], percent, seed))
    for name in numbers:
        one = drift.numeric(name, a.measures[name], b.measures[name], percent, seed)
        found += [one] if one is not None else []
    drifted = {one.column for one in found if one.state == "drifted"}
    if "split" in a.facets and "split" in b.facets:
        for part in sorted({*_values(a.facets["split"]), *_values(b.facets["split"])}):
            found += _of_split(
                state, part, [one for one in (*categories, *numbers) if one not in (*drifted, "split")], percent
            )
    return tuple(found)


def _values(column: pl.Series) -> list[str]:
    return column.drop_nulls().unique().cast(pl.String).to_list()


def _of_split(state: State, part: str, names: Sequence[str], percent: int) -> list[Distribution]:
    a, b = state.survey_a, state.survey_b
    inside = [(side.facets["split"].cast(pl.String) == part).fill_null(False) for side in (a, b)]
    if not all(bits.any() for bits in inside):
        return []
    found = []
    for name in names:
        if name in a.facets:
            one = drift.categorical(name, a.facets[name].filter(inside[0]), b.facets[name].filter(inside[1]), percent)
        else:
            bits = [side.to_numpy() for side in inside]
            measured = drift.numeric(name, a.measures[name][bits[0]], b.measures[name][bits[1]], percent)
            if measured is None:
                continue
            one = measured
        if one.state == "drifted":
            found.append(one.model_copy(update={"scope": f"split={part}"}))
    return found


def _left_out(state: State, samples: Samples, changed: int) -> tuple[str, ...]:
    """Say which rows are not shown."""
    sizes: tuple[tuple[Literal["changed", "added", "removed"], int], ...] = (
        ("changed", changed), ("added", len(state.left_b)), ("removed", len(state.left_a)),
    )  # fmt: skip
    hidden = [(name, size - len(getattr(samples, name))) for name, size in sizes]
    return tuple(f"{number:,} {name} rows are not shown" for name, number in hidden if number)


def _judged(report: Report, rules: Sequence[Rule], strict: bool) -> Report:
    checks = evaluate(rules, report, strict)
    return with_verdict(report, checks)


def with_verdict(report: Report, checks: Sequence[object]) -> Report:
    """Give the report its findings and the verdict that follows from checks."""
    found = findings.find(report)
    rows, schema = report.rows, report.schema_diff
    fails = any(not one.ok for one in checks)  # type: ignore[attr-defined]
    verdict = Verdict(
        status="fail" if fails else "pass" if checks else "no_policy",
        differences=bool(rows.changed or rows.added or rows.removed or not schema.identical),
        exit_code=1 if fails else 0,
        checks=tuple(checks),  # type: ignore[arg-type]
        findings=found,
    )
    return report.model_copy(update={"verdict": verdict})


def one_row(a: Table, b: Table, options: DiffOptions) -> SampleBuilder:
    """Match two tables so that single rows can be told whole."""
    return SampleBuilder(match(a, b, replace(options, samples=0)), longest=None)
