"""Running a recipe from a command: progress, plan, the closing report, and the exit code."""

from __future__ import annotations

import shlex
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

from rich.text import Text

from curate.cli.output import Output, printable, whoever_reads
from curate.cli.progress import BarProgress, LineProgress
from curate.cli.summary import report, shown, steps_table, typed
from curate.dataset.dataset import Dataset
from curate.dataset.remote import cache_folder
from curate.errors import BudgetExceeded, Interrupted
from curate.pipeline.afterwards import Said
from curate.pipeline.plan import Plan, plan
from curate.pipeline.progress import Progress
from curate.pipeline.recipe import Recipe
from curate.pipeline.result import RunResult, StepResult
from curate.pipeline.run import run

_SHOWN = 20
"""Failed rows that are shown when a run stops."""


def execute(
    out: Output, recipe: Recipe, folder: Path, *, dry_run: bool, then: Callable[[Dataset], Said | None] | None = None
) -> int:
    """Run a recipe or show its plan; give the exit code.

    Args:
        out: Where to tell it.
        recipe: What to do.
        folder: The run's folder.
        dry_run: Whether to show the plan only.
        then: What else is done with the finished rows; what came of it is told with the rest.
    """
    if dry_run:
        _show_plan(out, plan(recipe, folder, cache_folder()))
        return 0
    out.talk(Text.assemble((recipe.name, "bold"), f" → {printable(shown(folder))}"))
    result = perform(out, recipe, folder)
    if isinstance(result, int):
        return result
    said = then(Dataset.open(folder)) if then else None
    result.said += [said] if said else []
    with whoever_reads():
        _tell(out, result)
    return exit_code(recipe, result)


def perform(out: Output, recipe: Recipe, folder: Path) -> RunResult | int:
    """Run a recipe and show how it goes; give the exit code instead of a result where somebody asked to stop.

    Raises:
        BudgetExceeded: too many rows failed; the steps and the failed rows have been shown.
    """
    progress = ScreenProgress(out)
    try:
        return run(recipe, folder, progress=progress, cache=cache_folder())
    except Interrupted as error:
        progress.close()
        return stopped(out, error, f"what was finished is kept in {shown(folder)}")
    except BudgetExceeded:
        progress.close()
        with whoever_reads():
            _show_failed(out, folder, progress.steps)
        raise
    finally:
        progress.close()


def stopped(out: Output, error: Interrupted, what_is_kept: str) -> int:
    """Say that somebody asked to stop, and how to go on; give the exit code."""
    out.talk(f"stopped; {what_is_kept}")
    out.hint(f"{shlex.join(['curate', *sys.argv[1:]])}   (continues where it stopped)")
    return 128 + error.signal_number


def exit_code(recipe: Recipe, result: RunResult) -> int:
    """1 where rows failed and the recipe does not say that they may, or what it asks of the rows does not hold."""
    failed = result.failed_rows and not recipe.tolerates(result.failed_rows)
    return 1 if failed or not all(said.ok for said in result.said) else 0


class ScreenProgress(Progress):
    """Passes progress on to the screen, if anybody wants to see it, and remembers the finished steps."""

    def __init__(self, out: Output) -> None:
        self.steps: list[StepResult] = []
        self._screen = None if out.quiet else (BarProgress if out.stderr.is_interactive else LineProgress)(out.stderr)

    def start(self, step: str, total: int | None, unit: str, why: str) -> None:
        """A step begins."""
        if self._screen:
            self._screen.start(step, total, unit, why)

    def advance(self, units: int, failed: int) -> None:
        """Units were finished."""
        if self._screen:
            self._screen.advance(units, failed)

    def finish(self, result: StepResult) -> None:
        """A step is done."""
        self.steps.append(result)
        if self._screen:
            self._screen.finish(result)

    def note(self, text: str) -> None:
        """Something worth a line."""
        if self._screen:
            self._screen.note(text)

    def close(self) -> None:
        """Take the bar away."""
        if self._screen:
            self._screen.close()


def _show_failed(out: Output, folder: Path, steps: list[StepResult]) -> None:
    """Show what stopped a run: the steps, and the rows that failed, each with its reason."""
    from curate.cli.ls import gone_lines, rows_gone

    gone = list(rows_gone(folder, ["failed"]))
    if out.as_json:
        out.json({"status": "too many rows failed", "steps": [step.as_dict() for step in steps], "failed": gone})
        return
    out.print(steps_table(steps))
    out.print(gone_lines(gone[:_SHOWN]))
    if len(gone) > _SHOWN:
        out.print(f"  … and {len(gone) - _SHOWN:,} more")
    out.hint(f"curate ls {typed(folder)} --failed   (all of them; whole rows are in {typed(folder)}/*/failed/)")


def _tell(out: Output, result: RunResult) -> None:
    if out.as_json:
        out.json({"out": str(result.out), **result.as_dict()})
        return
    out.print(report(result))
    for said in result.said:
        out.print(said.line)
    for export in result.exports:
        if export.facts.get("next"):
            out.hint(str(export.facts["next"]))
    hint_failed(out, result)
    out.hint(f"curate show {typed(result.out)}")


def hint_failed(out: Output, result: RunResult) -> None:
    """Name the command that lists the failed rows, if there are any."""
    if result.failed_rows:
        out.hint(f"curate ls {typed(result.out)} --failed   (the {result.failed_rows} rows that failed, with reasons)")


def _show_plan(out: Output, planned: Plan) -> None:
    if out.as_json:
        out.json(planned.as_dict())
        return
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD)
    for name, justify in (
        ("step", "left"),
        ("will", "left"),
        ("rows", "right"),
        ("shards", "right"),
        ("why, and with what", "left"),
    ):
        table.add_column(name, justify=justify, overflow="fold")  # type: ignore[arg-type]
    guessed = planned.steps[0].runs  # records of a source are counted when they are read
    for step in planned.steps:
        needs = ", ".join(f"{key} {textwrap.shorten(value, 48, placeholder='…')}" for key, value in step.needs.items())
        told = Text("; ".join(part for part in (step.why, needs) if part), style="dim")
        will = Text("run", style="cyan") if step.runs else Text("reuse", style="green")
        rows = "?" if step.rows is None else f"{'~' if guessed else ''}{step.rows:,}"
        table.add_row(step.title, will, rows, "" if step.shards is None else f"{step.shards:,}", told)
    place = f" → {printable(shown(planned.out))} with {planned.workers} workers, {planned.free_disk / 1e9:.0f} GB free"
    out.print(Text.assemble((planned.recipe, "bold"), place))
    out.print(table)
    out.talk("nothing was written (--dry-run)")
