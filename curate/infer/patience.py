"""How long to wait for a server that does not answer, and when to stop hoping."""

from __future__ import annotations

import asyncio
import random
import time

from curate.errors import RunFailed

FIRST, LONGEST = 0.5, 30.0
"""Seconds of the first and of the longest pause between two tries; each is twice the one before."""

TROUBLE = 8
"""Failures in a row, over all requests, after which only one request at a time is tried."""


def pause(tries: int, asked: float | None = None) -> float:
    """Seconds before the next try: doubled each time, shortened by chance so that not all come back at once.

    Args:
        tries: Tries that failed so far.
        asked: What the server asks for (Retry-After); never less than that.
    """
    longest = min(LONGEST, FIRST * 2.0 ** max(0, tries - 1))
    return max(asked or 0.0, longest * random.uniform(0.5, 1.0))  # noqa: S311  spreads load, guards nothing


class Breaker:
    """Holds requests back while the server answers nobody, and gives up when that lasts.

    Args:
        give_up: Seconds without any answer after which the run ends.
    """

    def __init__(self, give_up: float) -> None:
        self._give_up = give_up
        self._failures = 0
        self._heard = time.monotonic()
        self._single = asyncio.Lock()

    @property
    def open(self) -> bool:
        """Whether the server is in trouble."""
        return self._failures >= TROUBLE

    async def enter(self) -> bool:
        """Wait for leave to send. Gives whether this is the one request that is tried in times of trouble."""
        while self.open:
            await self._single.acquire()
            if self.open:
                return True
            self._single.release()
        return False

    def leave(self, alone: bool) -> None:
        """Let the next one try."""
        if alone:
            self._single.release()

    def answered(self) -> None:
        """The server answered properly, be it with a refusal."""
        self._failures = 0
        self._heard = time.monotonic()

    def failed(self, reason: str) -> None:
        """The server did not answer properly.

        Raises:
            RunFailed: it has not for too long.
        """
        self._failures += 1
        silent = time.monotonic() - self._heard
        if self.open and silent > self._give_up:
            raise RunFailed(
                f"the server has answered nothing for {silent:.0f} s (last: {reason}); what was answered is kept, "
                "and the same command goes on"
            )
