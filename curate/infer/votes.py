"""What a row's answers come to: the label that most of them give."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from curate.infer.journal import Reply
from curate.labels.answers import parse_answer
from curate.labels.registry import Task


class Decision(NamedTuple):
    """What was decided."""

    reply: Reply
    """The first answer that gives the label; where no answer was had, why the last try failed."""
    label: str | None
    """The label, or the answer itself where nothing is known of labels; None where no answer was had."""
    step: str | None
    """The step that found it in `reply`."""
    votes: int
    """Answers that were had."""
    agreeing: int
    """Of them those that give the label."""
    confidence: float | None
    """Mean of what the agreeing answers' tokens multiply to; None where the server gives no probabilities."""


def decide(replies: Sequence[Reply], task: Task | None) -> Decision:
    """Count what came of asking a row, at least once.

    Answers in which no label is found count only where there are no others; where labels have as many votes each, the
    one that was given first wins.
    """
    given = [reply for reply in replies if reply.answer is not None]
    if not given:
        return Decision(replies[-1], None, None, 0, 0, None)
    found = [_label(reply.answer or "", task) for reply in given]
    usable = any(label is not None for label, _ in found)
    counts = Counter(label for label, _ in found if label is not None or not usable)
    label, most = counts.most_common(1)[0]  # in order of appearance where counts are equal
    agreeing = [reply for reply, (one, _) in zip(given, found, strict=True) if one == label]
    first = next(number for number, (one, _) in enumerate(found) if one == label)
    sure = [math.exp(reply.logprob) for reply in agreeing if reply.logprob is not None]
    confidence = sum(sure) / len(sure) if len(sure) == len(agreeing) else None
    return Decision(given[first], label, found[first][1], len(given), most, confidence)


def _label(answer: str, task: Task | None) -> tuple[str | None, str | None]:
    return parse_answer(answer, task) if task is not None else (answer, None)
