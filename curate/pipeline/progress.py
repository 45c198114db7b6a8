"""What a run tells while it goes; the library says it, whoever called decides how it looks."""

from __future__ import annotations

from curate.pipeline.result import StepResult


class Progress:
    """Hears what happens and shows nothing. The command line has one that draws."""

    def start(self, step: str, total: int | None, unit: str, why: str) -> None:
        """A step begins.

        Args:
            step: Its title.
            total: Units that it will work through; None where nobody knows.
            unit: `rows` or `images`.
            why: Why it runs at all and is not reused; empty on a first run.
        """

    def advance(self, units: int, failed: int) -> None:
        """Units were finished in the current step; `failed` rows of it failed so far."""

    def finish(self, result: StepResult) -> None:
        """A step is done, or was found done."""

    def note(self, text: str) -> None:
        """Something worth a line."""
