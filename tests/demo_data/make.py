"""Write the demo data set: `python -m tests.demo_data.make OUT_FOLDER`.

The talks and the pictures' contents stand in `dialogues.yaml` and `scenes.yaml`; this turns them into the form of
the MIRE challenge, byte for byte the same on every machine, so that a change in the committed files shows a change
in what was written by hand.
"""

from __future__ import annotations

import hashlib
import json
import sys
import uuid
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from curate.labels.registry import Registry

HERE = Path(__file__).parent
INTENT, SCENE = "dialogue_intent", "image_scene"
REGISTRY = Registry.load("mire")

INTENT_PROMPT = (
    "你是一个电商客服专家，请根据用户与客服的多轮对话判断用户的意图分类标签。\n"
    "<用户与客服的对话 START>\n{dialogue}\n<用户与客服的对话 END>\n"
    "请直接只输出分类标签结果，不需要其他多余的话。以下是可以参考的分类标签为：[{labels}]\n"
)
SCENE_PROMPT = (
    "Picture 1: <image>\n"
    "你是一个电商领域识图专家,可以理解消费者上传的软件截图或实物拍摄图。现在,请你对消费者上传的图片进行分类。"
    "你只需要回答图片分类结果,不需要其他多余的话。以下是可以参考的分类标签,分类标签:[{labels}]。"
)
SUFFIX = {"alpha": "png", "palette": "png", "webp": "webp"}
"""Variants that need a format of their own; every other picture is a JPEG."""


def load(name: str) -> list[dict[str, Any]]:
    """Read what was written by hand."""
    return list(YAML(typ="safe", pure=True).load((HERE / name).read_text(encoding="utf-8")))


def entries() -> list[dict[str, Any]]:
    """All records in the order of the file: dialogues, then scenes, as in the challenge; bad rows spread among each."""
    talks = [{**talk, "task": INTENT} for talk in load("dialogues.yaml")]
    scenes = [{**scene, "task": SCENE, "pictures": [scene["picture"]]} for scene in load("scenes.yaml")]
    return _spread(talks) + _spread(scenes)


def _spread(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Sort by the hash of the key, so that a reader who takes the first rows meets good and bad ones."""
    return sorted(records, key=lambda record: _hash(record["key"]))


def record_id(entry: dict[str, Any]) -> str:
    """Derive the id from the key: 30 hex digits for a dialogue, else a UUID and a number, as in the challenge."""
    digest = _hash(entry["key"])
    if entry["task"] == INTENT:
        return digest[:30]
    return f"{uuid.UUID(digest[:32])}-{int(digest[32:36], 16)}"


def _hash(key: str) -> str:
    return hashlib.sha256(f"curate demo {key}".encode()).hexdigest()


def pictures(entry: dict[str, Any]) -> list[dict[str, Any]]:
    """What the renderer needs for each picture of a record; the same picture sent twice has the same kind and facts."""
    found: list[dict[str, Any]] = []
    for number, picture in enumerate(entry["pictures"]):
        shown = found[picture["same_as"]] if "same_as" in picture else picture
        name = f"{record_id(entry)}-{number}.{SUFFIX.get(shown.get('variant', ''), 'jpg')}"
        found.append({**shown, "file": picture.get("path", name)})
    return found


def row(entry: dict[str, Any]) -> dict[str, Any]:
    """One record in the form of the challenge."""
    return {
        "id": record_id(entry),
        "instruction": prompt(entry),
        "input": "",
        "output": entry["label"],
        "image": [picture["file"] for picture in pictures(entry)],
    }


def prompt(entry: dict[str, Any]) -> str:
    """The exact wording of the challenge, around the record's own talk."""
    labels = ",".join(f'"{label}"' for label in REGISTRY.labels(entry["task"]))
    if entry["task"] == SCENE:
        return SCENE_PROMPT.format(labels=labels)
    return INTENT_PROMPT.format(labels=labels, dialogue="\n".join(f"{who}: {text}" for who, text in entry["turns"]))


def specification(everything: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The pictures to render; one that is named outside the folder is never drawn."""
    keys = ("file", "kind", "facts", "variant")
    return [
        {key: picture[key] for key in keys if key in picture}
        for entry in everything
        for picture in pictures(entry)
        if "kind" in picture
    ]


def expectation(entry: dict[str, Any]) -> dict[str, Any]:
    """What must become of a record when the demo recipe runs."""
    expect = entry.get("expect", {})
    known = REGISTRY.tasks[entry["task"]].canonical
    return {
        "key": entry["key"],
        "task": entry["task"],
        "label": known.get(entry["label"]),
        "fate": entry.get("fate", "kept"),
        "code": entry.get("code"),
        **{part: expect.get(part, []) for part in ("rules", "keep", "gone")},
    }


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=4) + "\n"


def _yaml_list(items: list[dict[str, Any]]) -> str:
    """One item a line, written as JSON, which is YAML too and does not depend on the version of a YAML library."""
    return "".join(f"- {json.dumps(item, ensure_ascii=False)}\n" for item in items)


def make(folder: Path) -> None:
    """Write train.json, pictures.yaml and expected.json."""
    everything = entries()
    texts = {
        "train.json": _json([row(entry) for entry in everything]),
        "pictures.yaml": _yaml_list(specification(everything)),
        "expected.json": _json({record_id(entry): expectation(entry) for entry in everything}),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_bytes(text.encode())


if __name__ == "__main__":
    make(Path(sys.argv[1]))
