"""The `openai` export: chat messages with picture parts, as vLLM and other OpenAI-compatible servers take them."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar, Literal

from curate.export.options import ImageMode, TrainingOptions
from curate.export.parts import Part, split
from curate.export.pictures import Placed
from curate.export.sample import Sample
from curate.export.training import TrainingExporter, Written
from curate.export.writers import JsonLines, Row, RowWriter
from curate.pipeline.export import ExportOptions

_TYPES = {".jpg": "image/jpeg", ".png": "image/png"}


class OpenAiOptions(TrainingOptions):
    """How chat messages are written."""

    use: Literal["openai"] = "openai"
    """Which export format this is."""

    images: ImageMode = "embed"
    """`embed`: data URLs, which every server takes; `absolute`: file URLs, for `--allowed-local-media-path`."""


class OpenAiExporter(TrainingExporter[OpenAiOptions]):
    """A row a line: `id`, and `messages` with the answer as the last one."""

    name: ClassVar[str] = "openai"
    consumer: ClassVar[str] = "vllm"
    modes: ClassVar[tuple[ImageMode, ...]] = ("embed", "absolute")
    Options: ClassVar[type[ExportOptions]] = OpenAiOptions

    def file_name(self, split: str) -> str:
        """JSON lines."""
        return f"{split}.jsonl"

    def open_file(self, path: Path) -> RowWriter:
        """Open a split's file."""
        return JsonLines(path)

    def rows(self, sample: Sample) -> Iterable[Row]:
        """One row; system and assistant speak in plain text."""
        pictures = iter(sample.images)
        spoken = split(
            [one for one in sample.messages if one.role == "user"],
            lambda: {"type": "image_url", "image_url": {"url": url(next(pictures))}},
            lambda text: {"type": "text", "text": text},
        )
        questions = iter(spoken)
        messages: list[Part] = [
            next(questions) if one.role == "user" else {"role": one.role, "content": one.text}
            for one in sample.messages
        ]
        return [{"id": sample.record.source_id, "messages": messages}]

    def companions(self, folder: Path, written: Written) -> dict[str, str]:
        """Nothing: the server needs no files."""
        return {}

    def next_step(self, written: Written) -> str:
        """Look at what a server would say."""
        return "send `messages` without the last answer to /v1/chat/completions"


def url(image: Placed) -> str:
    """A picture's URL: its data, or its file."""
    if image.data is None:
        return Path(image.path).as_uri()
    kind = _TYPES[Path(image.path).suffix]
    return f"data:{kind};base64,{base64.b64encode(image.data).decode('ascii')}"
