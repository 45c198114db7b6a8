"""Compares two tables and writes the report: survey, pairs, comparison, then everything that is told of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import polars as pl

from curate.diff import findings, leaks, ledgers
from curate.diff.assemble import assemble
from curate.diff.cells import text_of
from curate.diff.cellwise import CellComparer
from curate.diff.checks import check_columns, evaluate
from curate.diff.columns import lay_out
from curate.diff.compare import Comparer, Comparison, pairs_of
from curate.diff.distribution import Distribution, Leaks
from curate.diff.kept import Kept
from curate.diff.keys import candidates
from curate.diff.ladder import Ladder
from curate.diff.options import DiffOptions, check_tolerances
from curate.diff.report import Check, Note, Report, Verdict
from curate.diff.rules import Rule
from curate.diff.samples import Samples as SampleBuilder
from curate.diff.segments import everything_visible
from curate.diff.state import State
from curate.diff.survey import survey
from curate.diff.table import ROW, Table
from curate.diff.tally import Tally
from curate.diff.walk import Walker
from curate.diff.weigh import distributions
from curate.errors import UsageError

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
    known = dict.fromkeys([*a.names, *b.names, *(column.name for column in state.layout.columns)])
    for rule in rules:
        _check_path(rule, a, b)
    surveys = (state.survey_a, state.survey_b)
    measured = dict.fromkeys(name for one in surveys for name in (*one.measures, *one.facets))
    check_columns(rules, list(known), [name for name in measured if not name.startswith("\x00")])
    leaking = _leaks(state)
    state.survey_a.forget_hashes()
    state.survey_b.forget_hashes()
    read = threading.Event()
    with ThreadPoolExecutor(1) as threads:
        weighed = threads.submit(_weighed, state, read)
        try:
            compared = _compare(state, read.set)
        finally:
            read.set()
    report = _judged(assemble(state, compared, leaking, weighed.result()), rules, strict)
    return Report.from_plain(everything_visible(report.plain()))


def _check_path(rule: Rule, a: Table, b: Table) -> None:
    """Make sure that a path in a column leads somewhere."""
    scope, paths = rule.scope or "", [name for table in (a, b) if not table.as_json for name in table.types]
    if "[" in scope and scope.split("[")[0] in paths and not (a.may_have(scope) or b.may_have(scope)):
        raise UsageError(f"'{rule.text}': {scope.split('[')[0]} has no such part as {scope}")


def _weighed(state: State, read: threading.Event) -> tuple[Distribution, ...]:
    """Weigh numbers once rows are read: reading keeps two cores busy, comparing only one."""
    read.wait()
    return distributions(state)


def match(a: Table, b: Table, options: DiffOptions) -> State:
    """Survey both tables and pair their rows."""
    layout = lay_out(a, b, options)
    check_tolerances(options.tolerances, [column.name for column in layout.columns])
    keys = candidates(a, b, options)
    with ThreadPoolExecutor(2) as threads:
        surveyed = [threads.submit(survey, table, side, layout.columns, keys) for side, table in enumerate((a, b))]
        survey_a, survey_b = (one.result() for one in surveyed)
    ladder = Ladder(a, b, survey_a, survey_b, layout.columns, options)
    pairing, matching = ladder.climb(keys)
    renumbered = {name for one in matching.rejected_keys if one.given_anew for name in one.key}
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
        ledgers.steps_between(a, b) if matching.mode == "uid" or _one_run(a, b) else [],
        [*ladder.warnings, *_notes(a), *_notes(b)],
    )


def _one_run(a: Table, b: Table) -> bool:
    return a.run is not None and b.run is not None and a.run.resolve() == b.run.resolve()


def _notes(table: Table) -> list[Note]:
    if not table.bad_records:
        return []
    number = findings.rows(table.bad_records)
    return [Note(code="bad_records", text=f"{number} of {table.name} are no JSON objects; their text is compared")]


def _compare(state: State, when_read: Callable[[], None]) -> Comparison:
    """The second pass; with --fast hashes alone say what changed. Says when the first rows were read."""
    options = state.options
    if options.fast:
        for bits in state.pairs.differs.values():
            state.pairs.changed |= bits
        return Comparison(Tally())
    cells = CellComparer(state.a, state.b, Walker(options, state.layout.nulls_are_missing))
    kept = Kept(options.samples, options.seed)
    comparer = Comparer(state.a, state.b, cells, state.layout.columns, state.pair_names, kept, when_read)
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


def _judged(report: Report, rules: Sequence[Rule], strict: bool) -> Report:
    checks = evaluate(rules, report, strict)
    return with_verdict(report, checks)


def with_verdict(report: Report, checks: Sequence[Check]) -> Report:
    """Give the report its findings and the verdict that follows from checks."""
    found = findings.find(report)
    rows, schema = report.rows, report.schema_diff
    fails = any(not one.ok for one in checks)
    verdict = Verdict(
        status="fail" if fails else "pass" if checks else "no_policy",
        differences=bool(rows.changed or rows.added or rows.removed or not schema.identical),
        exit_code=1 if fails else 0,
        checks=tuple(checks),
        findings=found,
    )
    return report.model_copy(update={"verdict": verdict})
