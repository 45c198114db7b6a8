"""Compares two tables and writes the report: survey, pairs, comparison, then everything that is told of them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from typing import Any, Literal

import numpy as np
import polars as pl

import curate
from curate.diff import drift, findings, leaks, ledgers
from curate.diff.cells import text_of
from curate.diff.cellwise import CellComparer
from curate.diff.checks import check_columns, evaluate
from curate.diff.columns import lay_out
from curate.diff.compare import Comparer, Comparison, pairs_of
from curate.diff.distribution import Distribution, Leaks, PersonalCounts, Safety, SplitMove, Splits
from curate.diff.flow import RemovedBy
from curate.diff.kept import Kept
from curate.diff.keys import candidates
from curate.diff.ladder import Ladder
from curate.diff.measures import EMPTY, MISMATCH
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
from curate.diff.sample import RowSample
from curate.diff.samples import TEXT_CHARACTERS
from curate.diff.samples import Samples as SampleBuilder
from curate.diff.slices import over_represented
from curate.diff.state import State
from curate.diff.survey import KEY, Facet, Survey, survey
from curate.diff.table import ROW, Table
from curate.diff.tables import ColumnChange, TurnErrors
from curate.diff.tally import Tally, share
from curate.diff.walk import Walker

READ_ALONE = 50_000
"""Removed and added rows that are read whole, to look for personal data in them."""


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
    leaking = _leaks(state)
    state.survey_a.forget_hashes()
    state.survey_b.forget_hashes()
    return _judged(_report(state, _compare(state), leaking), rules, strict)


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
    options = state.options
    if options.fast:
        for bits in state.pairs.differs.values():
            state.pairs.changed |= bits
        return Comparison(Tally())
    cells = CellComparer(state.a, state.b, Walker(options, state.layout.nulls_are_missing))
    kept = Kept(options.samples, options.seed)
    comparer = Comparer(state.a, state.b, cells, state.layout.columns, state.pair_names, kept)
    wanted = []
    for side, left in enumerate((state.left_a, state.left_b)):
        some = np.union1d(state.sampled(side, left, options.samples), left[:READ_ALONE])
        wanted.append((some, SampleBuilder(state).sources))
        if len(left) > READ_ALONE:
            which = ("removed", "added")[side]
            text = f"personal data was looked for in the first {READ_ALONE:,} {which} rows only"
            state.notes.append(Note(code="personal_partly", text=text))
    found = comparer.compare(state.pairs, (wanted[0], wanted[1]))
    assert found.alone is not None
    for side, frame in enumerate(found.alone):
        texts = [text_of(list(values.values())) for values in _texts_alone(state, side, frame)]
        nothing = [""] * len(texts)
        found.tally.add_personal(*((nothing, texts) if side else (texts, nothing)))
    return found


def _texts_alone(state: State, side: int, frame: pl.DataFrame) -> Iterator[dict[str, Any]]:
    """The texts of rows on one side, row by row."""
    kinds = ("conversation", "text", "json")
    names = [column.source for column in state.layout.columns if column.compared_as in kinds]
    table = (state.a, state.b)[side]
    for start in range(0, len(frame), 4096):
        yield from table.values(frame[start : start + 4096].select(ROW, *names), names).values()


def _report(state: State, compared: Comparison, leaking: Leaks | None) -> Report:
    a, b, options, pairs = state.a, state.b, state.options, state.pairs
    changed = int(pairs.changed.sum())
    matched, removed, added = len(pairs), len(state.left_a), len(state.left_b)
    removed_by, unexplained, failed = _removed_by(state)
    builder = SampleBuilder(state)
    samples = Samples(
        seed=options.seed,
        changed=builder.changed(compared.shown),
        added=_shown_alone(state, builder, compared, 1),
        removed=_shown_alone(state, builder, compared, 0),
    )
    return Report(
        title=options.title or f"{a.name} → {b.name}",
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
        safety=Safety(
            personal=None
            if options.fast
            else {
                kind: PersonalCounts(a=before, b=after, new=new)
                for kind, (before, after, new) in sorted(compared.tally.personal.items())
            }
        ),
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
        warnings=(*state.notes, *compared.warnings),
    )


def _shown_alone(state: State, builder: SampleBuilder, compared: Comparison, side: int) -> tuple[RowSample, ...]:
    if compared.alone is None:
        return ()
    chosen = state.sampled(side, (state.left_a, state.left_b)[side], state.options.samples)
    return builder.one_sided(side, compared.alone[side].filter(pl.col(ROW).is_in(chosen.tolist())))


def _created_at() -> str | None:
    """A date only where the environment gives one, so that the same inputs give the same bytes."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    return datetime.fromtimestamp(int(epoch), timezone.utc).isoformat() if epoch.isdecimal() else None


def _side(table: Table, rows: int) -> Side:
    return Side(
        ref=table.name,
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


def _removed_by(state: State) -> tuple[tuple[RemovedBy, ...], int | None, int]:
    if not state.steps or not state.a.as_records:
        return (), None, 0
    if not len(state.left_a):
        return (), 0, 0
    uids = state.survey_a.rows[state.places(0, state.left_a)][KEY + "uid"]
    return ledgers.explain_removed(state.steps, uids)


def _leaks(state: State) -> Leaks | None:
    columns, fast = state.layout.columns, state.options.fast
    one = leaks.find(state.a, state.survey_a, columns, fast)
    other = leaks.find(state.b, state.survey_b, columns, fast)
    was = np.zeros(len(state.survey_b), bool)
    if one is not None:
        was[state.places(1, state.pairs.b)] = one.rows[state.places(0, state.pairs.a)]
    places = sorted({place for group in (other.groups[:5] if other else ()) for place in group})
    rows = state.survey_b.rows[ROW].to_numpy()[np.array(places, np.int64)].astype(np.int64)
    names = dict(zip(places, state.names(1, rows), strict=True))
    state.notes += [note for found in (one, other) if found for note in found.notes]
    return leaks.together(one, other, names, was)


def _moves(state: State) -> tuple[SplitMove, ...]:
    places = np.flatnonzero(state.moved_split)
    if not len(places):
        return ()
    one = state.survey_a.facets["split"].names(state.places(0, state.pairs.a[places]))
    other = state.survey_b.facets["split"].names(state.places(1, state.pairs.b[places]))
    counted = Counter(zip(one, other, strict=True))
    moves = [SplitMove(before=before, after=after, rows=rows) for (before, after), rows in counted.items()]
    return tuple(sorted(moves, key=lambda one: (-one.rows, one.before or "", one.after or "")))


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
    a, b = state.survey_a, state.survey_b
    categories = [name for name in a.facets if name in b.facets and _holds(a.facets[name]) and _holds(b.facets[name])]
    bins: dict[str, drift.Binned] = {}
    for name in a.measures:
        if name in b.measures and not name.startswith("\x00") and _has_numbers(a, b, name):
            one = drift.binned(a.measures[name], b.measures[name])
            bins |= {} if one is None else {name: one}
    percent = 99 if len(categories) + len(bins) > drift.MANY_COLUMNS else 95
    found = [drift.categorical(name, a.facets[name], b.facets[name], percent) for name in categories]
    found += [drift.numeric(name, a.measures[name], b.measures[name], one, percent) for name, one in bins.items()]
    drifted = {one.column for one in found if one.state == "drifted"}
    for part, within in _split_parts(state):
        for name in categories:
            if name not in drifted and name != "split":
                found += _if_drifted(drift.categorical(name, a.facets[name], b.facets[name], percent, within), part)
        for name, one in bins.items():
            value, floor, _, _ = one.distance(percent, within) if name not in drifted else (0.0, 1.0, None, None)
            if value > max(drift.THRESHOLD, floor):
                told = drift.numeric(name, a.measures[name], b.measures[name], one, percent, within)
                found += _if_drifted(told, part)
    return tuple(found)


def _holds(facet: Facet) -> bool:
    """Whether any row has a value; a column that was empty and is filled in, or the reverse, has not drifted."""
    return bool(facet.counts()[:-1].any())


def _has_numbers(a: Survey, b: Survey, name: str) -> bool:
    return not (np.isnan(a.measures[name]).all() or np.isnan(b.measures[name]).all())


def _if_drifted(found: Distribution, part: str) -> list[Distribution]:
    return [found.model_copy(update={"scope": f"split={part}"})] if found.state == "drifted" else []


def _split_parts(state: State) -> Iterator[tuple[str, drift.Parts]]:
    """The rows of each split that both sides have."""
    one, other = state.survey_a.facets.get("split"), state.survey_b.facets.get("split")
    if one is None or other is None:
        return
    for part in one.values:
        if part is not None and part in other.values:
            bits = (one.codes == one.values.index(part), other.codes == other.values.index(part))
            if bits[0].any() and bits[1].any():
                yield part, bits


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
