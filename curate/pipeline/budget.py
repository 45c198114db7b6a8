"""The error budget: bad rows cost themselves, too many of them stop the run."""

from __future__ import annotations

from curate.errors import BudgetExceeded
from curate.pipeline.outcome import Counts
from curate.pipeline.recipe import Recipe


def check_failures(recipe: Recipe, title: str, counts: Counts, rows: int) -> None:
    """Stop a run that is going wrong.

    Args:
        recipe: Says how many rows may fail.
        title: The step's title, for the message.
        counts: What became of the rows so far.
        rows: All rows that come into the step.

    Raises:
        BudgetExceeded: more rows failed than the recipe allows, or all of them.
    """
    codes = ", ".join(f"{code} {number}" for code, number in sorted(counts.codes.get("failed", {}).items()))
    if counts.failed and counts.failed == rows:
        raise BudgetExceeded(f"{title}: all {rows:,} rows failed ({codes})")
    allowed = recipe.allowed_failures(rows)
    if counts.failed > allowed:
        raise BudgetExceeded(
            f"{title}: {counts.failed:,} of {rows:,} rows failed ({codes}); max_failed: {recipe.max_failed} allows "
            f"{allowed:,}. Mend the data, or allow more with --set max_failed=10%"
        )
