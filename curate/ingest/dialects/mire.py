"""MIRE: one flat object, `id, instruction, input, output, image`; the task stands in the prompt's wording only.

Two forms are in use: the organisers' demo file (pictures as `save/images/NAME`, raw addresses, last turn of the
user) and the train and test files (bare picture names, `<http>`, last turn of the agent, often empty).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from curate.errors import RowError
from curate.ingest import parts
from curate.ingest.conversation import settle
from curate.ingest.dialects import Dialect
from curate.ingest.parts import Parts, Turns
from curate.records import PLACEHOLDER

SCENE, INTENT = "image_scene", "dialogue_intent"
START, END = "<用户与客服的对话 START>", "<用户与客服的对话 END>"
INTENT_MARK = "你是一个电商客服专家"

_SCENE_HEAD = re.compile(r"\s*(?:Picture\s*\d+\s*[:：]\s*<image>\s*)*你是一个电商领域识图专家")
_SPEAKER = re.compile(r"[ \t\u3000]*(用户|客服)[ \t]*[:：] ?")
_ROLE = {"用户": "user", "客服": "agent"}


def task_of(row: Mapping[str, Any]) -> str:
    """Tell the task by the prompt's markers. The word 识图 alone is not one: it occurs inside dialogues.

    Raises:
        RowError: unknown_task, missing_field or bad_field.
    """
    return _task(parts.text(row, "instruction"))


def _task(prompt: str) -> str:
    if INTENT_MARK in prompt.partition(START)[0]:
        return INTENT
    if _SCENE_HEAD.match(prompt):
        return SCENE
    raise RowError("unknown_task", "the instruction has neither the scene prompt nor the intent prompt")


def dialogue(prompt: str) -> Turns:
    """Read the turns between the START and END markers; a line without a speaker goes on with the turn before it.

    Raises:
        RowError: bad_field.
    """
    _, start, rest = prompt.partition(START)
    body, end, _ = rest.rpartition(END)
    if not start or not end:
        raise RowError("bad_field", "instruction: the START and END markers of the dialogue are missing")
    turns: list[tuple[str, list[str]]] = []
    for line in body.replace("\r\n", "\n").removeprefix("\n").removesuffix("\n").split("\n"):
        speaker = _SPEAKER.match(line)
        if speaker:
            turns.append((_ROLE[speaker[1]], [line[speaker.end() :]]))
        elif turns:
            turns[-1][1].append(line)
        elif line.strip():
            raise RowError("bad_field", "instruction: the dialogue's first line names no speaker (用户 or 客服)")
    if not turns:
        raise RowError("bad_field", "instruction: the dialogue is empty")
    return [(role, _tidy("\n".join(lines))) for role, lines in turns]


def _tidy(text: str) -> str:
    return PLACEHOLDER if text.strip() == PLACEHOLDER else text


def _matches(row: Mapping[str, Any]) -> bool:
    prompt = row.get("instruction")
    return isinstance(prompt, str) and (START in prompt or INTENT_MARK in prompt or bool(_SCENE_HEAD.match(prompt)))


def _parse(row: Mapping[str, Any]) -> Parts:
    prompt = parts.text(row, "instruction")
    extra = parts.optional_text(row, "input")
    if extra:
        prompt = f"{prompt}\n{extra}"
    task = _task(prompt)
    names = _images(row)
    if task == SCENE:
        if len(names) != 1:
            raise RowError("image_count_mismatch", f"a scene record has one picture, this one has {len(names)}")
        turns = [("user", PLACEHOLDER)]
    else:
        turns = dialogue(prompt)
        if names and not any(PLACEHOLDER in text for _, text in turns):
            raise RowError("image_count_mismatch", f"0 {PLACEHOLDER} in the dialogue, {len(names)} pictures")
        turns = settle(turns, len(names), typed=True)
    label = parts.text(row, "output") if "output" in row else None
    return Parts(turns, task, names, parts.source_id(row), label=label or None, split=parts.split(row))


def _images(row: Mapping[str, Any]) -> list[str]:
    for key in ("image", "images"):
        if key in row:
            if not isinstance(row[key], (list, str)):
                raise parts.wrong(key, "a list of file names", row[key])
            return parts.images(row, (key,))
    raise RowError("missing_field", "image")


DIALECT = Dialect("mire", _matches, _parse, "instruction (with the MIRE prompt), image", task_of, "mire")
