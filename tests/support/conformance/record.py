"""What a real vLLM server answers, kept in a file that the stub server of fast tests answers from.

python tests/support/conformance/record.py      # trains and serves a tiny model, writes ../vllm_answers.json
"""

from __future__ import annotations

import base64
import io
import json
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from PIL import Image

FILE = Path(__file__).parents[1] / "vllm_answers.json"
SUPPORT = str(Path(__file__).parents[1])

COMPLETIONS, TOKENIZE = "/v1/chat/completions", "/tokenize"


@dataclass(frozen=True)
class Exchange:
    """A request and its answer; what is different each time (numbers, times, paths) is taken out."""

    name: str
    path: str
    request: dict[str, Any] | None
    """None for a GET."""
    status: int
    response: Any


def _picture() -> dict[str, Any]:
    stream = io.BytesIO()
    Image.new("RGB", (56, 56), (205, 40, 40)).save(stream, "PNG")
    return _address(stream.getvalue())


def _address(data: bytes) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{base64.b64encode(data).decode()}"}}


def requests() -> Iterator[tuple[str, str, dict[str, Any] | None]]:
    """Name, path and body of what is asked: all that the client relies on, and every refusal that it may meet."""
    question = [_picture(), {"type": "text", "text": "图片是什么颜色？"}]
    held = {"structured_outputs": {"choice": ["红色", "绿色"]}}

    def chat(content: Any, model: str = "goods", max_tokens: int = 16, **more: Any) -> dict[str, Any]:
        fields = {"model": model, "max_tokens": max_tokens, "temperature": 0, "seed": 0, "logprobs": True}
        return {**fields, "messages": [{"role": "user", "content": content}], **more}

    yield "models", "/v1/models", None
    yield "version", "/version", None
    yield "length", TOKENIZE, {"model": "goods", "messages": [{"role": "user", "content": question}]}
    yield "free", COMPLETIONS, chat(question)
    yield "held", COMPLETIONS, chat(question, **held)
    yield "adapter", COMPLETIONS, chat(question, model="turned", **held)
    yield "cut", COMPLETIONS, chat(question, max_tokens=1, **held)
    yield "ignored", COMPLETIONS, chat(question, guided_choice=["绿色"])
    yield "too_many_images", COMPLETIONS, chat([_picture(), *question])
    yield "too_long", COMPLETIONS, chat("你好" * 400)
    yield "no_picture", COMPLETIONS, chat([_address(b"no picture"), {"type": "text", "text": "?"}])
    yield "part_type", COMPLETIONS, chat([{"type": "image", "image": "x"}])
    yield "no_choice", COMPLETIONS, chat(question, structured_outputs={"choice": []})
    yield "no_model", COMPLETIONS, chat(question, model="nobody")
    yield "no_path", "/v1/nowhere", chat(question)


def record(url: str, key: str = "") -> list[Exchange]:
    """Ask a server that serves `goods` and the adapter `turned`; the last exchange has no key."""
    from conformance.chain.way import KEY

    found = [Exchange(name, path, body, *ask(url + path, body, key or KEY)) for name, path, body in requests()]
    return [*found, Exchange("no_key", "/v1/models", None, *ask(f"{url}/v1/models", None, "wrong"))]


def ask(url: str, body: dict[str, Any] | None, key: str) -> tuple[int, Any]:
    """Send one request; give status and answer, without what is different each time."""
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
    request = urllib.request.Request(url, None if body is None else json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=120) as response:
            return response.status, _lasting(json.load(response))
    except urllib.error.HTTPError as error:
        return error.code, _lasting(json.load(error))


def _lasting(value: Any) -> Any:
    """Without what is different each time, or tells of the machine."""
    if isinstance(value, list):
        return [_lasting(one) for one in value]
    if not isinstance(value, dict):
        return value
    fixed = {"created": 0, "root": "model", "permission": [], "tokens": []}
    same = {key: fixed[key] if key in fixed else _lasting(one) for key, one in value.items()}
    return {**same, "id": "chatcmpl-0"} if str(value.get("id", "")).startswith("chatcmpl-") else same


def shape(value: Any) -> Any:
    """Names and types of an answer; lists by what their first entry is."""
    if isinstance(value, dict):
        return {key: shape(one) for key, one in value.items()}
    if isinstance(value, list):
        return [shape(one) for one in value[:1]]
    return type(value).__name__


def _read() -> dict[str, Exchange]:
    if not FILE.exists():
        return {}
    return {one["name"]: Exchange(**one) for one in json.loads(FILE.read_text("utf-8"))}


RECORDED = _read()
"""The recorded exchanges by name."""


def main() -> None:
    """Record."""
    sys.path.insert(0, SUPPORT)
    from conformance.chain.way import go, served

    with tempfile.TemporaryDirectory() as folder, served(go(Path(folder))) as url:
        exchanges = [asdict(one) for one in record(url)]
    FILE.write_text(json.dumps(exchanges, ensure_ascii=False, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
