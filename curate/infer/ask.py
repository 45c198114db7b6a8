"""Asks a server many questions at a time, each within its budget, and keeps every answer at once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from curate.errors import Interrupted, RowError, UsageError
from curate.infer.ahead import Ahead
from curate.infer.bookkeeping import Bookkeeping
from curate.infer.journal import Reply
from curate.infer.options import AskOptions
from curate.infer.patience import Breaker, pause
from curate.infer.question import Loaded, Question
from curate.infer.response import Transient
from curate.infer.server import Abilities, Rejected, Server, check_address
from curate.pipeline.stop import StopSignal

_LONGEST = 3
"""Questions whose length is asked of the server before the first answer is asked."""


class ServerEngine:
    """A model behind a server.

    Args:
        url: Its address.
        options: How it is asked.
    """

    name = "server"

    def __init__(self, url: str, options: AskOptions) -> None:
        check_address(url)
        self.url = url
        self.options = options

    def ask(self, questions: list[Question], books: Bookkeeping, stop: StopSignal) -> dict[str, object]:
        """Ask; see `Engine.ask`."""
        return asyncio.run(self._ask(questions, books, stop))

    async def _ask(self, questions: list[Question], books: Bookkeeping, stop: StopSignal) -> dict[str, object]:
        server = Server(self.url, self.options)
        try:
            try:
                abilities = await server.abilities()
            except Transient as error:
                hint = "`curate serve` prints how to start one"
                raise UsageError(f"there is no server at {self.url} ({error}); {hint}") from error
            await _check_lengths(server, abilities, questions)
            await _Asker(server, abilities, books, stop).run(questions)
        finally:
            await server.close()
        return {"version": abilities.version, "max_length": abilities.max_length}


async def _check_lengths(server: Server, abilities: Abilities, questions: Sequence[Question]) -> None:
    """Ask the server how long the longest questions are, before an hour is spent on the short ones.

    Raises:
        UsageError: one does not fit, so the server was started with too small a length.
    """
    if abilities.max_length is None:
        return
    for question in sorted(questions, key=lambda question: -question.tokens)[:_LONGEST]:
        try:
            count = await server.count(question.load())
        except OSError:
            continue  # a missing picture costs its row, later
        if count is not None and count + 1 > abilities.max_length:
            raise UsageError(
                f"row {question.source_id} has {count} tokens, the server takes {abilities.max_length} with answer; "
                f"start it with --max-model-len {count + server.options.max_tokens} or more"
            )


class _Asker:
    """Asks questions of a server, `concurrency` at a time."""

    def __init__(self, server: Server, abilities: Abilities, books: Bookkeeping, stop: StopSignal) -> None:
        self._server = server
        self._options = server.options
        self._structured = abilities.structured
        self._books = books
        self._stop = stop
        self._breaker = Breaker(self._options.give_up)

    async def run(self, questions: Iterable[Question]) -> None:
        """Ask all questions that are not answered yet."""
        ahead = Ahead(questions)
        workers = [asyncio.ensure_future(self._work(ahead)) for _ in range(self._options.concurrency)]
        try:
            await asyncio.gather(*workers)
        finally:
            ahead.close()
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
        if self._stop.requested:
            raise Interrupted(self._stop.signal_number)

    async def _work(self, ahead: Ahead) -> None:
        while not self._stop.requested:
            coming = ahead.next()
            if coming is None:
                return
            question = coming.question
            loaded = await coming.loaded()
            if isinstance(loaded, OSError):
                self._books.unreadable(question, loaded)
                continue
            for vote in range(self._options.votes):
                if not self._books.is_answered(loaded, vote):
                    await self._vote(loaded, vote)

    async def _vote(self, loaded: Loaded, vote: int) -> None:
        """Have one answer, or the reason why there is none, kept."""
        try:
            reply = await self._ask(loaded, vote)
        except RowError as error:
            self._books.failed(loaded.question, error, vote)
            return
        if reply is not None:
            self._books.answered(loaded.question, reply, vote)

    async def _ask(self, loaded: Loaded, vote: int) -> Reply | None:
        """Ask until there is an answer, the budget is spent, the server failed too often, or somebody said stop.

        Raises:
            RowError: there is none.
        """
        question = loaded.question
        tries = 0
        while not self._stop.requested:
            granted = self._books.granted(question)
            body = self._server.body(loaded, granted, self._options.seed + vote, self._structured)
            alone = await self._breaker.enter()
            call = self._books.asking(question, granted)
            wait = 0.0
            try:
                reply = await self._server.ask(body)
                self._books.journal.used(call, reply.tokens_out)
                self._breaker.answered()
                return reply
            except Rejected as error:
                self._books.journal.not_reached(call)
                self._breaker.answered()
                raise RowError("rejected", str(error)) from error
            except Transient as error:
                if not error.reached:
                    self._books.journal.not_reached(call)
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
        return None
