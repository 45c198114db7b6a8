"""Every error that curate raises on purpose, in one tree.

::

    CurateError                  something a person can act on; the message says what, where and how to fix it
    ├── UsageError               the command, an option or the environment is wrong        (exit code 2)
    │   ├── RecipeError          a recipe does not fit its schema; holds every problem found
    │   ├── InputError           a source cannot be read at all
    │   ├── OutputError          the output folder cannot be used (taken, locked, full, not ours)
    │   └── MissingExtra         an optional package is needed; the message names the install command
    ├── RunFailed                the run ended, but not well                               (exit code 1)
    │   └── BudgetExceeded       more rows failed than `max_failed` allows
    ├── Interrupted              Ctrl-C or SIGTERM; finished work is kept                  (exit code 130 or 143)
    └── StageBroken              a stage broke its contract: a bug in the stage            (exit code 70)

    RowError                     one row is bad; caught at the row boundary, never leaves a stage
"""

from __future__ import annotations

from typing import NamedTuple


class CurateError(Exception):
    """Base class of everything that curate raises on purpose."""


class UsageError(CurateError):
    """The command, an option or the environment is wrong."""


class Problem(NamedTuple):
    """One thing wrong in a recipe: where it stands and what would be right."""

    place: str
    message: str
    excerpt: str = ""

    def __str__(self) -> str:
        head = f"{self.place}: {self.message}" if self.place else self.message
        return f"{head}\n{self.excerpt}" if self.excerpt else head


class RecipeError(UsageError):
    """A recipe does not fit its schema; `problems` holds all of them, in the order of the file."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))

    def __reduce__(self) -> tuple[type[RecipeError], tuple[list[Problem]]]:
        return type(self), (self.problems,)


class InputError(UsageError):
    """A source cannot be read at all (one bad record in it is a RowError instead)."""


class OutputError(UsageError):
    """The output folder cannot be used: taken by something else, locked, read-only or full."""


class MissingExtra(UsageError):
    """An optional package is needed for what was asked."""

    def __init__(self, what: str, extra: str) -> None:
        self.what = what
        self.extra = extra
        super().__init__(f"{what} needs an optional package. Install it with: pip install 'curate[{extra}]'")

    def __reduce__(self) -> tuple[type[MissingExtra], tuple[str, str]]:
        return type(self), (self.what, self.extra)


class RunFailed(CurateError):
    """The run ended, but a check failed or rows failed."""


class BudgetExceeded(RunFailed):
    """More rows of one stage failed than `max_failed` allows."""


class Interrupted(CurateError):
    """The run was asked to stop (Ctrl-C or SIGTERM); what was finished is kept and the run can be resumed."""

    def __init__(self, signal_number: int = 2) -> None:
        self.signal_number = signal_number
        super().__init__("interrupted")

    def __reduce__(self) -> tuple[type[Interrupted], tuple[int]]:
        return type(self), (self.signal_number,)


class StageBroken(CurateError):
    """A stage broke its contract, for example changed a row without a word in the ledger."""


class RowError(Exception):
    """One row is bad.

    Args:
        code: A stable code that the stage declares in its `codes`.
        detail: What is wrong, without text of the dataset.
    """

    def __init__(self, code: str, detail: str = "") -> None:
        self.code = code
        self.detail = detail
        super().__init__(f"{code}: {detail}" if detail else code)

    def __reduce__(self) -> tuple[type[RowError], tuple[str, str]]:
        return type(self), (self.code, self.detail)
