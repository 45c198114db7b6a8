"""Qwen2-VL's conversation as a trainer lays it out, counted in tokens turn by turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from curate.export.tokens import SPECIAL, CountTokens
from curate.records import PLACEHOLDER

DEFAULT_SYSTEM = "You are a helpful assistant."
"""What every consumer puts before a conversation that has no system text."""

IMAGE_PAD = "<|image_pad|>"


@dataclass(frozen=True)
class Piece:
    """A stretch of tokens of one kind. `pads` are tokens that the model takes for parts of a picture."""

    tokens: int
    pads: int = 0


@dataclass(frozen=True)
class Turn:
    """A question and its answer in tokens; the first question has the system text before it."""

    source: tuple[Piece, ...]
    target: tuple[Piece, ...]

    @property
    def source_tokens(self) -> int:
        """Tokens of the question with the marks around it."""
        return total(self.source)

    @property
    def target_tokens(self) -> int:
        """Tokens of the answer with its end marks: what the loss is taken of."""
        return total(self.target)


def total(pieces: Sequence[Piece]) -> int:
    """Tokens of pieces."""
    return sum(piece.tokens for piece in pieces)


def pads(pieces: Sequence[Piece], length: int | None = None) -> int:
    """Picture tokens among the first `length` tokens; among all where it is None."""
    found, left = 0, total(pieces) if length is None else length
    for piece in pieces:
        if left <= 0:
            break
        found += min(piece.pads, left)
        left -= piece.tokens
    return found


def lay_out(
    questions: Sequence[str], answers: Sequence[str], system: str | None, pictures: Sequence[int], count: CountTokens
) -> list[Turn]:
    """Lay out a conversation in ChatML as LLaMA-Factory, ms-swift and Qwen's chat template do.

    Args:
        questions: What the user says, with a placeholder for each picture.
        answers: What the assistant says; as many.
        system: System text; None or nothing for the default.
        pictures: Tokens of each picture, without the two marks around it, in order.
        count: Counts the tokens of plain text.
    """
    left = list(pictures)
    turns: list[Turn] = []
    for number, (question, answer) in enumerate(zip(questions, answers, strict=True)):
        head = f"<|im_start|>system\n{system or DEFAULT_SYSTEM}<|im_end|>\n" if number == 0 else ""
        text = f"<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n"
        source = [*_pieces(head, [], count), *_pieces(text, left, count)]
        turns.append(Turn(tuple(source), tuple(_pieces(f"{answer}<|im_end|>\n", left, count))))
    return turns


def _pieces(text: str, pictures: list[int], count: CountTokens) -> list[Piece]:
    """Count one element of the layout, which is given to the tokenizer alone.

    Pictures are taken from the list; a placeholder for which there is none is text.
    """
    found: list[Piece] = []
    parts = text.split(PLACEHOLDER, len(pictures))
    for place, part in enumerate(parts):
        if place:
            tokens = pictures.pop(0)
            found += [Piece(1), Piece(tokens, tokens), Piece(1)]
        found += _plain(part, count)
    return found


def _plain(text: str, count: CountTokens) -> list[Piece]:
    """Text with special tokens in it: each is one token, what lies between is counted alone."""
    found: list[Piece] = []
    start = 0
    for match in SPECIAL.finditer(text):
        found += [Piece(count(text[start : match.start()])), Piece(1, int(match.group() == IMAGE_PAD))]
        start = match.end()
    return [*found, Piece(count(text[start:]))]
