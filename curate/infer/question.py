"""What a model is asked: the rows of a ShareGPT export, so that it is served exactly what it was trained on."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq

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

    def messages(self) -> list[dict[str, Any]]:
        """Messages for chat completions: texts and pictures as parts, pictures in base64.

        Raises:
            OSError: a picture cannot be read.
        """
        pictures = iter(self.images)
        return [{"role": turn.role, "content": _parts(turn.text, pictures)} for turn in self.turns]

    def digest(self) -> str:
        """Hash of what is asked: texts, picture bytes and allowed answers."""
        total = hashlib.sha256()
        total.update(orjson.dumps([[turn.role, turn.text] for turn in self.turns] + [list(self.choices)]))
        for path in self.images:
            total.update(hashlib.sha256(path.read_bytes()).digest())
        return total.hexdigest()[:32]


def _parts(text: str, pictures: Iterator[Path]) -> list[dict[str, Any]] | str:
    pieces = re.split(f"({re.escape(PLACEHOLDER)})", text)
    if len(pieces) == 1:
        return text
    return [_part(piece, pictures) for piece in pieces if piece]


def _part(piece: str, pictures: Iterator[Path]) -> dict[str, Any]:
    if piece != PLACEHOLDER:
        return {"type": "text", "text": piece}
    path = next(pictures)
    data = base64.b64encode(path.read_bytes()).decode("ascii")
    return {"type": "image_url", "image_url": {"url": f"data:{_MEDIA[path.suffix.lower()]};base64,{data}"}}


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
