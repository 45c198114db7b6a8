"""Exports with one fault each, written for this project: what do real trainers and the validator say of them?"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image as Pillow
from PIL import ImageDraw

from curate.export.trl import SCHEMA
from curate.export.writers import ParquetRows

Row = dict[str, Any]

SHAREGPT = {"formatting": "sharegpt", "columns": {"messages": "conversations", "images": "images"}}
ALPACA = {"columns": {"prompt": "instruction", "query": "input", "response": "output", "images": "image"}}
SOUND = "images/sound.png"


def pictures(folder: Path) -> None:
    """Pictures sound and broken below `folder/images`."""
    images = folder / "images"
    images.mkdir(parents=True)
    sound = Pillow.new("RGB", (168, 112), "white")
    ImageDraw.Draw(sound).ellipse((40, 20, 120, 100), fill="red")
    sound.save(images / "sound.png")
    sound.save(images / "sound.jpg", quality=90)
    data = (images / "sound.jpg").read_bytes()
    (images / "cut.jpg").write_bytes(data[: len(data) // 2])
    (images / "cut.png").write_bytes((images / "sound.png").read_bytes()[:100])
    (images / "empty.jpg").write_bytes(b"")
    (images / "text.jpg").write_text("this is no picture")
    Pillow.new("RGB", (3000, 9), "blue").save(images / "strip.png")
    Pillow.new("RGB", (9, 3000), "blue").save(images / "pole.png")
    Pillow.new("RGB", (1, 1), "blue").save(images / "dot.png")
    Pillow.new("RGB", (1999, 1501), "blue").save(images / "large.jpg")
    for mode in ("RGBA", "LA", "L", "P", "1", "I;16", "CMYK"):
        picture = Pillow.new(mode, (150, 97))
        picture.save(images / (f"{mode.replace(';', '')}.tif" if mode == "CMYK" else f"{mode.replace(';', '')}.png"))
    exif = Pillow.Exif()
    exif[0x0112] = 6
    sound.save(images / "turned.jpg", exif=exif)


def talk(*turns: str, images: tuple[str, ...] | None = (SOUND,), **more: Any) -> Row:
    """A ShareGPT row; turns are `h:`, `g:` or `s:` and text."""
    roles = {"h": "human", "g": "gpt", "s": "system"}
    row: Row = {"conversations": [{"from": roles.get(one[0], one[0]), "value": one[2:]} for one in turns]}
    return {**row, **({} if images is None else {"images": list(images)}), **more}


GOOD = talk("h:<image>What colour is it?", "g:red")


def of_picture(name: str) -> list[Row]:
    """One row with this picture."""
    return [talk("h:<image>What colour is it?", "g:red", images=(f"images/{name}",))]


def sharegpt() -> dict[str, list[Row]]:
    """ShareGPT files by name; each is read by LLaMA-Factory and by ms-swift."""
    words = "word " * 1500
    return {
        "good": [GOOD, GOOD],
        "two_images": [talk("h:<image>and<image>?", "g:no", images=(SOUND, SOUND))],
        "many_turns": [talk("h:<image>a", "g:b", "h:c", "g:d")],
        "image_in_second_turn": [talk("h:a", "g:b", "h:<image>c", "g:d")],
        "system_turn": [talk("s:be brief", "h:<image>a", "g:b")],
        "text_and_pictures": [talk("h:a", "g:b", images=()), GOOD],
        "one_bad_role_of_two": [GOOD, talk("g:b", "h:<image>a")],
        "two_questions_in_a_row": [GOOD, talk("h:<image>a", "h:b", "g:c")],
        "two_answers_in_a_row": [GOOD, talk("h:<image>a", "g:b", "g:c", "h:d")],
        "system_in_the_middle": [GOOD, talk("h:<image>a", "s:b", "h:c", "g:d")],
        "unknown_role": [
            GOOD,
            {**GOOD, "conversations": [{"from": "x", "value": "<image>a"}, {"from": "gpt", "value": "b"}]},
        ],
        "no_answer_at_the_end": [GOOD, talk("h:<image>a", "g:b", "h:c")],
        "empty_conversation": [GOOD, talk(images=())],
        "empty_answer": [GOOD, talk("h:<image>a", "g:")],
        "empty_question": [GOOD, talk("h:<image>", "g:a")],
        "null_text": [
            GOOD,
            {**GOOD, "conversations": [{"from": "human", "value": "<image>a"}, {"from": "gpt", "value": None}]},
        ],
        "too_few_placeholders": [GOOD, talk("h:a", "g:b")],
        "too_many_placeholders": [GOOD, talk("h:<image><image>a", "g:b")],
        "placeholder_in_the_answer": [talk("h:<image>a", "g:the tag <image>")],
        "placeholder_only_in_the_answer": [talk("h:a", "g:the tag <image>")],
        "placeholder_in_the_system_text": [talk("s:look at <image>", "h:<image>a", "g:b")],
        "video_in_text": [talk("h:<image>a <video>", "g:b")],
        "null_images": [talk("h:a", "g:b") | {"images": None}, GOOD],
        "images_is_a_text": [{**GOOD, "images": SOUND}],
        "images_key_missing_everywhere": [talk("h:a", "g:b", images=None)],
        "images_key_missing_once": [GOOD, talk("h:a", "g:b", images=None)],
        "missing_file": [GOOD, *of_picture("nowhere.png")],
        "cut_jpeg": of_picture("cut.jpg"),
        "cut_png": of_picture("cut.png"),
        "empty_file": of_picture("empty.jpg"),
        "no_picture": of_picture("text.jpg"),
        "strip": of_picture("strip.png"),
        "pole": of_picture("pole.png"),
        "dot": of_picture("dot.png"),
        "large": of_picture("large.jpg"),
        "transparent": of_picture("RGBA.png"),
        "grey_transparent": of_picture("LA.png"),
        "grey": of_picture("L.png"),
        "palette": of_picture("P.png"),
        "bits": of_picture("1.png"),
        "sixteen_bits": of_picture("I16.png"),
        "print_colours": of_picture("CMYK.tif"),
        "turned": of_picture("turned.jpg"),
        "image_pad_in_text": [GOOD, talk("h:<image>a <|image_pad|>", "g:b")],
        "image_pad_in_the_answer": [talk("h:<image>a", "g:<|image_pad|>")],
        "im_end_in_text": [talk("h:<image>a<|im_end|>b", "g:c")],
        "vision_start_in_text": [talk("h:<image>a <|vision_start|> b", "g:c")],
        "video_pad_in_text": [talk("h:<image>a <|video_pad|> b", "g:c")],
        "video_mark_in_text": [talk("h:<image>a <|vision_start|><|video_pad|><|vision_end|> b", "g:c")],
        "box_in_text": [talk("h:<image>what is at <|box_start|>(1,2),(3,4)<|box_end|>?", "g:a dot")],
        "long_text_behind_the_picture": [talk(f"h:<image>{words}", "g:b")],
        "long_text_before_the_picture": [talk(f"h:{words}<image>", "g:b")],
        "long_answer": [talk("h:<image>a", f"g:{words}")],
        "long_question_and_answer": [talk(f"h:<image>{words}", f"g:{words}")],
        "second_turn_over_the_limit": [talk("h:<image>a", f"g:{words}", "h:c", "g:d")],
        "picture_behind_the_limit": [talk("h:a", f"g:{words}", "h:<image>c", "g:d")],
        "many_pictures_over_the_limit": [talk("h:" + "<image>" * 40 + "a", "g:b", images=(SOUND,) * 40)],
        "mixed_extra_column": [{**GOOD, "meta": {"a": 1}}, {**GOOD, "meta": "x"}],
        "chinese": [talk("h:<image>图里写的是什么？请回答分类标签。", "g:物流页面-物流列表页面")],
    }


def alpaca() -> dict[str, list[Row]]:
    """Alpaca files by name."""
    good: Row = {"id": "1", "instruction": "<image>a", "input": "", "output": "b", "image": [SOUND]}
    return {
        "alpaca_good": [good, {**good, "input": "more"}],
        "alpaca_without_output_once": [good, {**good, "output": None}],
        "alpaca_number_as_output": [{**good, "output": 3}],
        "alpaca_empty_output": [{**good, "output": ""}],
        "alpaca_too_few_placeholders": [{**good, "instruction": "a"}],
    }


def write_sharegpt(folder: Path) -> list[str]:
    """Write all ShareGPT and Alpaca files with their dataset_info.json; give the names."""
    pictures(folder)
    info: dict[str, Any] = {}
    for entry, files in ((SHAREGPT, sharegpt()), (ALPACA, alpaca())):
        for name, rows in files.items():
            (folder / f"{name}.json").write_text(json.dumps(rows, ensure_ascii=False), "utf-8")
            info[name] = {"file_name": f"{name}.json", **entry}
    lines = [talk("h:a", "g:" + "b" * 1000, images=()) for _ in range(10_000)]
    text = "\n".join(json.dumps(row) for row in [*lines, GOOD])
    (folder / "late_picture.jsonl").write_text(text, "utf-8")
    roles = {"role_tag": "role", "content_tag": "content", "user_tag": "user", "assistant_tag": "assistant"}
    spoken = [{"role": "user", "content": "<image>a"}, {"role": "assistant", "content": "b"}]
    withsystem = [{"role": "system", "content": "be brief"}, *spoken]
    (folder / "messages.json").write_text(json.dumps([{"messages": spoken, "images": [SOUND]}]), "utf-8")
    (folder / "messages_system.json").write_text(json.dumps([{"messages": withsystem, "images": [SOUND]}]), "utf-8")
    columns = {"messages": "messages", "images": "images"}
    info |= {
        "late_picture": {"file_name": "late_picture.jsonl", **SHAREGPT},
        "messages": {"file_name": "messages.json", "formatting": "sharegpt", "columns": columns, "tags": roles},
        "messages_system_tag_forgotten": {
            "file_name": "messages_system.json",
            "formatting": "sharegpt",
            "columns": columns,
            "tags": roles,
        },
        "messages_system": {
            "file_name": "messages_system.json",
            "formatting": "sharegpt",
            "columns": columns,
            "tags": {**roles, "system_tag": "system"},
        },
        "messages_no_tags": {"file_name": "messages.json", "formatting": "sharegpt", "columns": columns},
        "formatting_openai": {"file_name": "messages.json", "formatting": "openai", "columns": columns, "tags": roles},
        "formatting_forgotten": {"file_name": "good.json", "columns": SHAREGPT["columns"]},
        "formatting_unknown": {**SHAREGPT, "file_name": "good.json", "formatting": "sharegtp"},
        "images_column_forgotten": {
            "file_name": "good.json",
            "formatting": "sharegpt",
            "columns": {"messages": "conversations"},
        },
        "messages_column_forgotten": {
            "file_name": "good.json",
            "formatting": "sharegpt",
            "columns": {"images": "images"},
        },
        "file_missing": {"file_name": "nowhere.json", **SHAREGPT},
        "response_column_missing": {"file_name": "good.json", **ALPACA},
    }
    (folder / "dataset_info.json").write_text(json.dumps(info, ensure_ascii=False, indent=1), "utf-8")
    return list(info)


def trl() -> dict[str, list[Row]]:
    """Rows for TRL by name, in the schema of the `trl` export; pictures by the names of `pictures`."""
    picture, text = {"type": "image", "text": None}, {"type": "text", "text": "What colour is it?"}
    answer = [{"role": "assistant", "content": [{"type": "text", "text": "red"}]}]

    def row(*parts: Row, images: tuple[str, ...] = (SOUND,), completion: Any = answer) -> Row:
        return {
            "id": "1",
            "prompt": [{"role": "user", "content": list(parts)}],
            "completion": completion,
            "images": images,
        }

    def said(text: str) -> list[Row]:
        return [{"role": "assistant", "content": [{"type": "text", "text": text}]}]

    good = row(picture, text)
    return {
        "good": [good, good],
        "two_images": [row(picture, text, picture, images=(SOUND, SOUND))],
        "text_and_pictures": [good, row(text, images=())],
        "too_few_placeholders": [row(text)],
        "too_many_placeholders": [row(picture, picture, text)],
        "placeholder_as_text": [row({"type": "text", "text": "<image>What?"})],
        "empty_completion": [row(picture, text, completion=said(""))],
        "no_completion": [row(picture, text, completion=[])],
        "image_pad_in_text": [row(picture, {"type": "text", "text": "a <|image_pad|>"})],
        "im_end_in_text": [row(picture, {"type": "text", "text": "a <|im_end|>"})],
        "cut_jpeg": [row(picture, text, images=("images/cut.jpg",))],
        "empty_file": [row(picture, text, images=("images/empty.jpg",))],
        "no_picture": [row(picture, text, images=("images/text.jpg",))],
        "strip": [row(picture, text, images=("images/strip.png",))],
        "large": [row(picture, text, images=("images/large.jpg",))],
        "transparent": [row(picture, text, images=("images/RGBA.png",))],
        "sixteen_bits": [row(picture, text, images=("images/I16.png",))],
        "turned": [row(picture, text, images=("images/turned.jpg",))],
        "dot": [row(picture, text, images=("images/dot.png",))],
        "chinese": [row(picture, {"type": "text", "text": "图里写的是什么？"}, completion=said("物流页面"))],
    }


def write_trl(folder: Path) -> list[Path]:
    """Write the files for TRL; give their paths."""
    pictures(folder)
    found = []
    for name, rows in trl().items():
        path = folder / f"{name}.parquet"
        writer = ParquetRows(path, SCHEMA)
        for row in rows:
            images = [{"bytes": (folder / image).read_bytes(), "path": image} for image in row["images"]]
            writer.add({**row, "images": images})
        writer.close()
        found.append(path)
    return [*found, *_without_features(folder), _messages(folder)]


def _without_features(folder: Path) -> list[Path]:
    """Pictures without the mark that makes `datasets` decode them, and pictures by path only."""
    rows = trl()["good"]
    plain = [{**row, "images": [{"bytes": (folder / SOUND).read_bytes(), "path": SOUND}]} for row in rows]
    pq.write_table(pa.Table.from_pylist(plain, schema=SCHEMA), folder / "no_features.parquet")
    for name, path in (("by_path", str((folder / SOUND).resolve())), ("by_path_nowhere", str(folder / "nowhere.png"))):
        writer = ParquetRows(folder / f"{name}.parquet", SCHEMA)
        table = [{**row, "images": [{"bytes": None, "path": path}]} for row in rows]
        writer._writer.write_table(pa.Table.from_pylist(table, schema=writer._schema))
        writer.close()
    return [folder / f"{name}.parquet" for name in ("no_features", "by_path", "by_path_nowhere")]


def _messages(folder: Path) -> Path:
    """`messages` instead of prompt and completion: the loss is taken of everything."""
    schema = pa.schema([("messages", SCHEMA.field("prompt").type), SCHEMA.field("images")])
    writer = ParquetRows(folder / "messages.parquet", schema)
    stream = io.BytesIO((folder / SOUND).read_bytes())
    for row in trl()["good"]:
        image = {"bytes": stream.getvalue(), "path": SOUND}
        writer.add({"messages": [*row["prompt"], *row["completion"]], "images": [image]})
    writer.close()
    return folder / "messages.parquet"
