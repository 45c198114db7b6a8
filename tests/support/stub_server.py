"""A model server that answers from a script, for tests: what it says is made of vLLM's own answers, as recorded.

    python stub_server.py --latency 0.05 --log FILE      # prints its address

What a request is answered with follows from its own text, so that any number of clients in any order get the same.
"""

from __future__ import annotations

import argparse
import asyncio
import copy
import hashlib
import json
import sys
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conformance.record import RECORDED

Answer = tuple[int, bytes, float]
"""Status, body, and seconds to wait before; status 0 closes the connection after half of the body."""

Script = Callable[[dict[str, Any], int], Answer | None]
"""Given a request and how often its text was seen before; None answers properly."""


@dataclass
class Stub:
    """The server; use it as an asynchronous context manager."""

    script: Script = lambda request, seen: None
    latency: float = 0.0
    version: str = "0.32.0"
    models: tuple[str, ...] = ("tiny",)
    max_length: int = 2048
    key: str | None = None
    log: Path | None = None
    port: int = 0
    seen: Counter[str] = field(default_factory=Counter)
    """Requests by text."""
    answered: Counter[str] = field(default_factory=Counter)
    """Proper answers by text."""
    bodies: list[dict[str, Any]] = field(default_factory=list)
    _connections: set[asyncio.Task[Any]] = field(default_factory=set)

    async def __aenter__(self) -> Stub:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, limit=1 << 26)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            while await self._one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._connections.discard(task)
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        _, path, _ = head.split("\r\n", 1)[0].split(" ")
        headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        if self.key is not None and headers.get("authorization") != f"bearer {self.key}".lower():
            return await _send(writer, 401, json.dumps(RECORDED["no_key"].response).encode())
        handlers: dict[str, Callable[[bytes], Awaitable[Answer]]] = {
            "/v1/models": self._models,
            "/version": self._version,
            "/tokenize": self._tokenize,
            "/v1/chat/completions": self._chat,
        }
        if path not in handlers:
            return await _send(writer, 404, json.dumps(RECORDED["no_path"].response).encode())
        status, content, wait = await handlers[path](body)
        await asyncio.sleep(wait)
        return await _send(writer, status, content)

    async def _models(self, body: bytes) -> Answer:
        listing = RECORDED["models"].response
        data = [{**listing["data"][0], "id": name, "max_model_len": self.max_length} for name in self.models]
        return 200, json.dumps({**listing, "data": data}).encode(), 0

    async def _version(self, body: bytes) -> Answer:
        return 200, json.dumps({**RECORDED["version"].response, "version": self.version}).encode(), 0

    async def _tokenize(self, body: bytes) -> Answer:
        text = text_of(json.loads(body))
        facts = {"count": len(text), "max_model_len": self.max_length}
        return 200, json.dumps({**RECORDED["length"].response, **facts}).encode(), 0

    async def _chat(self, body: bytes) -> Answer:
        request = _skim(body)
        text = text_of(request)
        before = self.seen[text]
        self.seen[text] += 1
        self.bodies.append(request)
        scripted = self.script(request, before)
        if scripted is not None:
            return scripted
        self.answered[text] += 1
        if self.log is not None:
            with open(self.log, "a", encoding="utf-8") as stream:
                stream.write(text + "\n")
        return 200, json.dumps(completion(request)).encode(), self.latency


@contextmanager
def serving(stub: Stub) -> Iterator[Stub]:
    """Run a stub in a thread of its own."""
    loop = asyncio.new_event_loop()
    done = asyncio.Event()
    ready = threading.Event()

    async def main() -> None:
        async with stub:
            ready.set()
            await done.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(main()), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield stub
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join(10)


def _skim(body: bytes) -> dict[str, Any]:
    """Parse a request; of pictures only the length, so that large ones cost the server little."""
    start = body.find(b"base64,")
    while start >= 0:
        end = body.index(b'"', start)
        body = body[:start] + f"bytes {end - start}".encode() + body[end:]
        start = body.find(b"base64,")
    value: dict[str, Any] = json.loads(body)
    return value


def text_of(request: dict[str, Any]) -> str:
    """The text of a request's last message."""
    content = request["messages"][-1]["content"]
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


def completion(request: dict[str, Any], answer: str | None = None) -> dict[str, Any]:
    """A proper answer: one of the choices, by the hash of the text."""
    if answer is None:
        choices = (request.get("structured_outputs") or {}).get("choice") or request.get("guided_choice") or ["yes"]
        answer = choices[int(hashlib.sha256(text_of(request).encode()).hexdigest(), 16) % len(choices)]
    value: dict[str, Any] = copy.deepcopy(RECORDED["held"].response)
    (choice,) = value["choices"]
    *_, token, end = choice["logprobs"]["content"]
    tokens = [{**token, "token": letter, "bytes": list(letter.encode()), "logprob": -0.1} for letter in answer]
    choice["message"]["content"], choice["logprobs"]["content"] = answer, [*tokens, end]
    usage = {"completion_tokens": len(tokens) + 1, "total_tokens": value["usage"]["prompt_tokens"] + len(tokens) + 1}
    return {**value, "model": request["model"], "usage": {**value["usage"], **usage}}


def _error(message: str, code: int) -> bytes:
    error = RECORDED["too_many_images"].response["error"]
    return json.dumps({"error": {**error, "message": message, "code": code}}).encode()


def refusal(status: int, message: str = "no") -> Answer:
    """An error as vLLM words it."""
    return status, _error(message, status), 0.0


async def _send(writer: asyncio.StreamWriter, status: int, content: bytes) -> bool:
    cut = status == 0
    head = f"HTTP/1.1 {status or 200} X\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    writer.write(head.encode() + (content[: len(content) // 2] if cut else content))
    await writer.drain()
    return not cut


async def _main(arguments: argparse.Namespace) -> None:
    async with Stub(latency=arguments.latency, log=arguments.log, port=arguments.port) as stub:
        print(stub.url, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--latency", type=float, default=0.0)
    parser.add_argument("--log", type=Path)
    parser.add_argument("--port", type=int, default=0)
    try:
        asyncio.run(_main(parser.parse_args()))
    except KeyboardInterrupt:
        sys.exit(0)
