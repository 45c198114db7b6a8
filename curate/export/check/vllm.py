"""What a vLLM server (0.32) makes of chat messages: each row is a request, its last answer left away.

A request that the server refuses is dropped; read in its answers to real requests, see the rules.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

from curate.dataset.vision import Bounds, Size
from curate.errors import RowError
from curate.export import tokens
from curate.export.chatml import lay_out
from curate.export.check import parts
from curate.export.check.conversation import special_tokens
from curate.export.check.files import data_files, numbered
from curate.export.check.finding import FileReport, Report, Rule, Settings
from curate.export.check.log import Log, table
from curate.export.check.pictures import PictureFiles, Probe
from curate.export.check.sizes import PROCESSOR, in_processor
from curate.export.tokens import CountTokens
from curate.records import PLACEHOLDER

_ROLES = ("system", "user", "assistant", "tool", "developer")

RULES = table(
    Rule("file_broken", "stops", True, "The file cannot be read to its end.", "write it again"),
    Rule("no_rows", "stops", True, "There is no row.", "export some"),
    Rule("not_a_row", "drops", True, "A row is no mapping.", "write objects"),
    Rule("not_a_conversation", "drops", True, "messages is no list of role and content.", "write them as such"),
    Rule("unknown_role", "accepts", True, "A role that no model was trained on is taken.", "use user and assistant"),
    Rule("no_question", "accepts", True, "There is no message of the user to answer.", "leave the row out"),
    Rule("part_type", "drops", True, "A part is none that the server takes.", "use text and image_url"),
    Rule("image_url", "drops", True, "A picture's URL is neither data, file nor http.", "embed the picture"),
    Rule(
        "image_file_url", "accepts", False, "A file URL needs --allowed-local-media-path.", "start the server with it"
    ),
    Rule("image_remote", "accepts", False, "The server has to fetch the picture; not looked at.", "embed it"),
    Rule("image_missing", "drops", True, "There is no such file.", "correct the path"),
    Rule("image_empty", "drops", True, "A picture has no bytes.", "leave the row out"),
    Rule("image_truncated", "drops", True, "A picture ends too early.", "leave the row out"),
    Rule("image_unreadable", "drops", True, "A picture cannot be decoded.", "leave the row out"),
    Rule("image_too_large", "drops", True, "The picture is too large to be decoded.", "make it smaller"),
    Rule("image_aspect", "drops", True, "A picture is longer than 200:1.", "leave the row out"),
    Rule("image_unsafe", "accepts", False, "Not the pixels of training.", "let `curate export` prepare it"),
    Rule("image_path", "accepts", False, "The path leads out of the folder.", "embed the picture"),
    Rule("too_many_images", "drops", True, "More pictures than limit-mm-per-prompt allows.", "raise the limit"),
    Rule("placeholder_text", "accepts", True, "<image> in a text is only text.", "use a part of type image_url"),
    Rule("special_token", "accepts", True, "A special token is written in a text and is read as one.", "escape it"),
    Rule("image_pad", "accepts", True, "A written <|image_pad|> is read as a part of a picture.", "escape it"),
    Rule("over_token_budget", "drops", True, "Prompt and answer are longer than max-model-len.", "raise it"),
    Rule("over_answer_budget", "accepts", True, "An answer is longer than the answer budget.", "shorten it"),
)


class _Gone(Exception):
    """The request would be refused; the finding is written."""


def examine(folder: Path, settings: Settings) -> Report:
    """Check every file with messages; cutoff_len stands for the server's max-model-len."""
    report = Report("vllm", "it looks for .jsonl and .json with messages")
    check = _Requests(
        settings,
        settings.bounds or PROCESSOR,
        PictureFiles(folder, settings),
        tokens.counter(settings.tokenizer),
    )
    for path in data_files(folder, frozenset(("messages",))):
        log = Log(report, FileReport(path.name), RULES)
        for number, name, row in numbered(path, log, typed=False):
            try:
                _Request(check, log, number, name).check(row)
            except _Gone:
                continue
    return report


@dataclass(frozen=True)
class _Requests:
    """What all requests are checked with."""

    settings: Settings
    bounds: Bounds
    pictures: PictureFiles
    count: CountTokens


@dataclass(frozen=True)
class _Request:
    """One row as a request."""

    requests: _Requests
    log: Log
    number: int
    name: str

    def _say(self, code: str, message: str) -> None:
        self.log.row(self.number, self.name, code, message)

    def _go(self, code: str, message: str) -> _Gone:
        self._say(code, message)
        return _Gone()

    def check(self, row: Mapping[str, Any]) -> None:
        """Check it."""
        messages = row.get("messages")
        if not isinstance(messages, list) or not messages or not all(isinstance(one, Mapping) for one in messages):
            raise self._go("not_a_conversation", "messages is no list of mappings, or empty")
        for message in messages:
            if not isinstance(message.get("role"), str):
                raise self._go("not_a_conversation", "a message has no role")
            if message["role"] not in _ROLES:
                self._say("unknown_role", f"role {message.get('role')!r}")
            if not isinstance(message.get("content"), (str, list)):
                raise self._go("not_a_conversation", "a content is neither text nor a list of parts")
        asked = messages[:-1] if messages[-1].get("role") == "assistant" else messages
        if not any(message.get("role") == "user" for message in asked):
            self._say("no_question", "no message of the user")
        texts = parts.texts(messages)
        if any(PLACEHOLDER in text for text in texts):
            self._say("placeholder_text", PLACEHOLDER)
        found, breaks = special_tokens(texts)
        if found or breaks:
            self._say("image_pad" if breaks else "special_token", ", ".join(sorted(found)))
        self._budget(messages, self._sizes(messages))

    def _sizes(self, messages: Sequence[Mapping[str, Any]]) -> list[Size]:
        sizes = []
        for message in messages:
            for part in parts.of_message(message):
                if part.kind == "text":
                    continue
                if part.kind != "image_url":
                    raise self._go("part_type", f"type {part.kind}")
                sizes += self._size(part.value.get("image_url"))
        most = self.requests.settings.images_per_row
        if most is not None and len(sizes) > most:
            raise self._go("too_many_images", f"{len(sizes)} pictures, the limit is {most}")
        return sizes

    def _size(self, value: Any) -> list[Size]:
        url = value.get("url") if isinstance(value, Mapping) else value
        probe = self._probe(url)
        if probe is None:
            self._say("image_remote", str(url)[:80])
            return []
        if probe.code:
            raise self._go(probe.code, probe.message)
        unsafe = probe.unsafe(self.requests.bounds)
        if unsafe:
            self._say("image_unsafe", "; ".join(unsafe))
        try:
            return [in_processor(probe.size)]
        except RowError as error:
            raise self._go("image_aspect", error.detail) from error

    def _probe(self, url: Any) -> Probe | None:
        """Look at the picture behind a URL; None where it would have to be fetched."""
        parsed = urlparse(url if isinstance(url, str) else "")
        if parsed.scheme in ("http", "https"):
            return None
        if parsed.scheme == "data":
            try:
                data = base64.b64decode(str(url).partition(",")[2], validate=True)
            except (binascii.Error, ValueError) as error:
                raise self._go("image_url", f"the data are not base64: {error}") from error
            return self.requests.pictures.look({"bytes": data})
        if parsed.scheme == "file":
            self._say("image_file_url", str(url))
            return self.requests.pictures.look(unquote(parsed.path))
        raise self._go("image_url", f"{str(url)[:80]!r}")

    def _budget(self, messages: Sequence[Mapping[str, Any]], sizes: Sequence[Size]) -> None:
        talk = parts.laid(messages)
        pictures = [size.tokens for size in sizes]
        turns = lay_out(talk.questions, talk.answers, talk.system, pictures, self.requests.count)
        total = sum(turn.source_tokens + turn.target_tokens for turn in turns)
        settings = self.requests.settings
        how = "" if settings.tokenizer else "at most "
        if settings.cutoff_len is not None and total > settings.cutoff_len:
            raise self._go("over_token_budget", f"{how}{total} tokens, max-model-len is {settings.cutoff_len}")
        longest = max((turn.target_tokens for turn in turns), default=0)
        if settings.answer_len is not None and longest > settings.answer_len:
            self._say("over_answer_budget", f"{how}{longest} tokens, the budget is {settings.answer_len}")
        self.log.file.image_tokens += sum(pictures)
        self.log.file.longest = max(self.log.file.longest, total)
