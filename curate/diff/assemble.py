"""Puts the report together from everything that was found of two tables."""

from __future__ import annotations

import os
from collections import Counter
from datetime import datetime, timezone
from typing import Literal

import numpy as np
import polars as pl

import curate
from curate.diff import ledgers
from curate.diff.compare import Comparison
from curate.diff.distribution import Distribution, Leaks, PersonalCounts, Safety, SplitMove, Splits
from curate.diff.flow import RemovedBy
from curate.diff.measures import EMPTY, MISMATCH, REPEATED
from curate.diff.opening import recipe_name
from curate.diff.report import Created, Inputs, Limits, Report, Rows, Samples, Side, Tool, Verdict
from curate.diff.sample import RowSample
from curate.diff.samples import TEXT_CHARACTERS
from curate.diff.samples import Samples as SampleBuilder
from curate.diff.slices import over_represented
from curate.diff.state import Bits, State
from curate.diff.survey import KEY
from curate.diff.table import ROW, Table
from curate.diff.tables import ChangedIn, ColumnChange, TurnErrors
from curate.diff.tally import share


def assemble(state: State, compared: Comparison, leaking: Leaks | None, weighed: tuple[Distribution, ...]) -> Report:
    """Write the report; the verdict comes later."""
    a, b, options = state.a, state.b, state.options
    removed_by, unexplained, failed = _removed_by(state)
    samples = _samples(state, compared)
    columns = _columns(state, compared, len(state.pairs))
    changed_in = compared.tally.changed_in()
    if options.fast:  # hashes know columns, and no paths in them
        changed_in = {one.path: ChangedIn(rows=one.changed_rows) for one in columns}
    return Report(
        title=options.title or f"{a.name} → {b.name}",
        tool=Tool(version=curate.__version__),
        created_by=Created(command=options.command, created_at=_created_at()),
        inputs=Inputs(a=_side(a, len(state.survey_a)), b=_side(b, len(state.survey_b))),
        verdict=Verdict(status="no_policy", differences=False, exit_code=0),
        rows=_rows(state, failed, unexplained),
        matching=state.matching,
        schema_diff=state.layout.schema,
        columns=columns,
        changed_in=changed_in,
        text_changes=compared.tally.text_changes(),
        media=compared.tally.media(
            any(one.compared_as == "image" for one in state.layout.columns),
            bool(compared.tally.iou or compared.tally.boxes),
        ),
        turns=_turn_errors(state),
        distributions=weighed,
        stages=ledgers.flows(state.steps),
        removed_by=removed_by,
        splits=Splits(rows=_split_rows(state), moved=_moves(state), leaks=leaking),
        safety=_safety(state, compared),
        segments=over_represented(
            state.survey_a,
            state.survey_b,
            state.marked(0, state.left_a),
            state.marked(1, state.left_b),
            state.marked(1, state.pairs.b[state.pairs.changed]),
        ),
        samples=samples,
        limits=_limits(state, samples),
        warnings=(*state.notes, *compared.warnings),
    )


def _rows(state: State, failed: int, unexplained: int | None) -> Rows:
    changed, matched = int(state.pairs.changed.sum()), len(state.pairs)
    removed, added = len(state.left_a), len(state.left_b)
    return Rows(
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
    )


def _samples(state: State, compared: Comparison) -> Samples:
    builder = SampleBuilder(state)
    return Samples(
        seed=state.options.seed,
        changed=builder.changed(compared.shown),
        added=_shown_alone(state, builder, compared, 1),
        removed=_shown_alone(state, builder, compared, 0),
    )


def _safety(state: State, compared: Comparison) -> Safety:
    if state.options.fast:
        return Safety(personal=None)
    found = sorted(compared.tally.personal.items())
    return Safety(personal={kind: PersonalCounts(a=before, b=after, new=new) for kind, (before, after, new) in found})


def _limits(state: State, samples: Samples) -> Limits:
    options, differs = state.options, list(state.pairs.differs.values())
    return Limits(
        samples=options.samples,
        text_characters=TEXT_CHARACTERS,
        rows_compared=int(np.any(differs, axis=0).sum()) if differs else 0,
        fast=options.fast,
        where=options.where,
        left_out=_left_out(state, samples, int(state.pairs.changed.sum())),
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
        ColumnChange(path=name, compared_as=kinds[name], changed_rows=rows, change_rate=share(rows, matched))
        for name, bits in state.pairs.differs.items()
        if (rows := int(bits.sum()))
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda one: (-one.changed_rows, one.path)))


def _removed_by(state: State) -> tuple[tuple[RemovedBy, ...], int | None, int]:
    if not state.steps or not state.a.as_records:
        return (), None, 0
    if not len(state.left_a):
        return (), 0, 0
    uids = state.survey_a.rows[state.places(0, state.left_a)][KEY + "uid"]
    return ledgers.explain_removed(state.steps, uids)


def _split_rows(state: State) -> dict[str, tuple[int, int]]:
    sides = []
    for side in (state.survey_a, state.survey_b):
        facet = side.facets.get("split")
        counts = [] if facet is None else zip(facet.values, facet.counts().tolist(), strict=True)
        sides.append({value: rows for value, rows in counts if value is not None})
    return {part: (sides[0].get(part, 0), sides[1].get(part, 0)) for part in sorted({*sides[0], *sides[1]})}


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
    empty, mismatch, repeated = (
        (state.flagged(0, name), state.flagged(1, name)) for name in (EMPTY, MISMATCH, REPEATED)
    )

    def counted(sides: tuple[Bits, Bits]) -> tuple[int, int]:
        return int(sides[0].sum()), int(sides[1].sum())

    return TurnErrors(
        image_mismatch=counted(mismatch),
        new_image_mismatch=int(state.newly(MISMATCH).sum()),
        empty_turns=counted(empty),
        repeated_roles=counted(repeated),
        new_repeated_roles=int(state.newly(REPEATED).sum()),
        any_error=counted((empty[0] | repeated[0], empty[1] | repeated[1])),
    )


def _left_out(state: State, samples: Samples, changed: int) -> tuple[str, ...]:
    """Say which rows are not shown."""
    sizes: tuple[tuple[Literal["changed", "added", "removed"], int], ...] = (
        ("changed", changed), ("added", len(state.left_b)), ("removed", len(state.left_a)),
    )  # fmt: skip
    hidden = [(name, size - len(getattr(samples, name))) for name, size in sizes]
    return tuple(f"{number:,} {name} rows are not shown" for name, number in hidden if number)
