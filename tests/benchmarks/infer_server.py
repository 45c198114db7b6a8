"""A model server that costs next to nothing: it counts the bytes of a request, waits, and answers.

    python tests/benchmarks/infer_server.py SECONDS     # prints its address

For measuring clients only; `tests/support/stub_server.py` is the one that looks at what it is asked.
"""

from __future__ import annotations

import asyncio
import json
import sys

SCRATCH = memoryview(bytearray(1 << 20))
"""Where every request is read to, and never looked at but for its head."""

CHOICE = {
    "index": 0,
    "message": {"role": "assistant", "content": "a"},
    "logprobs": {"content": [{"token": "a", "logprob": -0.1}]},
    "finish_reason": "stop",
}
ANSWERS = {
    b"/v1/models": {"data": [{"id": "tiny", "max_model_len": 4096}]},
    b"/version": {"version": "0.32.0"},
    b"/tokenize": {"count": 100},
    b"/v1/chat/completions": {"choices": [CHOICE], "usage": {"prompt_tokens": 50, "completion_tokens": 1}},
}


def _response(value: object) -> bytes:
    body = json.dumps(value).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body


RESPONSES = {path: _response(value) for path, value in ANSWERS.items()}


class Connection(asyncio.BufferedProtocol):
    """One client's requests, one after the other."""

    latency = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._head = b""
        self._left = 0

    def get_buffer(self, sizehint: int) -> memoryview:
        return SCRATCH

    def buffer_updated(self, nbytes: int) -> None:
        if self._left:
            self._left -= nbytes
        else:
            self._head += SCRATCH[:nbytes]
            head, mark, rest = self._head.partition(b"\r\n\r\n")
            if not mark:
                return
            _, path, _ = head.split(b"\r\n", 1)[0].split(b" ")
            _, _, length = head.lower().partition(b"content-length: ")
            self._path, self._head = path, b""
            self._left = int(length.split(b"\r", 1)[0] or 0) - len(rest)
        if self._left == 0:
            wait = self.latency if self._path == b"/v1/chat/completions" else 0
            asyncio.get_running_loop().call_later(wait, self._transport.write, RESPONSES[self._path])


async def main(latency: float) -> None:
    """Serve until killed."""
    Connection.latency = latency
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1])))
