"""Asks a server many questions at a time, each within its budget, and keeps every answer at once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from curate.dataset.files import digest
from curate.errors import Interrupted, RowError
from curate.infer.journal import Journal, Reply
from curate.infer.options import AskOptions
from curate.infer.patience import Breaker, pause
from curate.infer.question import Loaded, Question
from curate.infer.server import Abilities, Rejected, Server, Transient
from curate.pipeline.progress import Progress
from curate.pipeline.stop import StopSignal

CODES = {
    "budget_calls": "The row was asked as often as it may be (max_calls), and there is still no answer.",
    "budget_tokens": "The row has no output tokens left (max_output_tokens).",
    "rejected": "The server refuses the request: too long, too many pictures, a bad picture; the detail says which.",
    "server_failed": "The server failed on the row as often as it is tried (retries).",
    "image_missing": "A picture of the row cannot be read.",
}
"""Why a row has no answer."""


UNREADABLE = "unreadable"
"""What the failure of a question is kept under whose pictures cannot be read."""


@dataclass
class Tally:
    """What a run of questions came to."""

    asked: int = 0
    """Rows that were sent to the server in this run."""
    known: int = 0
    """Rows that had been answered before."""
    failed: int = 0
    tokens_out: int = 0


class Asker:
    """Asks questions.

    Args:
        server: Where.
        abilities: What it said of itself.
        journal: Keeps calls and answers.
        progress: Hears of every finished row.
        stop: Tells whether somebody asked to stop.
    """

    def __init__(
        self, server: Server, abilities: Abilities, journal: Journal, progress: Progress, stop: StopSignal
    ) -> None:
        self._server = server
        self._options: AskOptions = server.options
        self._structured = abilities.structured
        self._journal = journal
        self._progress = progress
        self._stop = stop
        self._breaker = Breaker(self._options.give_up)
        self._conditions = digest(self._options.decides())
        self.tally = Tally()
        self.names: dict[str, str] = {}
        """What the answer of each finished question is kept under, by uid."""

    async def run(self, questions: Iterable[Question]) -> None:
        """Ask all questions that are not answered yet.

        Raises:
            Interrupted: somebody asked to stop; what was under way was finished.
            RunFailed: the server answers nothing any more.
            UsageError: it refuses us.
        """
        waiting = iter(questions)
        workers = [asyncio.ensure_future(self._work(waiting)) for _ in range(self._options.concurrency)]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
        if self._stop.requested:
            raise Interrupted(self._stop.signal_number)

    async def _work(self, waiting: Iterator[Question]) -> None:
        for question in waiting:
            if self._stop.requested:
                return
            reply = await self._answer(question)
            if reply is None:
                return
            self.tally.failed += reply.code is not None
            self._progress.advance(1, self.tally.failed)

    async def _answer(self, question: Question) -> Reply | None:
        """Answer a question; None where somebody asked to stop meanwhile."""
        self.names[question.uid] = UNREADABLE
        try:
            loaded = await asyncio.to_thread(question.load)
        except OSError as error:
            return self._without(UNREADABLE, question, RowError("image_missing", error.strerror or str(error)))
        name = self.names[question.uid] = self._conditions[:16] + loaded.digest
        known = self._journal.answer(question.uid, name)
        if known is not None:
            self.tally.known += 1
            return known
        self.tally.asked += 1
        try:
            reply = await self._ask(loaded, name)
        except RowError as error:
            return self._without(name, question, error)
        if reply is None:
            return None
        reply = replace(reply, calls=self._journal.spent(question.uid, name).calls)
        self.tally.tokens_out += reply.tokens_out
        self._journal.keep(question.uid, name, reply)
        return reply

    def _without(self, name: str, question: Question, error: RowError) -> Reply:
        calls = self._journal.spent(question.uid, name).calls
        reply = Reply(None, code=error.code, detail=error.detail, calls=calls)
        self._journal.keep(question.uid, name, reply)
        return reply

    async def _ask(self, loaded: Loaded, name: str) -> Reply | None:
        """Ask until there is an answer, the budget is spent, the server failed too often, or somebody said stop.

        Raises:
            RowError: there is none; one of `CODES`.
        """
        question = loaded.question
        tries = 0
        while True:
            granted = self._granted(question, name)
            body = self._server.body(loaded, granted, self._options.seed, self._structured)
            alone = await self._breaker.enter()
            call = self._journal.ask(question.uid, name, granted)
            wait = 0.0
            try:
                reply = await self._server.ask(body)
                self._journal.used(call, reply.tokens_out)
                self._breaker.answered()
                return reply
            except Rejected as error:
                self._journal.not_reached(call)
                self._breaker.answered()
                raise RowError("rejected", str(error)) from error
            except Transient as error:
                if not error.reached:
                    self._journal.not_reached(call)
                tries += 1
                if tries > self._options.retries:
                    raise RowError("server_failed", str(error)) from error
                self._breaker.failed(str(error))
                wait = pause(tries, error.wait)
                if alone:
                    await asyncio.sleep(wait)
            finally:
                self._breaker.leave(alone)
            if not alone:
                await asyncio.sleep(wait)
            if self._stop.requested:
                return None

    def _granted(self, question: Question, name: str) -> int:
        """Output tokens that the next call may take.

        Raises:
            RowError: the budget is spent.
        """
        spent = self._journal.spent(question.uid, name)
        if spent.calls >= self._options.max_calls:
            raise RowError("budget_calls", f"{spent.calls} calls")
        left = self._options.max_output_tokens - spent.tokens
        if left < 1:
            raise RowError("budget_tokens", f"{spent.tokens} tokens")
        return min(self._options.max_tokens, left)
