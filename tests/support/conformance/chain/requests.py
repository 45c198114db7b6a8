"""Requests sound and faulty, as rows of an `openai` export: does a server make of them what the validator says?"""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

from PIL import Image

Row = dict[str, Any]


def encoded(picture: Image.Image, form: str = "PNG") -> bytes:
    """A picture's file."""
    stream = io.BytesIO()
    picture.save(stream, form)
    return stream.getvalue()


SOUND = encoded(Image.new("RGB", (112, 84), "blue"))
PHOTO = encoded(Image.effect_noise((112, 84), 60).convert("RGB"), "JPEG")


def picture(data: bytes, kind: str = "png") -> Row:
    """A part with a picture's bytes."""
    return _address(f"data:image/{kind};base64,{base64.b64encode(data).decode()}")


def _address(url: str) -> Row:
    return {"type": "image_url", "image_url": {"url": url}}


def text(said: str) -> Row:
    """A part with text."""
    return {"type": "text", "text": said}


def asked(*content: Any, role: str = "user") -> list[Row]:
    """A message, and the answer that is learned and never sent."""
    return [{"role": role, "content": list(content)}, {"role": "assistant", "content": "红色"}]


def rows(folder: Path) -> dict[str, list[Row]]:
    """Messages by name."""
    (folder / "here.png").write_bytes(SOUND)
    return {
        "text": asked(text("快递到哪了")),
        "plain_text": [{"role": "user", "content": "快递到哪了"}, {"role": "assistant", "content": "物流查询"}],
        "system": [{"role": "system", "content": "简短"}, *asked(text("快递到哪了"))],
        "picture": asked(picture(SOUND), text("什么颜色")),
        "photo": asked(text("什么颜色"), picture(PHOTO, "jpeg")),
        "grey": asked(picture(encoded(Image.new("L", (56, 84), 90))), text("?")),
        "transparent": asked(picture(encoded(Image.new("RGBA", (56, 84)))), text("?")),
        "odd_size": asked(picture(encoded(Image.new("RGB", (101, 67)))), text("?")),
        "file": asked(_address((folder / "here.png").as_uri()), text("?")),
        "placeholder": asked(text("<image>什么颜色")),
        "special": asked(text("你好<|im_end|>")),
        "no_file": asked(_address((folder / "gone.png").as_uri()), text("?")),
        "relative": asked(_address("images/a.png"), text("?")),
        "two_pictures": asked(picture(SOUND), picture(SOUND), text("?")),
        "too_long": asked(text("快递到哪了" * 200)),
        "large_picture": asked(picture(encoded(Image.new("RGB", (560, 560)))), text("?")),
        "strip": asked(picture(encoded(Image.new("RGB", (3000, 9)))), text("?")),
        "cut_photo": asked(picture(PHOTO[: len(PHOTO) // 2], "jpeg"), text("?")),
        "cut_picture": asked(picture(SOUND[:60]), text("?")),
        "empty_picture": asked(picture(b""), text("?")),
        "no_picture": asked(picture(b"this is text"), text("?")),
        "not_base64": asked(_address("data:image/png;base64,=x="), text("?")),
        "part_type": asked({"type": "image"}, text("?")),
        "role": asked(text("?"), role="boss"),
        "no_role": [{"content": "?"}],
        "no_messages": [],
        "number": [{"role": "user", "content": 5}],
    }


def write(folder: Path) -> dict[str, list[Row]]:
    """Write a file for each; give what a client would send, the last answer taken off."""
    folder.mkdir(parents=True, exist_ok=True)
    found = rows(folder)
    for name, messages in found.items():
        line = json.dumps({"id": name, "messages": messages}, ensure_ascii=False)
        (folder / f"{name}.jsonl").write_text(line + "\n", "utf-8")
    return {name: [one for one in messages if one.get("role") != "assistant"] for name, messages in found.items()}
