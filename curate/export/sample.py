"""From a record to a sample: messages, pictures and tokens, or the reason why it is left out."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

from curate.dataset.pictures import CODES as PICTURE_CODES
from curate.errors import RowError
from curate.export import chatml
from curate.export.dialogue import Message
from curate.export.options import TrainingOptions
from curate.export.pictures import Placed, Planned
from curate.export.template import CODES as TEMPLATE_CODES
from curate.export.tokens import REGION_MARKS, SPECIAL, CountTokens
from curate.records import PLACEHOLDER, Record

CODES = {
    **TEMPLATE_CODES,
    **PICTURE_CODES,
    "image_aspect": "The picture is more than 200 times as long as wide, which the model's processor refuses.",
    "image_count_mismatch": "The number of <image> in the finished prompt is not the number of pictures.",
    "over_token_budget": "The sample has more tokens than cutoff_len; the detail has the numbers.",
    "over_answer_budget": "An answer has more tokens than answer_len; the detail has the numbers.",
    "special_token": "The text holds a special token of the chat template, such as <|im_end|>, and would break.",
    "other_placeholder": "The text holds <video> or <audio>, which trainers count as media that are not there.",
    "too_many_images": "The sample has more pictures than images_per_row.",
}
"""Codes of records that are left out of a training set."""

Given = TypeVar("Given")
Made = TypeVar("Made")


@dataclass
class Sample:
    """A row on its way: its messages and the pictures that belong to it, or why it is left out."""

    record: Record
    split: str
    messages: list[Message] = field(default_factory=list)
    planned: list[Planned] = field(default_factory=list)
    images: list[Placed] = field(default_factory=list)
    text_tokens: int = 0
    image_tokens: int = 0
    answer_tokens: int = 0
    """Tokens of the longest answer, its end marks included."""
    error: RowError | None = None

    @property
    def system(self) -> str:
        """The system text; empty where there is none."""
        return next((one.text for one in self.messages if one.role == "system"), "")

    @property
    def turns(self) -> list[Message]:
        """User and assistant in turn."""
        return [one for one in self.messages if one.role != "system"]

    @property
    def tokens(self) -> int:
        """All tokens: of the text at most, unless a tokenizer counted them, and of the pictures exactly."""
        return self.text_tokens + self.image_tokens


def check(messages: Sequence[Message], images: int, options: TrainingOptions, marks: bool = False) -> None:
    """The trainers' own rules: placeholders fit pictures and stand in the user's text only, nothing is special.

    Args:
        messages: Of one sample.
        images: Number of its pictures.
        options: Of the export.
        marks: Whether the special tokens that mark regions are meant.

    Raises:
        RowError: image_count_mismatch, too_many_images, special_token or other_placeholder.
    """
    in_user = sum(message.text.count(PLACEHOLDER) for message in messages if message.role == "user")
    elsewhere = sum(message.text.count(PLACEHOLDER) for message in messages if message.role != "user")
    if in_user != images or elsewhere:
        raise RowError(
            "image_count_mismatch", f"{in_user} in the user's text, {elsewhere} elsewhere, {images} pictures"
        )
    if options.images_per_row is not None and images > options.images_per_row:
        raise RowError("too_many_images", f"{images} pictures, images_per_row is {options.images_per_row}")
    for message in messages:
        found = {match.group() for match in SPECIAL.finditer(message.text)} - (REGION_MARKS if marks else set())
        if found:
            raise RowError("special_token", ", ".join(sorted(found)))
        other = [name for name in ("<video>", "<audio>") if name in message.text]
        if other:
            raise RowError("other_placeholder", ", ".join(other))


def weigh(sample: Sample, options: TrainingOptions, count: CountTokens) -> None:
    """Count the tokens of a sample and hold them against the budgets.

    Raises:
        RowError: over_token_budget or over_answer_budget.
    """
    turns = sample.turns
    questions, answers = [one.text for one in turns[::2]], [one.text for one in turns[1::2]]
    sizes = [planned.size.tokens for planned in sample.planned]
    laid = chatml.lay_out(questions, answers, sample.system, sizes, count)
    sample.image_tokens = sum(size + 2 for size in sizes)
    sample.text_tokens = sum(turn.source_tokens + turn.target_tokens for turn in laid) - sample.image_tokens
    how = "" if options.tokenizer else "at most "
    if sample.tokens > options.cutoff_len:
        raise RowError(
            "over_token_budget",
            f"{how}{sample.text_tokens} of text + {sample.image_tokens} of pictures = {sample.tokens} tokens, "
            f"cutoff_len is {options.cutoff_len}; raise cutoff_len, or lower max_pixels or ocr_characters",
        )
    sample.answer_tokens = max(turn.target_tokens for turn in laid)
    if options.answer_len is not None and sample.answer_tokens > options.answer_len:
        told = f"{how}{sample.answer_tokens} tokens in one answer, answer_len is {options.answer_len}"
        raise RowError("over_answer_budget", told)


def in_order(
    threads: ThreadPoolExecutor, work: Callable[[Given], Made], items: Iterable[Given], window: int
) -> Iterator[Made]:
    """Work on items in threads, give the results in order; at most `window` of them are held at a time."""
    waiting: deque[Future[Made]] = deque()
    for item in items:
        waiting.append(threads.submit(work, item))
        if len(waiting) >= window:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
