"""What every engine must do for each row: look whether it is answered, stay within its budget, keep what came of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from curate.dataset.files import digest
from curate.errors import RowError
from curate.infer.journal import Journal, Reply
from curate.infer.options import AskOptions
from curate.infer.question import Loaded, Question
from curate.pipeline.progress import Progress
from curate.pipeline.stop import StopSignal

CODES = {
    "budget_calls": "The row was asked as often as it may be (max_calls), and there is still no answer.",
    "budget_tokens": "The row has no output tokens left (max_output_tokens).",
    "rejected": "The model's side refuses the row: too long, too many pictures, a bad picture; the detail says which.",
    "server_failed": "The server failed on the row as often as it is tried (retries).",
    "image_missing": "A picture of the row cannot be read.",
}
"""Why a row has no answer."""

UNREADABLE = "unreadable"
"""What the failure of a question is kept under whose pictures cannot be read."""


@dataclass
class Tally:
    """What a run of questions came to."""

    known: int = 0
    """Answers that had been given before; each row has as many as it has votes."""
    failed: int = 0
    tokens_out: int = 0


class Bookkeeping:
    """The books of one run.

    Args:
        options: How rows are asked.
        journal: Keeps calls and answers.
        progress: Hears of every finished row.
        engine: What answers; answers of another engine are not taken for its own.
    """

    def __init__(self, options: AskOptions, journal: Journal, progress: Progress, engine: str) -> None:
        self.options = options
        self.journal = journal
        self.tally = Tally()
        self.names: dict[str, str] = {}
        """What the first answer of each question is kept under, by uid; calls and tokens are counted under it too."""
        self._progress = progress
        self._conditions = digest([engine, options.decides()])

    def unreadable(self, question: Question, error: OSError) -> None:
        """A picture of the row cannot be read, which is the row's failure."""
        self.names[question.uid] = UNREADABLE
        self.failed(question, RowError("image_missing", error.strerror or type(error).__name__), 0)

    def is_answered(self, loaded: Loaded, vote: int) -> bool:
        """Whether the same was asked and answered before; else the row is to be asked for this vote."""
        question = loaded.question
        self.names[question.uid] = self._conditions[:16] + loaded.digest
        if self.journal.answer(question.uid, self._name(question, vote)) is None:
            return False
        self.tally.known += 1
        self._progress.advance(1, self.tally.failed)
        return True

    def granted(self, question: Question) -> int:
        """Output tokens that the row's next call may take.

        Raises:
            RowError: its budget is spent.
        """
        spent = self.journal.spent(question.uid, self.names[question.uid])
        if spent.calls >= self.options.max_calls:
            raise RowError("budget_calls", f"{spent.calls} calls")
        left = self.options.max_output_tokens - spent.tokens
        if left < 1:
            raise RowError("budget_tokens", f"{spent.tokens} tokens")
        return min(self.options.max_tokens, left)

    def asking(self, question: Question, granted: int) -> int:
        """Note a call before it is made; gives its number."""
        return self.journal.ask(question.uid, self.names[question.uid], granted)

    def answered(self, question: Question, reply: Reply, vote: int) -> None:
        """Keep an answer."""
        self.tally.tokens_out += reply.tokens_out
        self._keep(question, reply, vote)

    def failed(self, question: Question, error: RowError, vote: int) -> None:
        """Keep why there is no answer."""
        self.tally.failed += 1
        self._keep(question, Reply(None, code=error.code, detail=error.detail), vote)

    def replies(self, question: Question) -> list[Reply]:
        """What came of asking a row, vote by vote; one failure where its pictures could not be read."""
        votes = 1 if self.names[question.uid] == UNREADABLE else self.options.votes
        return [self.journal.last(question.uid, self._name(question, vote)) for vote in range(votes)]

    def _keep(self, question: Question, reply: Reply, vote: int) -> None:
        calls = self.journal.spent(question.uid, self.names[question.uid]).calls
        self.journal.keep(question.uid, self._name(question, vote), replace(reply, calls=calls))
        self._progress.advance(1, self.tally.failed)

    def _name(self, question: Question, vote: int) -> str:
        name = self.names[question.uid]
        return f"{name}.{vote}" if vote else name


class Engine(Protocol):
    """What answers questions."""

    name: str
    """For the books: answers of another engine or model are not taken for its own."""
    options: AskOptions

    def ask(self, questions: list[Question], books: Bookkeeping, stop: StopSignal) -> dict[str, object]:
        """Ask what is not answered yet; give facts about the model's side.

        Raises:
            UsageError: it cannot answer these questions at all.
            RunFailed: it answers nothing any more.
            Interrupted: somebody asked to stop; what was under way was finished.
        """
