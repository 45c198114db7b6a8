"""Reads the pictures of the next questions while others are being answered, so that a free place is filled at once."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

from curate.infer.question import Loaded, Question

_READERS = 2
_GROUP = 4
"""Questions that are handed to a reader together: handing over costs as much as reading a picture of a megabyte."""

_Read = dict[str, Loaded | OSError]
"""Questions with their pictures, or why they cannot be read, by uid."""


@dataclass(frozen=True)
class Coming:
    """A question whose pictures are read, or about to be."""

    question: Question
    _group: asyncio.Future[_Read]

    async def loaded(self) -> Loaded | OSError:
        """Wait for its pictures, and take them; gives an error where one cannot be read."""
        return (await self._group).pop(self.question.uid)


class Ahead:
    """Gives questions in order; needs a running event loop.

    Args:
        questions: All of them; at most two groups are read before they are wanted.
    """

    def __init__(self, questions: Iterable[Question]) -> None:
        self._questions = iter(questions)
        self._coming: deque[Coming] = deque()
        self._readers = ThreadPoolExecutor(_READERS, "read-pictures")

    def next(self) -> Coming | None:
        """Give the next question; None where there is none."""
        while len(self._coming) <= _GROUP and (group := list(islice(self._questions, _GROUP))):
            reading = asyncio.get_running_loop().run_in_executor(self._readers, _read, group)
            self._coming += (Coming(question, reading) for question in group)
        return self._coming.popleft() if self._coming else None

    def close(self) -> None:
        """Read no more."""
        self._readers.shutdown(wait=False, cancel_futures=True)


def _read(group: Sequence[Question]) -> _Read:
    found: _Read = {}
    for question in group:
        try:
            found[question.uid] = question.load()
        except OSError as error:
            found[question.uid] = error
    return found
