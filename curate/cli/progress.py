"""Progress of a run on the screen: bars in a terminal, a line now and then in a pipe."""

from __future__ import annotations

import time
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bars
from rich.text import Text

from curate.cli.summary import duration, step_line
from curate.pipeline.progress import Progress
from curate.pipeline.result import StepResult

_HEARTBEAT = 30.0
"""Seconds between two lines in a pipe."""


class _Rate(ProgressColumn):
    """Units a second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.1f} {task.fields['unit']}/s" if speed else "", style="dim")


class BarProgress(Progress):
    """One live bar for the step that runs; each finished step leaves a line behind."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._bars: Bars | None = None
        self._task: Any = None

    def start(self, step: str, total: int | None, unit: str, why: str) -> None:
        """Show a bar."""
        self._end()
        self._bars = Bars(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[unit]}", markup=False),
            _Rate(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[failed]}", style="red", markup=False),
            console=self.console,
            transient=True,
        )
        self._bars.start()
        self._task = self._bars.add_task(step, total=total, unit=unit, failed="")

    def advance(self, units: int, failed: int) -> None:
        """Move the bar."""
        if self._bars is not None:
            self._bars.update(self._task, advance=units, failed=f"{failed} failed" if failed else "")

    def finish(self, result: StepResult) -> None:
        """Leave a line."""
        self._end()
        self.console.print(step_line(result))

    def note(self, text: str) -> None:
        """Print a line."""
        self.console.print(Text(text, style="dim"))

    def close(self) -> None:
        """Take the bar away, whatever happened."""
        self._end()

    def _end(self) -> None:
        if self._bars is not None:
            self._bars.stop()
            self._bars = None


class LineProgress(Progress):
    """Plain lines for pipes and logs: one for each finished step, and a sign of life every half minute."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._step = ""
        self._unit = ""
        self._total: int | None = None
        self._done = 0
        self._first = 0
        self._began: float | None = None
        self._told = 0.0

    def start(self, step: str, total: int | None, unit: str, why: str) -> None:
        """Remember the step."""
        self._step, self._total, self._unit, self._done, self._first = step, total, unit, 0, 0
        self._began, self._told = None, time.monotonic()

    def advance(self, units: int, failed: int) -> None:
        """Print a line if the last one is long ago.

        The rate is taken from the first finished units on: what came before them is the loading of models.
        """
        self._done += units
        now = time.monotonic()
        if self._began is None and units:
            self._began, self._first = now, self._done
        if now - self._told < _HEARTBEAT:
            return
        self._told = now
        since = self._done - self._first
        rate = since / (now - self._began) if since and self._began is not None and now > self._began else 0.0
        text = f"{self._step} {self._done:,}"
        if self._total:
            text += f"/{self._total:,} {self._done / self._total:.0%}"
        if rate:
            text += f" {rate:.1f} {self._unit}/s"
            text += f" eta {duration(max(self._total - self._done, 0) / rate)}" if self._total else ""
        self.console.print(Text(text + f" failed {failed}"))

    def finish(self, result: StepResult) -> None:
        """Print the step's line."""
        self.console.print(step_line(result))

    def note(self, text: str) -> None:
        """Print a line."""
        self.console.print(Text(text))

    def close(self) -> None:
        """Nothing to take away."""
