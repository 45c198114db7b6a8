"""What a server answered: the text, how sure the model was of it, or why there is none."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import Any

from curate.infer.journal import Reply

DETAIL = 300
"""Characters of a server's words that are kept."""


class Transient(Exception):
    """The server did not answer properly; the same request may succeed later.

    Args:
        reason: What happened.
        reached: Whether the model may have worked on it, so that the call counts.
        wait: Seconds that the server asks to wait.
    """

    def __init__(self, reason: str, *, reached: bool, wait: float | None = None) -> None:
        super().__init__(reason)
        self.reached = reached
        self.wait = wait


@dataclass(frozen=True)
class Response:
    """Status, body and the header `Retry-After` of an answer."""

    status: int
    content: bytes
    retry_after: str


def reply_of(response: Response, seconds: float) -> Reply:
    """Read a chat completion that took so many seconds.

    Raises:
        Transient: it has not the shape of one.
    """
    try:
        value = json.loads(response.content)
        choice = value["choices"][0]
        answer = choice["message"]["content"]
        if not isinstance(answer, str):
            raise TypeError("the answer is no text")
        usage = value.get("usage") or {}
        tokens_in, tokens_out = int(usage.get("prompt_tokens") or 0), int(usage.get("completion_tokens") or 0)
        return Reply(answer, choice.get("finish_reason"), _logprob(choice), tokens_in, tokens_out, seconds)
    except (ValueError, LookupError, TypeError, AttributeError) as error:  # whatever shape it has
        raise Transient(f"200 with {type(error).__name__} in its answer", reached=True) from error


def _logprob(choice: dict[str, Any]) -> float | None:
    """Sum over the answer's tokens; None where the server gives none."""
    content = (choice.get("logprobs") or {}).get("content")
    if not content:
        return None
    total = sum(float(token["logprob"]) for token in content)
    return total if math.isfinite(total) else None


def message_of(response: Response) -> str:
    """What a refusal says, shortened."""
    try:
        error = json.loads(response.content)["error"]
        return str(error["message"] if isinstance(error, dict) else error)[:DETAIL]
    except (ValueError, KeyError, TypeError):
        return response.content.decode("utf-8", "replace")[:DETAIL]


def asked_to_wait(response: Response) -> float | None:
    """Seconds that the server asks to wait, a minute at most; None where it does not say a number."""
    value = response.retry_after
    return min(float(value), 60.0) if re.fullmatch(r"\d+(\.\d+)?", value) else None
