"""What ms-swift 4.6 makes of the files of a folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curate.dataset.vision import Bounds, Size, smart_resize
from curate.errors import RowError
from curate.export import tokens
from curate.export.chatml import IMAGE_PAD, lay_out, pads
from curate.export.check.conversation import Conversation, as_list, special_tokens
from curate.export.check.files import LateImages, data_files, for_prediction, numbered, script_number
from curate.export.check.finding import FileReport, Report, Settings
from curate.export.check.log import Log
from curate.export.check.pictures import PictureFiles
from curate.export.check.sizes import PROCESSOR, in_processor
from curate.export.check.swift_rules import RULES
from curate.export.tokens import CountTokens
from curate.records import PLACEHOLDER

_MESSAGES = ("messages", "conversation", "conversations")
_COLUMNS = frozenset((*_MESSAGES, "instruction", "query", "response"))
_ROLES = {
    **dict.fromkeys(("user", "human"), "user"),
    **dict.fromkeys(("assistant", "gpt", "bot"), "assistant"),
    "system": "system",
}
_MAX_LENGTH = 32_768
"""What Qwen2-VL's configuration allows, where no max_length is given."""


class _Gone(Exception):
    """The row went; the finding is written."""


def examine(folder: Path, settings: Settings) -> Report:
    """Check every file that holds conversations; paths of pictures are taken as relative to the folder."""
    report = Report("swift", "it looks for .json, .jsonl and .parquet with messages or conversations")
    most = script_number(folder, "MAX_PIXELS") or PROCESSOR.max_pixels
    least = script_number(folder, "MIN_PIXELS") or PROCESSOR.min_pixels
    check = _Rows(
        settings,
        settings.bounds or Bounds(most, least),
        settings.cutoff_len or script_number(folder, "max_length") or _MAX_LENGTH,
        PictureFiles(folder, settings),
        tokens.counter(settings.tokenizer),
    )
    for path in data_files(folder, _COLUMNS):
        log = Log(report, FileReport(path.name), RULES)
        late = LateImages(path, "images")
        for number, name, row in numbered(path, log):
            if late.come(row):
                log.row(number, name, "late_images", late.message)
            try:
                _Row(check, log, number, name).check(row)
            except _Gone:
                continue
    return report


@dataclass(frozen=True)
class _Rows:
    """What all rows are checked with."""

    settings: Settings
    bounds: Bounds
    max_length: int
    pictures: PictureFiles
    count: CountTokens


@dataclass(frozen=True)
class _Row:
    """One row in the hands of ms-swift: preprocessor, template, collator."""

    rows: _Rows
    log: Log
    number: int
    name: str

    @property
    def _predicts(self) -> bool:
        return for_prediction(self.log.file.name)

    def _say(self, code: str, message: str) -> None:
        self.log.row(self.number, self.name, code, message)

    def _go(self, code: str, message: str) -> _Gone:
        self._say(code, message)
        return _Gone()

    def check(self, row: Mapping[str, Any]) -> None:
        """Check it."""
        images = as_list(row.get("images", row.get("image")))
        spoken = self._spoken(row)
        talk = self._talk(spoken, images)
        self._texts(talk, spoken)
        self._objects(row.get("objects"), talk)
        self._budget(talk, self._pictures(images))

    def _spoken(self, row: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Role and text of every turn, the system's too."""
        key = next((key for key in _MESSAGES if row.get(key) is not None), None)
        if key is None:
            return self._alpaca(row)
        turns = row[key]
        if not isinstance(turns, list) or not all(isinstance(turn, dict) for turn in turns):
            raise self._go("not_a_conversation", f"`{key}` is no list of mappings")
        if not turns:
            raise self._go("empty_conversation", "no turn")
        spoken = []
        for turn in turns:
            role, text = turn.get("role", turn.get("from")), turn.get("content", turn.get("value"))
            if not isinstance(role, str) or role not in _ROLES:
                raise self._go("unknown_role", f"role {role!r}")
            if not isinstance(text, str):
                raise self._go("not_text", f"{text!r} is no text")
            spoken.append((_ROLES[role], text))
        if isinstance(row.get("system"), str) and spoken[0][0] != "system":
            spoken.insert(0, ("system", row["system"]))
        return spoken

    def _alpaca(self, row: Mapping[str, Any]) -> list[tuple[str, str]]:
        question = "\n".join(str(part) for part in (row.get("instruction"), row.get("input")) if part)
        answer = row.get("output", row.get("response"))
        history = row.get("history") if isinstance(row.get("history"), list) else []
        pairs = [*(history or []), [question or row.get("query"), answer]]
        spoken = [("system", str(row["system"]))] if row.get("system") else []
        for pair in pairs:
            if not isinstance(pair, list) or len(pair) != 2:
                raise self._go("not_a_conversation", "history is no list of question and answer")
            for role, text in zip(("user", "assistant"), pair, strict=True):
                if text is not None and not isinstance(text, str):
                    raise self._go("not_text", f"{text!r} is no text")
                spoken += [(role, text)] if text is not None else []
        if not spoken:
            raise self._go("empty_conversation", "no turn")
        return spoken

    def _talk(self, spoken: Sequence[tuple[str, str]], images: list[Any]) -> Conversation:
        system = spoken[0][1] if spoken[0][0] == "system" else None
        turns = list(spoken[1:] if system is not None else spoken)
        if any(role == "system" for role, _ in turns):
            raise self._go("late_system", ", ".join(role for role, _ in turns))
        if any(role != ("user", "assistant")[place % 2] for place, (role, _) in enumerate(turns)):
            self._say("roles", ", ".join(role for role, _ in turns))
        elif len(turns) % 2 and not self._predicts:
            self._say("odd_turns", f"{len(turns)} turns")
        texts = [text for _, text in turns]
        if not texts:
            raise self._go("empty_conversation", "no turn but the system's")
        if len(texts) % 2:
            texts.append("")
        return Conversation(texts[::2], texts[1::2], system, images)

    def _texts(self, talk: Conversation, spoken: Sequence[tuple[str, str]]) -> None:
        if not self._predicts and any(role == "assistant" and not text for role, text in spoken):
            self._say("empty_answer", "an answer is empty")
        in_user = sum(text.count(PLACEHOLDER) for role, text in spoken if role == "user")
        elsewhere = sum(text.count(PLACEHOLDER) for role, text in spoken if role != "user")
        if in_user + elsewhere != len(talk.images):
            self._say("image_count", f"{in_user + elsewhere} {PLACEHOLDER}, {len(talk.images)} pictures")
        elif elsewhere:
            self._say("placeholder_elsewhere", f"{elsewhere} {PLACEHOLDER}")
        texts = [text for _, text in spoken]
        other = [media for media in ("<video>", "<audio>") if any(media in text for text in texts)]
        if other:
            self._say("other_media", ", ".join(other))
        found, _ = special_tokens(texts)
        if found:
            self._say("image_pad" if IMAGE_PAD in found else "special_token", ", ".join(sorted(found)))
        most = self.rows.settings.images_per_row
        if most is not None and len(talk.images) > most:
            self._say("too_many_images", f"{len(talk.images)} pictures, the limit is {most}")

    def _objects(self, objects: Any, talk: Conversation) -> None:
        if objects is None:
            return
        boxes = objects.get("bbox") if isinstance(objects, dict) else None
        if not isinstance(boxes, list) or not all(isinstance(box, list) and len(box) in (2, 4) for box in boxes):
            raise self._go("objects", "bbox is no list of boxes of 2 or 4 numbers")
        for mark, given in (("<bbox>", boxes), ("<ref-object>", objects.get("ref") or [])):
            written = sum(text.count(mark) for text in talk.texts)
            if written != len(given):
                self._say("object_count", f"{written} {mark}, {len(given)} in objects")

    def _pictures(self, images: Sequence[Any]) -> list[Size]:
        sizes = []
        for picture in images:
            probe = self.rows.pictures.look(picture)
            if probe.code:
                raise self._go(probe.code, probe.message)
            if probe.outside:
                self._say("image_path", str(picture))
            unsafe = probe.unsafe(self.rows.bounds)
            if unsafe:
                self._say("image_unsafe", "; ".join(unsafe))
            try:
                size = smart_resize(probe.size.width, probe.size.height, self.rows.bounds)
                sizes.append(in_processor(size))
            except RowError as error:
                raise self._go("image_aspect", error.detail) from error
        return sizes

    def _budget(self, talk: Conversation, sizes: Sequence[Size]) -> None:
        missing = len(talk.images) - sum(text.count(PLACEHOLDER) for text in [*talk.texts, talk.system or ""])
        questions = [PLACEHOLDER * max(missing, 0) + talk.questions[0], *talk.questions[1:]]
        turns = lay_out(questions, talk.answers, talk.system, [size.tokens for size in sizes], self.rows.count)
        total = sum(turn.source_tokens + turn.target_tokens for turn in turns)
        how = "" if self.rows.settings.tokenizer else "at most "
        if total > self.rows.max_length:
            raise self._go("over_token_budget", f"{how}{total} tokens, max_length is {self.rows.max_length}")
        longest, budget = max(turn.target_tokens for turn in turns), self.rows.settings.answer_len
        if budget is not None and longest > budget:
            self._say("over_answer_budget", f"{how}{longest} tokens, the budget is {budget}")
        if self.log.file.effects.get(self.number, "accepts") == "accepts":
            self.log.file.image_tokens += sum(pads(turn.source) + pads(turn.target) for turn in turns)
            self.log.file.longest = max(self.log.file.longest, total)
