"""`curate diff`: what changed between two data sets, or from one end of a run to the other."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from curate.cli.diff_written import Shown, page_options, tell, write, write_rows
from curate.cli.output import Output, common, spare, whoever_reads

if TYPE_CHECKING:
    from curate.diff.options import DiffOptions
    from curate.diff.report import Report
    from curate.diff.table import Table


@click.command("diff")
@click.argument("a", required=False)
@click.argument("b", required=False)
@click.option("--by-stage", is_flag=True, help="Only the flow of rows through the stages of a run.")
@click.option("--row", metavar="ROW", help="Only this row, whole: its uid, key or source id, or their beginning.")
@click.option("--key", multiple=True, metavar="COL", help="Match rows on this column; repeat for more.")
@click.option(
    "--on-duplicate-key",
    type=click.Choice(["group", "error"]),
    default="group",
    show_default=True,
    help="Rows that share their key: matched by content, or refused.",
)
@click.option("--columns", multiple=True, metavar="GLOB", help="Compare only these columns; repeat for more.")
@click.option("--ignore-columns", multiple=True, metavar="GLOB", help="Leave these columns out; repeat for more.")
@click.option("--where", metavar="SQL", help="Only rows for which this holds, as \"label = '退款'\".")
@click.option("--tol", multiple=True, metavar="COL=abs:X,rel:Y", help="Numbers that are so near are equal.")
@click.option("--ignore", metavar="LIST", help="No difference: whitespace, case, width, punct, order.")
@click.option(
    "--text-diff", type=click.Choice(["char", "word"]), default="char", show_default=True, help="How texts are shown."
)
@click.option("--fail-on", multiple=True, metavar="RULE", help="Exit with 1 where RULE does not hold, as removed:2%.")
@click.option("--strict", is_flag=True, help="Drift that too few rows can tell fails a rule, too.")
@click.option("--exit-code", is_flag=True, help="Exit with 1 where there is any difference.")
@click.option(
    "--report", "reports", multiple=True, metavar="FILE", help="Write .html, .json, .md or .jsonl; - is JSON on stdout."
)
@click.option("--samples", type=click.IntRange(min=0), default=20, show_default=True, help="Rows shown of each status.")
@click.option("--seed", type=int, default=0, show_default=True, help="Another one shows other rows.")
@click.option(
    "--thumbs", default="240", show_default=True, metavar="PIXELS|none|files", help="Pictures of the HTML report."
)
@click.option("--lang", type=click.Choice(["en", "zh"]), default="en", show_default=True, help="Of the HTML report.")
@click.option(
    "--redact",
    type=click.Choice(["default", "strict", "keys-only", "none"]),
    help="What is hidden: personal data, all texts, all but keys, or nothing.  [default: default]",
)
@click.option("--fast", is_flag=True, help="Counts, schema and distributions only; rows are not read again.")
@click.option("--github", is_flag=True, help="Write the step summary and outputs of GitHub Actions.")
@common
def command(
    out: Output,
    a: str | None,
    b: str | None,
    by_stage: bool,
    row: str | None,
    fail_on: tuple[str, ...],
    strict: bool,
    exit_code: bool,
    reports: tuple[str, ...],
    redact: str | None,
    thumbs: str,
    lang: str,
    github: bool,
    **given: Any,
) -> int:
    """Tell what changed from A to B: rows that went or came and why, values that differ, drift, leaks.

    A and B are runs, RUN@STEP, Parquet, JSON or JSONL files of any shape, or folders of them or of pictures. A alone is
    a run, whose input is held against its output, or RUN@STEP, before and after that step; nothing at all is the newest
    run in work/. Differences are no failure: the exit code is 0 unless a --fail-on rule breaks.

    \b
    Examples:
      curate diff work/demo
      curate diff work/demo@denoise --report denoise.html
      curate diff old.jsonl new.jsonl --key id --fail-on removed:2% --fail-on digits:0
      curate diff work/demo --row 4tuj6t34
    """
    from curate.diff.diff import diff
    from curate.diff.ledgers import steps_between
    from curate.diff.output import check_name
    from curate.diff.private import redacted
    from curate.diff.rules import parse_rule

    for name in reports:
        check_name(Path(name))
        spare("--report", Path(name), *(Path(one) for one in (a, b) if one))
    if strict and not fail_on:
        raise click.UsageError("--strict goes with --fail-on RULE: it decides about rules, and none is given")
    rules = [parse_rule(text) for text in fail_on]
    shown = Shown(redact, thumbs, lang, reports, github)
    page_options(shown)
    options = _options(given)
    one, other = _open(a, b, options.where)
    options = replace(options, command=_command(one, other, given, fail_on, strict), title=f"{one.name} → {other.name}")
    if row is not None:
        if by_stage:
            raise click.UsageError("--row and --by-stage exclude each other: one row, or the flow of all")
        return _row(out, one, other, options, row, shown)
    if by_stage and not steps_between(one, other):
        raise click.UsageError("--by-stage is for runs: name a run, or two steps of one")
    found = diff(one, other, options, rules, strict)
    report = redacted(found, shown.redact or "default")  # type: ignore[arg-type]
    written = [*write(found, report, shown), *write_rows(one, other, options, shown)]
    with whoever_reads():
        tell(out, report, shown, by_stage, _next(a, b, report, written))
    for path in written:
        out.talk(f"written: {path}")
    return 1 if report.verdict.exit_code or (exit_code and report.verdict.differences) else 0


def _options(given: dict[str, Any]) -> DiffOptions:
    from curate.diff.options import DiffOptions, parse_ignored, parse_tolerance

    return DiffOptions(
        key=given["key"],
        on_duplicate_key=given["on_duplicate_key"],
        columns=given["columns"],
        ignore_columns=given["ignore_columns"],
        where=given["where"],
        tolerances=dict(parse_tolerance(text) for text in given["tol"]),
        ignore=parse_ignored(given["ignore"] or ""),
        text_diff=given["text_diff"],
        samples=given["samples"],
        seed=given["seed"],
        fast=given["fast"],
    )


def _open(a: str | None, b: str | None, where: str | None) -> tuple[Table, Table]:
    from curate.dataset.working_copy import brought
    from curate.diff.opening import open_pair, open_run

    if a is not None and b is not None:
        return open_pair(a, b, where)
    if a is None:
        from curate.cli.ls import newest_run

        return open_run(newest_run(), "", where)
    a = str(brought(Path(a)))
    name, _, step = a.partition("@") if not Path(a).exists() else (a, "", "")
    if not (Path(name) / "run.json").exists():
        raise click.UsageError(f"{a} is no run; name B, what it is compared with")
    return open_run(Path(name), step, where)


def _command(a: Table, b: Table, given: dict[str, Any], fail_on: tuple[str, ...], strict: bool) -> str:
    """The command that makes the report again, with paths as they may be shown."""
    words = ["curate", "diff", *([b.name] if a.is_input_of(b) else [a.name, b.name])]
    for name, value in given.items():
        option = f"--{name.replace('_', '-')}"
        default = {"samples": 20, "seed": 0, "on_duplicate_key": "group", "text_diff": "char"}.get(name)
        if value is True:
            words.append(option)
        elif isinstance(value, tuple):
            words += [part for one in value for part in (option, one)]
        elif value not in (None, False, default):
            words += [option, str(value)]
    words += [part for rule in fail_on for part in ("--fail-on", rule)]
    return shlex.join([*words, *(["--strict"] if strict else [])])


def _row(out: Output, a: Table, b: Table, options: DiffOptions, wanted: str, shown: Shown) -> int:
    from curate.cli.diff_row import row_text
    from curate.diff.one_row import one_row
    from curate.diff.private import redacted_row

    row = redacted_row(one_row(a, b, options, wanted), shown.redact or "default")  # type: ignore[arg-type]
    if out.as_json or "-" in shown.reports:
        out.json(row.model_dump(mode="json"))
    else:
        row_text(out, row)
    return 0


def _next(a: str | None, b: str | None, report: Report, written: list[Path]) -> list[str]:
    """What a person may want to see next."""
    from curate.diff.findings import leading_row
    from curate.report.personal import mask

    hints = [f"open {path}" for path in written if path.suffix == ".html"]
    row = leading_row(report)
    if row is not None and report.safety.redaction != "strict":
        names = shlex.join([name for name in (a, b) if name])
        if report.stages and report.inputs.b.run:
            run = (b or a or "").partition("@")[0]
            hints.append(f"curate why {shlex.quote(row.uid)}" + (f" --run {shlex.quote(run)}" if run else ""))
        hints.append(f"curate diff {names} --row {shlex.quote(row.uid)}".replace("  ", " "))
    return hints if report.safety.redaction == "none" else [hint for hint in hints if mask(hint) == hint]
