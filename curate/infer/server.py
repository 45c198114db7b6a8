"""A vLLM server, or another with the same interface: what it can do, and one request to it.

Measured on vLLM 0.32: unknown fields are ignored without a word, so an answer that should be one of the choices is
checked; a valid request may get one 500 after a rejected one with the same picture; too long inputs are a 400.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from curate.errors import UsageError
from curate.infer.journal import Reply
from curate.infer.options import AskOptions
from curate.infer.question import Loaded
from curate.infer.response import DETAIL, Response, Transient, asked_to_wait, message_of, reply_of

KEY_VARIABLE = "CURATE_API_KEY"
"""The environment variable that holds the server's API key; it is read from nowhere else and kept nowhere."""

STRUCTURED_SINCE = (0, 12)
"""The vLLM version from which on `structured_outputs` replaces `guided_choice`."""


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


def check_address(url: str) -> None:
    """Make sure that an address may stand in files.

    Raises:
        UsageError: it holds a name or a password.
    """
    if "@" in urlsplit(url).netloc:
        raise UsageError(
            f"the address of a server may hold no name or password, which would stand in files; use {KEY_VARIABLE}"
        )


class Server:
    """A connection to a server.

    Args:
        url: Its address, with or without `/v1`.
        options: How it is asked.

    Raises:
        UsageError: the address holds a name or a password.
    """

    def __init__(self, url: str, options: AskOptions) -> None:
        check_address(url)
        self.url = url.rstrip("/").removesuffix("/v1")
        self.options = options
        key = os.environ.get(KEY_VARIABLE)
        self._key = key.encode() if key else None
        self._session = aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=aiohttp.ClientTimeout(sock_connect=min(10.0, options.timeout), sock_read=options.timeout),
            connector=aiohttp.TCPConnector(limit=options.concurrency, keepalive_timeout=_KEPT_OPEN),
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def abilities(self) -> Abilities:
        """Ask what the server has and can do.

        Raises:
            UsageError: it does not have the model, or refuses the key.
            Transient: it does not answer.
        """
        listing = await self._send("GET", "/v1/models")
        version = await self._send("GET", "/version")
        _refuse_key(listing)
        if listing.status != 200:
            raise Transient(f"{self.url}/v1/models answers {listing.status}", reached=False)
        try:
            models = {str(model["id"]): model for model in json.loads(listing.content)["data"]}
            told = str(json.loads(version.content)["version"]) if version.status == 200 else None
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

    def body(self, loaded: Loaded, max_tokens: int, seed: int, structured: bool) -> list[bytes]:
        """Make the body of a request, in pieces."""
        options = self.options
        fields: dict[str, Any] = {
            "model": options.model,
            "max_tokens": max_tokens,
            "temperature": options.temperature,
            "seed": seed,
            "logprobs": True,
        }
        choices = loaded.question.choices
        if choices and options.constrain == "auto":
            fields |= {"structured_outputs": {"choice": choices}} if structured else {"guided_choice": choices}
        return loaded.body(fields)

    async def count(self, loaded: Loaded) -> int | None:
        """Tokens of a prompt, pictures included; None where the server cannot tell."""
        body = loaded.body({"model": self.options.model})
        try:
            response = await self._send("POST", "/tokenize", body)
            return int(json.loads(response.content)["count"]) if response.status == 200 else None
        except (Transient, ValueError, KeyError, TypeError):
            return None

    async def ask(self, body: Sequence[bytes]) -> Reply:
        """Send one request.

        Raises:
            Transient: no proper answer.
            Rejected: the request is refused for good.
            UsageError: the key is refused, or the model is gone.
        """
        started = time.monotonic()
        response = await self._send("POST", "/v1/chat/completions", body)
        if response.status == 200:
            return reply_of(response, time.monotonic() - started)
        _refuse_key(response)
        what = f"{response.status}: {message_of(response)}"
        if response.status == 404 and self.options.model in what:
            raise UsageError(f"the server {self.url} has no model '{self.options.model}' any more")
        if response.status in (408, 425, 429) or response.status >= 500:
            raise Transient(what, reached=False, wait=asked_to_wait(response))
        raise Rejected(what)

    async def _send(self, method: str, path: str, body: Sequence[bytes] = ()) -> Response:
        """Send a request and read all of its answer.

        Raises:
            Transient: the connection failed.
            UsageError: it sends the request on to somewhere else.
        """
        headers = {**_JSON, "Content-Length": str(sum(map(len, body)))}
        content = _one_by_one(body) if body else None
        try:
            # No redirects: rows and pictures go to the server that a person named, and nowhere else.
            async with self._session.request(
                method, self.url + path, data=content, headers=headers, allow_redirects=False
            ) as response:
                _refuse_redirect(self.url, response)
                answer = await response.read()
                # A server that repeats the key in an error must not bring it into files and onto screens.
                answer = answer.replace(self._key, b"***") if self._key else answer
                return Response(response.status, answer, response.headers.get("Retry-After", ""))
        except aiohttp.ClientConnectorError as error:
            raise Transient(f"{type(error).__name__}: {error.strerror}", reached=False) from error
        except aiohttp.ConnectionTimeoutError as error:
            raise Transient(type(error).__name__, reached=False) from error
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError) as error:
            raise UsageError(f"{self.url} is not an address; write http://HOST:PORT") from error
        except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
            raise Transient(type(error).__name__, reached=True) from error


async def _one_by_one(pieces: Sequence[bytes]) -> AsyncIterator[bytes]:
    """A body that is never put together: each piece goes to the socket from where it is."""
    for piece in pieces:
        yield piece


_JSON = {"Content-Type": "application/json"}

_KEPT_OPEN = 4.0
"""Seconds that an idle connection is kept; less than the 5 s after which vLLM closes it."""


def _refuse_redirect(url: str, response: aiohttp.ClientResponse) -> None:
    if 300 <= response.status < 400:
        target = response.headers.get("Location", "an address that it does not name")[:DETAIL]
        raise UsageError(f"the server {url} sends requests on to {target}; if that is right, name it with --server")


def _refuse_key(response: Response) -> None:
    if response.status in (401, 403):
        raise UsageError(f"the server refuses access ({response.status}); put its key into {KEY_VARIABLE}")
