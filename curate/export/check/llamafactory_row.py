"""One row in the hands of LLaMA-Factory 0.9.5: converter, template, tokenizer, collator, in this order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from curate.dataset.vision import Size
from curate.errors import RowError
from curate.export.chatml import lay_out
from curate.export.check.configs import Budget
from curate.export.check.conversation import Conversation, as_list, special_tokens
from curate.export.check.cutting import cut
from curate.export.check.dataset_info import Entry
from curate.export.check.finding import Settings
from curate.export.check.log import Log
from curate.export.check.pictures import PictureFiles
from curate.export.check.sizes import in_llamafactory
from curate.export.tokens import CountTokens
from curate.records import PLACEHOLDER

_SLIPPED_IN = "detailed thinking off"


def _with_slipped_in(system: Any) -> Any:
    """The system text as the formatting `openai` of this version makes it."""
    if not isinstance(system, str) or not system:
        return _SLIPPED_IN
    return system if "detailed thinking o" in system else f"{system}\n{_SLIPPED_IN}"


class _Gone(Exception):
    """The row went: dropped, or the run stopped at it; the finding is written."""


@dataclass
class RowCheck:
    """Checks the rows of one entry."""

    entry: Entry
    budget: Budget
    settings: Settings
    pictures: PictureFiles
    count: CountTokens
    log: Log

    @property
    def columns(self) -> list[str]:
        """Columns without which the converter stops."""
        wanted = ["images", "system", "tools"]
        wanted += ["prompt", "query", "response", "history"] if self.entry.formatting == "alpaca" else []
        named = [self.entry.columns[key] for key in wanted]
        if self.entry.formatting != "alpaca":
            named.append(self.entry.columns["messages"] or "messages (none is named in columns)")
        return [name for name in named if name]

    def row(self, number: int, name: str, row: Mapping[str, Any]) -> None:
        """Check one row."""
        try:
            alpaca = self.entry.formatting == "alpaca"
            talk = self._alpaca(number, name, row) if alpaca else self._sharegpt(number, name, row)
            self._texts(number, name, talk)
            self._budget(number, name, talk, self._pictures(number, name, talk))
        except _Gone:
            pass

    def _go(self, number: int, name: str, code: str, message: str) -> _Gone:
        self.log.row(number, name, code, message)
        return _Gone()

    def _column(self, row: Mapping[str, Any], key: str) -> Any:
        name = self.entry.columns[key]
        return row.get(name) if name else None

    def _media(self, number: int, name: str, row: Mapping[str, Any]) -> list[Any]:
        value = self._column(row, "images")
        if self.entry.columns["images"] and not isinstance(value, list):
            self.log.row(number, name, "images_no_list", f"`{self.entry.columns['images']}` is {type(value).__name__}")
        return as_list(value)

    def _alpaca(self, number: int, name: str, row: Mapping[str, Any]) -> Conversation:
        talk = Conversation(system=self._column(row, "system"), images=self._media(number, name, row))
        history = self._column(row, "history")
        for pair in history if isinstance(history, list) else []:
            if not isinstance(pair, list) or len(pair) != 2:
                raise self._go(number, name, "not_a_conversation", "history is no list of question and answer")
            talk.questions.append(pair[0])
            talk.answers.append(pair[1])
        question = [part for part in (self._column(row, "prompt"), self._column(row, "query")) if part]
        if not all(isinstance(part, str) for part in question):
            raise self._go(number, name, "not_text", "the instruction or input is no text")
        talk.questions.append("\n".join(question))
        answer = self._column(row, "response")
        if not isinstance(answer, str) and not self.budget.predicts:
            raise self._go(number, name, "no_answer", f"`{self.entry.columns['response']}` is {answer!r}")
        talk.answers.append(answer if isinstance(answer, str) else "")
        return talk

    def _sharegpt(self, number: int, name: str, row: Mapping[str, Any]) -> Conversation:
        tags, turns = self.entry.tags, self._column(row, "messages")
        role, content = str(tags["role_tag"]), str(tags["content_tag"])
        if not isinstance(turns, list) or not all(isinstance(turn, dict) and role in turn for turn in turns):
            raise self._go(number, name, "not_a_conversation", f"a turn is no mapping with `{role}` and `{content}`")
        system = self._column(row, "system")
        if turns and tags["system_tag"] and turns[0][role] == tags["system_tag"]:
            system, turns = turns[0].get(content), turns[1:]
        if not turns:
            raise self._go(number, name, "empty_conversation", "no turn")
        users = (tags["user_tag"], tags["observation_tag"])
        agents = (tags["assistant_tag"], tags["function_tag"])
        for place, turn in enumerate(turns):
            if turn[role] not in (users, agents)[place % 2]:
                expected = (tags["user_tag"], tags["assistant_tag"])[place % 2]
                raise self._go(number, name, "roles", f"turn {place} is of {turn[role]!r}, expected {expected!r}")
        if len(turns) % 2:
            raise self._go(number, name, "odd_turns", f"{len(turns)} turns")
        if self.entry.formatting == "openai":
            system = _with_slipped_in(system)
        texts = [turn.get(content) for turn in turns]
        return Conversation(texts[::2], texts[1::2], system, self._media(number, name, row))

    def _texts(self, number: int, name: str, talk: Conversation) -> None:
        wrong = [text for text in talk.texts if not isinstance(text, str)]
        if wrong or not isinstance(talk.system or "", str):
            raise self._go(number, name, "not_text", f"{wrong[0] if wrong else talk.system!r} is no text")
        for other in ("<video>", "<audio>"):
            if any(other in text for text in talk.texts):
                raise self._go(number, name, "other_media", other)
        placeholders = sum(text.count(PLACEHOLDER) for text in talk.texts)
        if placeholders != len(talk.images):
            raise self._go(number, name, "image_count", f"{placeholders} {PLACEHOLDER}, {len(talk.images)} pictures")
        if PLACEHOLDER in (talk.system or ""):
            self.log.row(number, name, "system_placeholder", PLACEHOLDER)
        found, breaks = special_tokens([*talk.texts, talk.system or ""])
        if breaks:
            self.log.row(number, name, "image_pad", ", ".join(sorted(found)))
        elif found:
            self.log.row(number, name, "special_token", ", ".join(sorted(found)))
        if not self.budget.predicts and not all(talk.answers):
            self.log.row(number, name, "empty_answer", f"answer {talk.answers.index('')}")
        most = self.settings.images_per_row
        if most is not None and len(talk.images) > most:
            self.log.row(number, name, "too_many_images", f"{len(talk.images)} pictures, the limit is {most}")

    def _pictures(self, number: int, name: str, talk: Conversation) -> list[Size]:
        sizes = []
        for picture in talk.images:
            probe = self.pictures.look(picture)
            if probe.code:
                raise self._go(number, name, probe.code, probe.message)
            if probe.outside:
                self.log.row(number, name, "image_path", str(picture))
            if probe.too_long:
                self.log.row(number, name, "image_stretched", f"{probe.size} pixels")
            unsafe = probe.unsafe(self.budget.bounds)
            if unsafe:
                self.log.row(number, name, "image_unsafe", "; ".join(unsafe))
            try:
                sizes.append(in_llamafactory(probe.size, self.budget.bounds))
            except RowError as error:
                raise self._go(number, name, "image_unreadable", str(error)) from error
        return sizes

    def _budget(self, number: int, name: str, talk: Conversation, sizes: list[Size]) -> None:
        weights = [size.tokens for size in sizes]
        turns = lay_out(talk.questions, talk.answers, talk.system, weights, self.count)
        kept = cut(turns, self.budget.cutoff_len)
        total = sum(turn.source_tokens + turn.target_tokens for turn in turns)
        how = "" if self.settings.tokenizer else "at most "
        told = f"{how}{total} tokens ({sum(weights)} of pictures), cutoff_len is {self.budget.cutoff_len}"
        if kept.pads < sum(weights):
            self.log.row(number, name, "image_tokens_cut", f"{told}; {kept.pads} of pictures are left")
        elif not kept.whole:
            self.log.row(number, name, "over_token_budget", told)
        if not kept.labels:
            self.log.row(number, name, "no_label_tokens", told)
        longest = max(turn.target_tokens for turn in turns)
        if self.settings.answer_len is not None and longest > self.settings.answer_len:
            message = f"{how}{longest} tokens, the budget is {self.settings.answer_len}"
            self.log.row(number, name, "over_answer_budget", message)
        if self.log.file.effects.get(number, "accepts") == "accepts":
            self.log.file.image_tokens += kept.pads
            self.log.file.longest = max(self.log.file.longest, kept.tokens)
