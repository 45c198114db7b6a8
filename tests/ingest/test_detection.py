"""What `open_source` makes of a path, and what it says where it can make nothing of it."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from curate import records
from curate.errors import InputError, UsageError
from curate.ingest.detect import open_source
from curate.pipeline.source import InputOptions, Position

MIRE = {
    "id": "m",
    "instruction": "你是一个电商客服专家\n<用户与客服的对话 START>\n用户: 在吗\n<用户与客服的对话 END>\n",
    "image": [],
}
SHAREGPT = {"conversations": [{"from": "human", "value": "a"}]}
OPENAI = {"messages": [{"role": "user", "content": "a"}]}
ALPACA = {"instruction": "a", "output": "b"}
PLAIN = {"text": "a"}


def write_picture(path: Path) -> None:
    """A small picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (2, 2)).save(path)


def rows_of(path: Path, **options: Any) -> list[dict[str, Any]]:
    """All rows of a source."""
    shards = open_source(InputOptions(path=path, **options)).shards(Position(), [])
    return [row for shard in shards for row in shard.batch.table.to_pylist()]


@pytest.mark.parametrize(
    ("row", "expected"),
    [(MIRE, "mire"), (SHAREGPT, "sharegpt"), (OPENAI, "openai"), (ALPACA, "alpaca"), (PLAIN, "plain"), ({"image": "a.png"}, "plain"),
     ({"messages": [{"from": "human", "value": "a"}]}, "sharegpt"), ({"query": "a", "response": "b"}, "alpaca")],
)  # fmt: skip
def test_the_format_is_found_by_the_first_records(tmp_path: Path, row: dict[str, Any], expected: str) -> None:
    """Nobody should have to say what the file says itself."""
    (tmp_path / "in.json").write_text(json.dumps([row]), encoding="utf-8")
    assert open_source(InputOptions(path=tmp_path / "in.json")).format == expected


def test_a_stray_record_does_not_hide_a_mire_file(tmp_path: Path) -> None:
    """Else one odd first record makes the whole file read as something else."""
    (tmp_path / "in.json").write_text(json.dumps([ALPACA, MIRE]), encoding="utf-8")
    assert open_source(InputOptions(path=tmp_path / "in.json")).format == "mire"


def test_a_format_can_be_forced(tmp_path: Path) -> None:
    """A file may fit two formats."""
    (tmp_path / "in.jsonl").write_text(json.dumps({**OPENAI, "text": "mine"}), encoding="utf-8")
    assert rows_of(tmp_path / "in.jsonl", format="jsonl")[0]["turns"] == [{"role": "user", "text": "mine"}]


def test_json_lines_are_found_whatever_the_suffix(tmp_path: Path) -> None:
    """LLaMA-Factory and others name JSON lines .json."""
    (tmp_path / "in.json").write_text("{bad\n" + json.dumps(PLAIN) + "\n", encoding="utf-8")
    assert open_source(InputOptions(path=tmp_path / "in.json")).layout()["name"] == "source.jsonl"


def test_nothing_that_fits_is_told_with_what_was_seen(tmp_path: Path) -> None:
    """The message must be enough to go on: file, keys, formats, the nearest key."""
    (tmp_path / "in.json").write_text('[{"message": [], "n": 1}]', encoding="utf-8")
    with pytest.raises(InputError) as caught:
        open_source(InputOptions(path=tmp_path / "in.json"))
    text = str(caught.value)
    assert [
        word
        for word in ("in.json", "message, n", "'messages' of openai", "sharegpt", "imagefolder")
        if word not in text
    ] == []


def zipped(name: str) -> bytes:
    """A zip archive with one file."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(name, "x")
    return stream.getvalue()


CHINESE = json.dumps([{"text": "这件衣服的尺码偏大吗，想买一件"}], ensure_ascii=False)


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("in.json", b"", "empty"),
        ("in.json", b"\xef\xbb\xbf \n", "empty"),
        ("in.json", b"[ ]", "no record"),
        ("in.json", CHINESE.encode("utf-16"), "iconv -f UTF-16 -t UTF-8 in.json"),
        ("in.json", CHINESE.encode("utf-16-le"), "iconv -f UTF-16"),
        ("in.json", CHINESE.encode("utf-32"), "iconv -f UTF-32"),
        ("in.json", CHINESE.encode("gbk"), "GBK, not UTF-8. Convert it: iconv -f GB18030 -t UTF-8 in.json"),
        ("in.json.gz", gzip.compress(b"[]"), "gunzip -k in.json.gz"),
        ("in.json", gzip.compress(b"[]"), "gunzip -c in.json > in.unpacked.json"),  # gunzip refuses to name it itself
        ("my chats.jsonl", "{}\n客服聊天记录\n".encode("gbk"), "-t UTF-8 'my chats.jsonl' > 'my chats.utf8.jsonl'"),
        ("in.jsonl", b'{"text": NaN}\n', "(record 0: not_a_number: NaN is not JSON"),
        ("in.json", b'{\n  "a": {\n    "b": 1\n  },\n  "c": 2\n}\n', "(keys: a, c)"),
        ("in.zip", zipped("a.json"), "unzip in.zip"),
        ("in.xlsx", zipped("xl/workbook.xml"), "Excel"),
        ("in.csv", b"id,text\n1,a\n", "table"),
        ("in.pdf", b"%PDF-1.7", "PDF"),
        ("in.png", b"\x89PNG\r\n\x1a\n", "one picture"),
        ("in.json", b'{\n  "data": [\n    {"text": "a"}\n  ]\n}', "one JSON object (keys: data"),
        ("in.json", b"hello", "neither a JSON list"),
        ("in.parquet", b"PAR1 cut off", "damaged"),
    ],
)
def test_what_cannot_be_read_is_said_in_one_sentence(tmp_path: Path, name: str, data: bytes, says: str) -> None:
    """A person must learn what the file is and what to do, not see a decoder's stack."""
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError) as caught:
        open_source(InputOptions(path=tmp_path / name))
    assert (says in str(caught.value), name in str(caught.value)) == (True, True)


def test_a_misspelt_file_gets_a_suggestion(tmp_path: Path) -> None:
    """Most missing files are typing mistakes."""
    (tmp_path / "train.json").write_text("[]", encoding="utf-8")
    with pytest.raises(InputError, match=r"Did you mean .*train\.json"):
        open_source(InputOptions(path=tmp_path / "tran.json"))


def test_a_folder_without_pictures_is_an_error(tmp_path: Path) -> None:
    """Else the run ends well with nothing in it."""
    with pytest.raises(InputError, match="no pictures"):
        open_source(InputOptions(path=tmp_path))


def test_a_folder_with_a_data_file_asks_which_is_meant(tmp_path: Path) -> None:
    """Reading the pictures alone would silently drop all dialogues."""
    write_picture(tmp_path / "images" / "a.png")
    (tmp_path / "train.json").write_text("[]", encoding="utf-8")
    with pytest.raises(InputError, match=r"train\.json\. For its pictures alone"):
        open_source(InputOptions(path=tmp_path))


def test_a_missing_image_root_is_an_error(tmp_path: Path) -> None:
    """Else every row fails with image_missing."""
    (tmp_path / "in.json").write_text(json.dumps([PLAIN]), encoding="utf-8")
    with pytest.raises(InputError, match="does not exist"):
        open_source(InputOptions(path=tmp_path / "in.json", images=tmp_path / "none"))


def test_an_unknown_registry_is_an_error(tmp_path: Path) -> None:
    """Else labels would go unchecked."""
    (tmp_path / "in.json").write_text(json.dumps([PLAIN]), encoding="utf-8")
    with pytest.raises(UsageError, match="Shipped registries: mire"):
        open_source(InputOptions(path=tmp_path / "in.json", labels="none-such"))


@pytest.mark.parametrize(
    ("where", "name"), [("images", "a.png"), (".", "a.png"), ("images", "images/a.png"), ("sub", "sub/a.png")]
)
def test_the_image_root_is_found_beside_the_file(tmp_path: Path, where: str, name: str) -> None:
    """MIRE files name bare pictures that lie in images/; others name paths from the file's folder."""
    write_picture(tmp_path / where / "a.png")
    (tmp_path / "in.json").write_text(json.dumps([{"image": name}]), encoding="utf-8")
    source = open_source(InputOptions(path=tmp_path / "in.json"))
    row = next(source.shards(Position(), [])).batch.outcome().rows.to_pylist()[0]
    assert source.image_root is not None
    assert (source.image_root / row["images"][0]["path"]).samefile(tmp_path / where / "a.png")


def test_subfolders_name_splits_and_labels(tmp_path: Path) -> None:
    """That is how image folders of torchvision and datasets are labelled."""
    write_picture(tmp_path / "train" / "猫" / "a.png")
    write_picture(tmp_path / "validation" / "狗" / "b.png")
    rows = rows_of(tmp_path)
    assert [(row["source_id"], row["split"], row["label"], row["task"]) for row in rows] == [
        ("train/猫/a.png", "train", "猫", "image"),
        ("validation/狗/b.png", "val", "狗", "image"),
    ]


def test_a_label_in_the_registry_gives_the_picture_its_task(tmp_path: Path) -> None:
    """Scoring needs the task's label list."""
    write_picture(tmp_path / "购物车页面" / "a.png")
    write_picture(tmp_path / "支付页面" / "b.png")
    assert {row["task"] for row in rows_of(tmp_path, labels="mire")} == {"image_scene"}


@pytest.mark.parametrize("name", ["metadata.jsonl", "metadata.csv"])
def test_metadata_beside_the_pictures_are_used(tmp_path: Path, name: str) -> None:
    """A row whose picture is missing must fail, not vanish."""
    write_picture(tmp_path / "a.png")
    lines = ['{"file_name": "a.png", "label": "x"}', '{"file_name": "b.png", "label": "y"}']
    table = ["file_name,label", "a.png,x", "b.png,y"]
    (tmp_path / name).write_text("\n".join(lines if name.endswith("jsonl") else table), encoding="utf-8")
    shard = next(open_source(InputOptions(path=tmp_path)).shards(Position(), []))
    outcome = shard.batch.outcome()
    assert (outcome.rows["label"].to_pylist(), outcome.ledger["code"].to_pylist()) == (["x"], ["image_missing"])


def test_parquet_of_others_is_read_by_its_columns(tmp_path: Path) -> None:
    """Hub datasets come as Parquet with chat columns."""
    pq.write_table(pa.Table.from_pylist([{**OPENAI, "id": 7}]), tmp_path / "in.parquet")
    source = open_source(InputOptions(path=tmp_path / "in.parquet"))
    row = next(source.shards(Position(), [])).batch.table.to_pylist()[0]
    assert (source.format, row["source_id"], json.loads(row["raw"])["id"]) == ("openai", "7", 7)


def own_records() -> pa.Table:
    """Three records, the last one broken: a picture without a placeholder."""
    turn = (records.Turn("user", "a"),)
    return records.to_table([
        records.Record("u1", "1", "chat", turn, raw="{}"),
        records.Record("u2", "2", "chat", turn, raw="{}", parent="u1"),
        records.Record("u3", "3", "chat", turn, (records.Image("a.png"),), raw="{}"),
    ])  # fmt: skip


@pytest.mark.parametrize("folder", [".", "rows", "00-ingest/rows"])
def test_records_of_curate_stay_as_they_are(tmp_path: Path, folder: str) -> None:
    """A run on the output of a run must keep uids, or `curate why` cannot follow a row."""
    (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    pq.write_table(own_records().slice(0, 2), tmp_path / folder / "part-00000.parquet")
    pq.write_table(own_records().slice(2), tmp_path / folder / "part-00001.parquet")
    shards = list(open_source(InputOptions(path=tmp_path, shard_rows=2)).shards(Position(), []))
    codes = [shard.batch.outcome().ledger["code"].to_pylist() for shard in shards]
    table = pa.concat_tables([shard.batch.table for shard in shards])
    assert (table.to_pylist(), codes) == (own_records().to_pylist(), [[], ["invalid_record"]])


def test_records_of_curate_are_read_on_from_any_position(tmp_path: Path) -> None:
    """As for every other source."""
    pq.write_table(own_records(), tmp_path / "in.parquet")
    source = open_source(InputOptions(path=tmp_path / "in.parquet", shard_rows=1))
    first, *rest = source.shards(Position(), [])
    again = source.shards(first.next, [])
    assert [shard.batch.table for shard in again] == [shard.batch.table for shard in rest]


def test_shards_of_any_size_may_be_asked_for(tmp_path: Path) -> None:
    """A number that no machine word holds means: all rows in one shard."""
    pq.write_table(own_records(), tmp_path / "in.parquet")
    (shard,) = open_source(InputOptions(path=tmp_path / "in.parquet", shard_rows=10**30)).shards(Position(), [])
    assert shard.batch.table.num_rows == 3
