"""A vLLM server, or another with the same interface: what it can do, and one request to it.

Measured on vLLM 0.32: unknown fields are ignored without a word, so an answer that should be one of the choices is
checked; a valid request may get one 500 after a rejected one with the same picture; too long inputs are a 400.
"""

from __future__ import annotations

import json
import math
import os
import re
import time
from dataclasses import dataclass
from typing import Any

import httpx

from curate.errors import UsageError
from curate.infer.journal import Reply
from curate.infer.options import AskOptions
from curate.infer.question import Question

KEY_VARIABLE = "CURATE_API_KEY"
"""The environment variable that holds the server's API key; it is read from nowhere else and kept nowhere."""

STRUCTURED_SINCE = (0, 12)
"""The vLLM version from which on `structured_outputs` replaces `guided_choice`."""

_DETAIL = 300


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


class Rejected(Exception):
    """The server will never answer this request."""


@dataclass(frozen=True)
class Abilities:
    """What a server said of itself."""

    version: str | None
    """None where it does not say; then it is taken for a new vLLM."""
    models: tuple[str, ...]
    max_length: int | None
    """Tokens of prompt and answer together."""

    @property
    def structured(self) -> bool:
        """Whether it takes `structured_outputs`; else `guided_choice`."""
        found = re.match(r"(\d+)\.(\d+)", self.version or "")
        return found is None or (int(found[1]), int(found[2])) >= STRUCTURED_SINCE


class Server:
    """A connection to a server.

    Args:
        url: Its address, with or without `/v1`.
        options: How it is asked.
    """

    def __init__(self, url: str, options: AskOptions) -> None:
        self.url = url.rstrip("/").removesuffix("/v1")
        self.options = options
        key = os.environ.get(KEY_VARIABLE)
        limits = httpx.Limits(max_connections=options.concurrency, max_keepalive_connections=options.concurrency)
        self._client = httpx.AsyncClient(
            base_url=self.url,
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=httpx.Timeout(options.timeout, connect=min(10.0, options.timeout)),
            limits=limits,
            trust_env=False,
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def abilities(self) -> Abilities:
        """Ask what the server has and can do.

        Raises:
            UsageError: it does not have the model, or refuses the key.
            Transient: it does not answer.
        """
        try:
            listing = await self._client.get("/v1/models")
            version = await self._client.get("/version")
        except httpx.HTTPError as error:
            raise Transient(f"{type(error).__name__} from {self.url}", reached=False) from error
        _refuse_key(listing)
        if listing.status_code != 200:
            raise Transient(f"{self.url}/v1/models answers {listing.status_code}", reached=False)
        try:
            models = {str(model["id"]): model for model in listing.json()["data"]}
            told = str(version.json()["version"]) if version.status_code == 200 else None
        except (ValueError, KeyError, TypeError) as error:
            raise UsageError(f"{self.url} is not an OpenAI-compatible server: {type(error).__name__}") from error
        if self.options.model not in models:
            raise UsageError(
                f"the server {self.url} has no model '{self.options.model}'; it has {', '.join(models) or 'none'}"
            )
        length = models[self.options.model].get("max_model_len") or max(
            (model.get("max_model_len") or 0 for model in models.values()), default=0
        )
        return Abilities(told, tuple(models), length or None)

    def body(self, question: Question, max_tokens: int, seed: int, structured: bool) -> bytes:
        """Make the body of a request.

        Raises:
            OSError: a picture cannot be read.
        """
        options = self.options
        request: dict[str, Any] = {
            "model": options.model,
            "messages": question.messages(),
            "max_tokens": max_tokens,
            "temperature": options.temperature,
            "seed": seed,
            "logprobs": True,
        }
        if question.choices and options.constrain == "auto":
            choices = list(question.choices)
            request |= {"structured_outputs": {"choice": choices}} if structured else {"guided_choice": choices}
        return json.dumps(request, ensure_ascii=False).encode()

    async def count(self, question: Question) -> int | None:
        """Tokens of a prompt, pictures included; None where the server cannot tell."""
        body = json.dumps({"model": self.options.model, "messages": question.messages()}, ensure_ascii=False).encode()
        try:
            response = await self._client.post("/tokenize", content=body, headers=_JSON)
            return int(response.json()["count"]) if response.status_code == 200 else None
        except (httpx.HTTPError, ValueError, KeyError, TypeError):
            return None

    async def ask(self, body: bytes) -> Reply:
        """Send one request.

        Raises:
            Transient: no proper answer.
            Rejected: the request is refused for good.
            UsageError: the key is refused, or the model is gone.
        """
        started = time.monotonic()
        try:
            response = await self._client.post("/v1/chat/completions", content=body, headers=_JSON)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise Transient(f"{type(error).__name__}", reached=False) from error
        except httpx.HTTPError as error:
            raise Transient(f"{type(error).__name__}", reached=True) from error
        seconds = time.monotonic() - started
        if response.status_code == 200:
            return _reply(response, seconds)
        _refuse_key(response)
        what = f"{response.status_code}: {_message(response)}"
        if response.status_code == 404 and self.options.model in what:
            raise UsageError(f"the server {self.url} has no model '{self.options.model}' any more")
        if response.status_code in (408, 425, 429) or response.status_code >= 500:
            raise Transient(what, reached=False, wait=_retry_after(response))
        raise Rejected(what)


_JSON = {"Content-Type": "application/json"}


def _refuse_key(response: httpx.Response) -> None:
    if response.status_code in (401, 403):
        raise UsageError(f"the server refuses access ({response.status_code}); put its key into {KEY_VARIABLE}")


def _reply(response: httpx.Response, seconds: float) -> Reply:
    try:
        value = response.json()
        choice = value["choices"][0]
        answer = choice["message"]["content"]
        if not isinstance(answer, str):
            raise TypeError("the answer is no text")
        usage = value.get("usage") or {}
        tokens_in, tokens_out = int(usage.get("prompt_tokens") or 0), int(usage.get("completion_tokens") or 0)
        return Reply(answer, choice.get("finish_reason"), _logprob(choice), tokens_in, tokens_out, seconds)
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise Transient(f"200 with {type(error).__name__} in its answer", reached=True) from error


def _logprob(choice: dict[str, Any]) -> float | None:
    """Sum over the answer's tokens; None where the server gives none."""
    content = (choice.get("logprobs") or {}).get("content")
    if not content:
        return None
    total = sum(float(token["logprob"]) for token in content)
    return total if math.isfinite(total) else None


def _message(response: httpx.Response) -> str:
    try:
        error = response.json()["error"]
        return str(error["message"] if isinstance(error, dict) else error)[:_DETAIL]
    except (ValueError, KeyError, TypeError):
        return response.text[:_DETAIL]


def _retry_after(response: httpx.Response) -> float | None:
    value = response.headers.get("Retry-After", "")
    return min(float(value), 60.0) if re.fullmatch(r"\d+(\.\d+)?", value) else None
