"""What TRL 1.16 and `datasets` make of the Parquet files of a folder."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from curate.dataset.vision import Bounds, Size
from curate.errors import RowError
from curate.export import tokens
from curate.export.chatml import lay_out
from curate.export.check import parts
from curate.export.check.conversation import as_list, special_tokens
from curate.export.check.files import data_files, for_prediction, numbered
from curate.export.check.finding import Effect, FileReport, Report, Rule, Settings
from curate.export.check.log import Log, table
from curate.export.check.pictures import PictureFiles
from curate.export.check.sizes import PROCESSOR, in_processor
from curate.export.tokens import CountTokens
from curate.records import PLACEHOLDER

_COLUMNS = frozenset(("prompt", "completion", "messages"))

RULES = table(
    Rule("file_broken", "stops", True, "The file cannot be read to its end.", "write it again"),
    Rule("no_rows", "stops", True, "There is no row.", "export some"),
    Rule("not_a_row", "stops", True, "A row is no mapping.", "write objects"),
    Rule("mixed_types", "stops", True, "A column holds values of two kinds.", "give every row the same kind"),
    Rule(
        "no_image_feature",
        "crashes",
        True,
        "The file does not say that its pictures are pictures, so they come as mappings.",
        "write it with the feature Image, as `curate export --format trl` does",
    ),
    Rule(
        "messages",
        "accepts",
        True,
        "With `messages` the loss is taken of every token, the prompt's and the pictures' too.",
        "write prompt and completion",
    ),
    Rule("image_by_path", "accepts", False, "The picture is a path: it is found on one machine only.", "embed it"),
    Rule(
        "no_completion",
        "crashes",
        True,
        "There is no completion: in about half of all processes training crashes, in the others nothing is learnt.",
        "add one",
    ),
    Rule("empty_completion", "accepts", True, "The answer is empty: the model learns to say nothing.", "leave it out"),
    Rule("image_count", "crashes", True, "Picture parts and pictures differ in number.", "make them equal"),
    Rule("placeholder_text", "accepts", True, "<image> in a text is only text.", "use a part of type image"),
    Rule("image_missing", "crashes", True, "There is no such file.", "embed the picture"),
    Rule("image_empty", "crashes", True, "A picture has no bytes.", "leave the row out"),
    Rule("image_truncated", "crashes", True, "A picture ends too early.", "leave the row out"),
    Rule("image_unreadable", "crashes", True, "A picture cannot be decoded.", "leave the row out"),
    Rule("image_too_large", "crashes", True, "Pillow refuses the picture for its size.", "make it smaller"),
    Rule("image_aspect", "crashes", True, "A picture is longer than 200:1.", "leave the row out"),
    Rule(
        "image_unsafe", "accepts", False, "Trainer and server see different pixels.", "let `curate export` prepare it"
    ),
    Rule("special_token", "accepts", True, "A special token is written in a text and is read as one.", "escape it"),
    Rule("image_pad", "crashes", True, "A written <|image_pad|> stands for a picture that is not there.", "escape it"),
    Rule("over_token_budget", "accepts", True, "Longer than the budget; TRL does not cut.", "shorten the row"),
    Rule("over_answer_budget", "accepts", True, "An answer is longer than the answer budget.", "shorten it"),
    Rule("too_many_images", "accepts", True, "More pictures than the server takes.", "leave the row out"),
)
_PEEKED: Effect = "stops"
"""The trainer opens the first row before it begins."""


def examine(folder: Path, settings: Settings) -> Report:
    """Check every Parquet file with a prompt or messages."""
    report = Report("trl", "it looks for .parquet with prompt and completion")
    look, count = PictureFiles(folder, settings), tokens.counter(settings.tokenizer)
    for path in data_files(folder, _COLUMNS):
        if path.suffix != ".parquet":
            continue
        log = Log(report, FileReport(path.name), RULES)
        check = _Rows(settings, settings.bounds or PROCESSOR, look, count, log)
        check.columns(path)
        for number, name, row in numbered(path, log):
            check.row(number, name, row)
    return report


@dataclass(frozen=True)
class _Rows:
    """The rows of one file in the hands of `datasets` and TRL's collator."""

    settings: Settings
    bounds: Bounds
    pictures: PictureFiles
    count: CountTokens
    log: Log

    def columns(self, path: Path) -> None:
        """Check what the file says of its columns."""
        try:
            schema = pq.read_schema(path)
        except (OSError, pa.ArrowInvalid):
            return  # told when its rows are read
        if "messages" in schema.names and "prompt" not in schema.names:
            self.log.whole("messages", "the file has messages")
        told = json.loads((schema.metadata or {}).get(b"huggingface", b"{}")).get("info", {}).get("features", {})
        for name in ("images", "image"):
            if name in schema.names and '"Image"' not in json.dumps(told.get(name)):
                self.log.whole("no_image_feature", f"column {name}")

    def row(self, number: int, name: str, row: Mapping[str, Any]) -> None:
        """Check one row."""
        prompt = as_list(row.get("prompt") or row.get("messages"))
        completion = as_list(row.get("completion"))
        images = as_list(row.get("images", row.get("image")))
        messages = [message for message in [*prompt, *completion] if isinstance(message, Mapping)]
        if "prompt" in row and not completion:
            self.log.row(number, name, "no_completion", "completion is empty")
            return
        texts = parts.texts(messages)
        if messages and not any(parts.texts(messages[-1:])) and not for_prediction(self.log.file.name):
            self.log.row(number, name, "empty_completion", "the last message has no text")
        counted = sum(part.kind == "image" for message in messages for part in parts.of_message(message))
        in_parts = any(isinstance(message.get("content"), list) for message in messages)
        if in_parts and counted != len(images):
            self.log.row(number, name, "image_count", f"{counted} parts of type image, {len(images)} pictures")
        if any(PLACEHOLDER in text for text in texts):
            self.log.row(number, name, "placeholder_text", PLACEHOLDER)
        found, breaks = special_tokens(texts)
        if found or breaks:
            self.log.row(number, name, "image_pad" if breaks else "special_token", ", ".join(sorted(found)))
        most = self.settings.images_per_row
        if most is not None and len(images) > most:
            self.log.row(number, name, "too_many_images", f"{len(images)} pictures, the limit is {most}")
        sizes = self._sizes(number, name, images)
        if self.log.file.effects.get(number, "accepts") == "accepts":
            self._budget(number, name, messages, sizes)

    def _sizes(self, number: int, name: str, images: Sequence[Any]) -> list[Size]:
        sizes = []
        for picture in images:
            if isinstance(picture, Mapping) and picture.get("bytes") is None:
                self.log.row(number, name, "image_by_path", str(picture.get("path")))
            probe = self.pictures.look(picture)
            if probe.code:
                self.log.row(number, name, probe.code, probe.message, _PEEKED if number == 0 else None)
                continue
            unsafe = probe.unsafe(self.bounds)
            if unsafe:
                self.log.row(number, name, "image_unsafe", "; ".join(unsafe))
            try:
                sizes.append(in_processor(probe.size))
            except RowError as error:
                self.log.row(number, name, "image_aspect", error.detail)
        return sizes

    def _budget(self, number: int, name: str, messages: Sequence[Mapping[str, Any]], sizes: Sequence[Size]) -> None:
        talk = parts.laid(messages)
        turns = lay_out(talk.questions, talk.answers, talk.system, [size.tokens for size in sizes], self.count)
        total = sum(turn.source_tokens + turn.target_tokens for turn in turns)
        how = "" if self.settings.tokenizer else "at most "
        cutoff, budget = self.settings.cutoff_len, self.settings.answer_len
        if cutoff is not None and total > cutoff:
            self.log.row(number, name, "over_token_budget", f"{how}{total} tokens, cutoff_len is {cutoff}")
        longest = max((turn.target_tokens for turn in turns), default=0)
        if budget is not None and longest > budget:
            self.log.row(number, name, "over_answer_budget", f"{how}{longest} tokens, the budget is {budget}")
        self.log.file.image_tokens += sum(size.tokens for size in sizes)
        self.log.file.longest = max(self.log.file.longest, total)
