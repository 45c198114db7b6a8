"""Every way in which one record can be bad costs that record, with its code, and nothing else."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from curate.ingest import json_array, jsonl
from curate.ingest.codes import CODES
from curate.ingest.detect import open_source
from curate.pipeline.source import Format, InputOptions, Position

MIRE = "你是一个电商客服专家，请判断。\n<用户与客服的对话 START>\n{}\n<用户与客服的对话 END>\n标签"


def picture(width: int = 4, height: int = 3, kind: str = "PNG") -> bytes:
    """A small picture."""
    stream = io.BytesIO()
    Image.new("RGB", (width, height)).save(stream, kind)
    return stream.getvalue()


def read(path: Path, format_: Format = "auto", **more: Any) -> tuple[list[dict[str, Any]], dict[int, tuple[str, str]]]:
    """Read a source; give all rows and, by row number, code and detail of the failed ones."""
    rows, failed = [], {}
    for shard in open_source(InputOptions(path=path, format=format_, **more)).shards(Position(), []):
        uids = {row["uid"]: len(rows) + number for number, row in enumerate(shard.batch.table.to_pylist())}
        rows += shard.batch.table.to_pylist()
        for entry in shard.batch.outcome().ledger.to_pylist():
            failed[uids[entry["uid"]]] = (entry["code"], entry["detail"] or "")
    return rows, failed


def dump(row: dict[str, Any]) -> bytes:
    """One record as bytes."""
    return json.dumps(row, ensure_ascii=False).encode()


def mire(body: str = "用户: 你好", **more: Any) -> bytes:
    """One MIRE intent record."""
    return dump({"id": "m", "instruction": MIRE.format(body), "input": "", "output": "气泡", "image": [], **more})


GOOD = dump({"id": "good", "messages": [{"role": "user", "content": "你好"}]})
GOOD_MIRE = mire(id="good")
DEEP = b'{"id": "x", "messages": ' + b"[" * 150 + b"]" * 150 + b"}"
ABYSS = b'{"id": "x", "messages": ' + b"[" * 50_000 + b"]" * 50_000 + b"}"
USER = {"role": "user", "content": "<image>"}

ANY = [
    ("bad_json", b'{"id": "x", "messages": }'),
    ("bad_json", b'{"id": "x" "messages": []}'),
    ("bad_json", b'{"id": ' + b"9" * 5000 + b"}"),
    ("not_utf8", b'{"id": "x", "messages": [{"role": "user", "content": "\xff\xfe"}]}'),
    ("lone_surrogate", b'{"id": "x", "messages": [{"role": "user", "content": "\\ud83d"}]}'),
    ("not_a_number", b'{"id": "x", "score": NaN, "messages": [{"role": "user", "content": "a"}]}'),
    ("not_a_number", b'{"id": "x", "score": -Infinity, "messages": [{"role": "user", "content": "a"}]}'),
    ("too_deep", DEEP),
    ("too_deep", ABYSS),
    ("not_an_object", b'"text"'),
    ("not_an_object", b"[1, 2]"),
    ("missing_field", b'{"id": "x"}'),
    ("bad_field", b'{"id": "x", "messages": null}'),
    ("bad_field", b'{"id": "x", "messages": [{"role": "user", "content": 5}]}'),
    ("bad_field", b'{"id": true, "messages": [{"role": "user", "content": "a"}]}'),
    ("bad_field", b'{"split": "holdout", "messages": [{"role": "user", "content": "a"}]}'),
    ("bad_role", b'{"id": "x", "messages": [{"role": "narrator", "content": "a"}]}'),
    ("bad_role", b'{"id": "x", "messages": [{"role": "tool", "content": "a"}]}'),
    ("duplicate_id", GOOD),
    ("image_count_mismatch", dump({"messages": [USER]})),
    ("image_count_mismatch", dump({"messages": [USER, USER], "images": ["ok.png"]})),
    ("image_missing", dump({"messages": [USER], "images": ["none.png"]})),
    ("image_missing", dump({"messages": [USER], "images": ["https://example.org/a.png"]})),
    ("image_path_escapes", dump({"messages": [USER], "images": ["../secret.png"]})),
    ("image_path_escapes", dump({"messages": [USER], "images": ["/etc/passwd"]})),
    ("image_not_a_file", dump({"messages": [USER], "images": ["folder"]})),
    ("image_empty", dump({"messages": [USER], "images": ["empty.png"]})),
    ("image_unreadable", dump({"messages": [USER], "images": ["text.png"]})),
    ("image_too_large", dump({"messages": [USER], "images": ["huge.png"]})),
    ("bad_field", dump({"messages": [USER], "images": ["data:image/png;base64,AAAA"]})),
]
MIRE_ONLY = [
    ("unknown_task", dump({"id": "x", "instruction": "识图 什么", "output": "气泡", "image": []})),
    ("unknown_label", mire(output="气 泡")),
    ("missing_field", dump({"id": "x", "output": "气泡", "image": []})),
    ("bad_field", mire(output=None)),
    ("bad_field", mire(image=None)),
    ("bad_field", mire(body="没有说话人")),
    ("image_count_mismatch", mire(body="用户: <image>")),
    ("image_count_mismatch", mire(image=["ok.png"])),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one good picture and several that cannot be used."""
    (tmp_path / "ok.png").write_bytes(picture())
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "text.png").write_bytes(b"not a picture")
    (tmp_path / "folder").mkdir()
    header = bytearray(picture())
    header[16:24] = (20_000).to_bytes(4, "big") + (20_000).to_bytes(4, "big")
    header[29:33] = __import__("zlib").crc32(bytes(header[12:29])).to_bytes(4, "big")
    (tmp_path / "huge.png").write_bytes(bytes(header))
    return tmp_path


@pytest.mark.parametrize("suffix", ["json", "jsonl"])
@pytest.mark.parametrize(("code", "record"), ANY)
def test_one_bad_record_costs_one_row(folder: Path, suffix: str, code: str, record: bytes) -> None:
    """Else one bad record in a million stops the run, or takes its neighbours with it."""
    records = [GOOD, record, GOOD.replace(b'"good"', b'"after"')]
    data = b"[" + b",\n".join(records) + b"]" if suffix == "json" else b"\n".join(records)
    (folder / f"in.{suffix}").write_bytes(data)
    rows, failed = read(folder / f"in.{suffix}")
    assert ([row["source_id"] for row in rows][::2], {row: code for row, (code, _) in failed.items()}) == (
        ["good", "after"],
        {1: code},
    )


@pytest.mark.parametrize(("code", "record"), MIRE_ONLY)
def test_one_bad_mire_record_costs_one_row(folder: Path, code: str, record: bytes) -> None:
    """MIRE has rules of its own: prompts, labels, picture lists."""
    (folder / "in.json").write_bytes(b"[" + b",".join([GOOD_MIRE, record, mire(id="after")]) + b"]")
    _, failed = read(folder / "in.json")
    assert {row: code for row, (code, _) in failed.items()} == {1: code}


@pytest.mark.parametrize(("container", "suffix"), [(json_array.JsonArray, "json"), (jsonl.JsonLines, "jsonl")])
def test_a_record_above_the_limit_costs_one_row(tmp_path: Path, container: Any, suffix: str) -> None:
    """Else one record of many gigabytes fills the memory."""
    big = b'{"a": "' + b"x" * 3_000_000 + b'"}'
    records = [b'{"a": 1}', big, b'{"a": 2}']
    (tmp_path / "in").write_bytes(b"[" + b",".join(records) + b"]" if suffix == "json" else b"\n".join(records) + b"\n")
    found = list(container(tmp_path / "in", limit=2_000_000).slices(Position()))
    assert [item.failure.code if item.failure else item.value["a"] for item in found] == [1, "record_too_large", 2]


def test_every_tested_code_is_documented() -> None:
    """A code in the ledger that `curate reasons` does not know tells nobody anything."""
    tested = {code for code, _ in [*ANY, *MIRE_ONLY]}
    assert tested <= set(CODES)


def test_a_bad_field_says_which_and_what(folder: Path) -> None:
    """The message must lead to the mistake without a look into the data."""
    (folder / "in.jsonl").write_bytes(GOOD + b"\n" + b'{"id": "x", "messages": [{"role": "user", "content": 5}]}')
    _, failed = read(folder / "in.jsonl")
    assert failed[1][1] == "messages[0].content: a string or a list of parts is needed, this is a number"


def test_a_failed_row_keeps_what_is_known(folder: Path) -> None:
    """Adding the missing picture later is noticed through the path that the failed row keeps."""
    (folder / "in.json").write_bytes(b"[" + mire("用户: <image>", id="x", image=["later.jpg"]) + b"]")
    rows, failed = read(folder / "in.json")
    row = rows[0]
    assert (failed[0][0], row["source_id"], row["task"], row["images"][0]["path"]) == (
        "image_missing", "x", "dialogue_intent", "later.jpg")  # fmt: skip


def test_a_picture_that_is_added_later_changes_the_digest(folder: Path) -> None:
    """Else a resumed run keeps the failed row although its picture is there now."""
    (folder / "in.json").write_bytes(b"[" + mire("用户: <image>", image=["save/images/later.png"]) + b"]")
    options = InputOptions(path=folder / "in.json")
    before = open_source(options).pictures_digest(["save/images/later.png"])
    (folder / "later.png").write_bytes(picture())
    assert open_source(options).pictures_digest(["save/images/later.png"]) != before


def test_no_detail_holds_text_of_the_dataset(folder: Path) -> None:
    """Ledgers are sent around in bug reports; private text must not go with them."""
    secret = "13800138000"
    records = [GOOD, dump({"id": secret, "messages": [{"role": secret, "content": secret}]}),
               dump({"id": "good", "messages": [{"role": "user", "content": secret}]})]  # fmt: skip
    (folder / "in.json").write_bytes(b"[" + b",".join(records) + b"]")
    _, failed = read(folder / "in.json")
    assert [code for code, detail in failed.values() if secret in detail] == []
