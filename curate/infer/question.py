"""What a model is asked: the rows of a ShareGPT export, so that it is served exactly what it was trained on."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq
import pybase64
import xxhash

from curate.errors import InputError
from curate.records import PLACEHOLDER

INDEX = "index.parquet"
_ROLES = {"human": "user", "gpt": "assistant", "user": "user", "assistant": "assistant"}
_MEDIA = {".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".webp": "image/webp"}


@dataclass(frozen=True)
class Turn:
    """One message; pictures stand in its text as `<image>`, in order."""

    role: str
    text: str


@dataclass(frozen=True)
class Question:
    """One row to be answered."""

    uid: str
    source_id: str
    task: str
    label: str | None
    """The right answer, where it is known; never sent."""
    turns: tuple[Turn, ...]
    """Ends with a turn of the user."""
    images: tuple[Path, ...]
    choices: tuple[str, ...] = ()
    """The answers that are allowed; empty allows any."""
    tokens: int = 0
    """Tokens of the row as the export counted them, an upper bound unless it had a tokenizer."""

    def load(self) -> Loaded:
        """Read the pictures.

        Raises:
            OSError: one cannot be read.
        """
        pictures = [path.read_bytes() for path in self.images]
        total = xxhash.xxh3_128(orjson.dumps([[turn.role, turn.text] for turn in self.turns] + [list(self.choices)]))
        for picture in pictures:
            total.update(xxhash.xxh3_128_digest(picture))
        return Loaded(total.hexdigest(), self, [pybase64.b64encode(picture) for picture in pictures])


@dataclass(frozen=True)
class Loaded:
    """A question with its pictures, ready to be sent."""

    digest: str
    """Hash of what is asked: texts, picture bytes and allowed answers."""
    question: Question
    pictures: Sequence[bytes]
    """Each picture's file in base64."""

    def messages(self) -> list[dict[str, Any]]:
        """Messages as Python objects, pictures as parts."""
        messages: list[dict[str, Any]] = orjson.loads(b"".join(self.body({})))["messages"]
        return messages

    def body(self, fields: Mapping[str, Any]) -> list[bytes]:
        """Make the body of a request for chat completions, in pieces: `fields` and the messages, pictures as parts.

        The pictures stand between pieces of finished JSON: they need no escaping, and looking for letters that do, or
        copying them into one whole, would take longer than everything else.
        """
        mark = f"picture-{self.digest}-"
        media = iter(f"data:{_MEDIA[path.suffix.lower()]};base64,{mark}" for path in self.question.images)
        messages = [{"role": turn.role, "content": _parts(turn.text, media)} for turn in self.question.turns]
        texts = orjson.dumps({**fields, "messages": messages}).split(mark.encode())
        pieces = [texts[0]]
        for picture, text in zip(self.pictures, texts[1:], strict=True):
            pieces += picture, text
        return pieces


def _parts(text: str, addresses: Iterator[str]) -> list[dict[str, Any]] | str:
    pieces = re.split(f"({re.escape(PLACEHOLDER)})", text)
    if len(pieces) == 1:
        return text
    return [
        {"type": "image_url", "image_url": {"url": next(addresses)}}
        if piece == PLACEHOLDER
        else {"type": "text", "text": piece}
        for piece in pieces
        if piece
    ]


def writes_paths(folder: Path) -> bool:
    """Whether an export writes labels with their groups before them (`粗类-细类`)."""
    try:
        return bool(
            orjson.loads((folder / "export.json").read_bytes())["signature"]["environment"]["answers"] == "path"
        )
    except (OSError, ValueError, KeyError, TypeError):
        return False


def export_digest(folder: Path) -> str:
    """Name an export by its content: the hash of its index."""
    return hashlib.sha256((folder / INDEX).read_bytes()).hexdigest()[:32]


def read_questions(folder: Path, split: str, choices: Mapping[str, Sequence[str]]) -> list[Question]:
    """Read a split of a ShareGPT export; a last answer in it is taken off.

    Args:
        folder: The export.
        split: train, val or test.
        choices: The answers that each task allows.

    Raises:
        InputError: it is no ShareGPT export of curate, or has no such split.
    """
    file = folder / f"{split}.json"
    if not (folder / INDEX).is_file():
        raise InputError(f"{folder} is not an export of curate: it has no {INDEX}")
    lines = [line for line in pq.read_table(folder / INDEX).to_pylist() if line["file"] == file.name]
    if not lines or not file.is_file():
        there = sorted(path.stem for path in folder.glob("*.json") if path.stem in ("train", "val", "test"))
        raise InputError(f"{folder} has no rows of the split {split}; it has {', '.join(there) or 'none'}")
    try:
        rows = orjson.loads(file.read_bytes())
    except orjson.JSONDecodeError as error:
        raise InputError(f"{file}: not valid JSON: {error}") from error
    if len(rows) != len(lines):
        raise InputError(f"{file} has {len(rows)} rows, {INDEX} says {len(lines)}; write the export again")
    return [_question(folder, file, row, line, choices) for row, line in zip(rows, lines, strict=True)]


def _question(
    folder: Path, file: Path, row: Mapping[str, Any], line: Mapping[str, Any], choices: Mapping[str, Sequence[str]]
) -> Question:
    where = f"{file}, row {line['line']}"
    try:
        turns = [Turn(_ROLES[turn["from"]], turn["value"]) for turn in row["conversations"]]
        images = tuple(folder / name for name in row["images"])
    except (KeyError, TypeError) as error:
        raise InputError(f"{where}: not a row of a ShareGPT export with pictures in files ({error})") from error
    if turns and turns[-1].role == "assistant":
        turns.pop()
    if not turns or turns[-1].role != "user":
        raise InputError(f"{where}: nothing is asked")
    if row.get("system"):
        turns.insert(0, Turn("system", row["system"]))
    if sum(turn.text.count(PLACEHOLDER) for turn in turns) != len(images):
        raise InputError(f"{where}: the number of {PLACEHOLDER} is not the number of pictures")
    unknown = [image.name for image in images if image.suffix.lower() not in _MEDIA]
    if unknown:
        raise InputError(f"{where}: {unknown[0]} is not a picture that servers take")
    task = line.get("task") or "chat"
    return Question(
        line["uid"],
        line["source_id"],
        task,
        line["label"],
        tuple(turns),
        images,
        tuple(choices.get(task, ())),
        (line.get("text_tokens") or 0) + (line.get("image_tokens") or 0),
    )
