"""The recipe's key `checks`: rules that are held against what a run made of its input."""

from __future__ import annotations

from pathlib import Path

from curate.diff.diff import diff
from curate.diff.markdown import value_of
from curate.diff.opening import open_run
from curate.diff.options import DiffOptions
from curate.diff.report import Check, Report
from curate.diff.rules import parse_rule
from curate.pipeline.afterwards import Afterwards, Said


class ChecksKeeper(Afterwards[list[str]]):
    """Holds a finished run against rules, as `curate diff RUN --fail-on RULE` does."""

    def check(self) -> None:
        """Make sure that the rules can be read."""
        for text in self.asked:
            parse_rule(text)

    def do(self, run: Path) -> Said:
        """Compare what came in with what went out; columns that there are not raise UsageError."""
        before, after = open_run(run)
        report = diff(before, after, DiffOptions(samples=0), [parse_rule(text) for text in self.asked])
        checks = [_of_recipe(one) for one in report.verdict.checks]
        failed = [one for one in checks if not one.ok]
        facts = {"status": report.verdict.status, "rules": [one.model_dump(mode="json") for one in checks]}
        return Said("checks", _line(report, failed), not failed, facts)


def _of_recipe(check: Check) -> Check:
    return check.model_copy(update={"source": "recipe"})


def _line(report: Report, failed: list[Check]) -> str:
    if not failed:
        return f"checks  {len(report.verdict.checks)} hold"
    told = "; ".join(f"{one.rule}: it is {value_of(one)}{f' ({one.note})' if one.note else ''}" for one in failed)
    return f"checks  {len(failed)} of {len(report.verdict.checks)} do not hold: {told}"
