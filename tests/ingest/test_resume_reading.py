"""Reading goes on at any place with the same result, and damage costs as little as possible."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from curate.errors import InputError
from curate.ingest import json_window
from curate.ingest.detect import open_source
from curate.ingest.json_array import JsonArray
from curate.pipeline.source import InputOptions, Position, Source

BEGINNING = Position()
SLOW = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=80)
RECORDS = st.lists(
    st.one_of(
        st.builds(lambda text, key: json.dumps({"id": key, "text": text}, ensure_ascii=False).encode(),
                  st.text(st.characters(exclude_categories=["Cs"]), max_size=30), st.integers(0, 12)),
        st.sampled_from([b"", b"nul", b"[1]", b'{"text": "\xff"}', b'{"text": NaN}', b'{"text": "a" "b"}', b'{"text": "a"}}',
                         b'{"text": {"text": 1}', b'{"text": "a}', b'{"text": "\\ud800"}', b'{"id": 3, "text": []}']),
    ),
    min_size=1, max_size=12,
)  # fmt: skip


def everything(source: Source, start: Position = BEGINNING, seen: list[str] | None = None) -> list[dict[str, Any]]:
    """Read a source from `start` on and give all that it says, shard by shard."""
    return [
        {
            "rows": shard.batch.table.to_pylist(),
            "ledger": shard.batch.outcome().ledger.to_pylist(),
            "next": shard.next,
        }
        for shard in source.shards(start, seen or [])
    ]


def same_from_every_position(path: Path, shard_rows: int) -> bool:
    """Whether reading on from each shard's end gives what the full read gives there."""
    options = InputOptions(path=path, shard_rows=shard_rows)
    full = everything(open_source(options))
    for number, shard in enumerate(full):
        seen = [row["source_id"] for before in full[: number + 1] for row in before["rows"]]
        if everything(open_source(options), shard["next"], seen) != full[number + 1 :]:
            return False
    return True


@SLOW
@given(
    records=RECORDS,
    blank=st.sampled_from([b"", b" ", b"\n  "]),
    shard_rows=st.integers(1, 5),
    window=st.sampled_from([32, 100, 4096]),
)
def test_reading_a_list_from_any_position_gives_the_same_shards(
    tmp_path: Path, records: list[bytes], blank: bytes, shard_rows: int, window: int
) -> None:
    """A killed run goes on in the middle of the file; other shards than before would break everything built on them."""
    good = b'{"id": "first", "text": "a"}'
    (tmp_path / "in.json").write_bytes(
        b"[" + (b"," + blank).join([good, *records, good.replace(b"first", b"last")]) + b"]"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_window, "CHUNK", window)
        assert same_from_every_position(tmp_path / "in.json", shard_rows)


@SLOW
@given(records=RECORDS, end=st.sampled_from([b"\n", b"\r\n", b"\n\n"]), shard_rows=st.integers(1, 5))
def test_reading_lines_from_any_position_gives_the_same_shards(
    tmp_path: Path, records: list[bytes], end: bytes, shard_rows: int
) -> None:
    """As for lists."""
    (tmp_path / "in.jsonl").write_bytes(end.join([b'{"text": "a"}', *records]))
    assert same_from_every_position(tmp_path / "in.jsonl", shard_rows)


def test_reading_parquet_from_any_position_gives_the_same_shards(tmp_path: Path) -> None:
    """As for lists, across row groups."""
    table = pa.table({"id": list(map(str, range(20))), "text": ["a"] * 20})
    pq.write_table(table, tmp_path / "in.parquet", row_group_size=6)
    assert same_from_every_position(tmp_path / "in.parquet", 4)


@SLOW
@given(records=RECORDS, window=st.sampled_from([32, 100]))
def test_what_is_read_does_not_depend_on_the_window(tmp_path: Path, records: list[bytes], window: int) -> None:
    """The same file must give the same rows however the operating system hands it out."""
    (tmp_path / "in.json").write_bytes(
        b"[" + b",".join([b'{"id": "f", "text": "a"}', *records, b'{"id": "l", "text": "a"}']) + b"]"
    )
    options = InputOptions(path=tmp_path / "in.json")
    whole = everything(open_source(options))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_window, "CHUNK", window)
        assert everything(open_source(options)) == whole


BROKEN = [
    b'{"id": 1, "text": {"a": 1}',
    b'{"id": 1, "text": "no end}',
    b'{"id": 1, "text": "a"]}',
    b'{"id": 1, "text": "a"}}',
    b'{"id": 1, "text": [1, 2}',
    b'{"id": 1 "text": "a"}',
    b'{"id": 1, "text": "a" "b", "c": [{"d": 1}, {"d": 2}]}',
    b'{"id": 1, "text": "line\nbreak"}',
]


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize("between", [b",", b",\n    "])
def test_one_malformed_element_costs_one_row(tmp_path: Path, broken: bytes, between: bytes) -> None:
    """A missing quote or bracket must not swallow the records behind it."""
    records = [b'{"id": 0, "text": "a"}', broken, b'{"id": 2, "text": "b"}', b'{"id": 3, "text": "c"}']
    (tmp_path / "in.json").write_bytes(b"[" + between.join(records) + b"]")
    shards = everything(open_source(InputOptions(path=tmp_path / "in.json")))
    codes = [entry["code"] for entry in shards[0]["ledger"]]
    assert (codes, [row["source_id"] for row in shards[0]["rows"]]) == (["bad_json"], ["0", "1", "2", "3"])


@pytest.mark.parametrize("cut", [b'[{"text": "a"},\n {"text": "b"},\n {"te', b'[{"text": "a"},\n {"text": "b"},\n ',
                                 b'[{"text": "a"},\n {"text": "b"},\n {"text": ["x", "'])  # fmt: skip
def test_a_file_that_was_cut_off_gives_what_it_has_and_says_where(tmp_path: Path, cut: bytes) -> None:
    """Hours of copying must not be lost for the last record, and the place must be findable."""
    (tmp_path / "in.json").write_bytes(cut)
    shards = open_source(InputOptions(path=tmp_path / "in.json")).shards(Position(), [])
    first = next(shards)
    with pytest.raises(InputError, match=r"in\.json: .*record 3, .*line 2, column 16.*copy it again") as caught:
        next(shards)
    assert (len(first.batch), "\n" in str(caught.value)) == (2, False)


def test_text_behind_the_list_is_an_error(tmp_path: Path) -> None:
    """Two lists that were pasted together would otherwise lose the second one."""
    (tmp_path / "in.json").write_bytes(b'[{"text": "a"}]\n[{"text": "b"}]')
    with pytest.raises(InputError, match="text follows the closing"):
        everything(open_source(InputOptions(path=tmp_path / "in.json")))


def test_a_large_record_is_read_in_linear_time_and_kept_whole(tmp_path: Path) -> None:
    """Records that hold others of the same form must not be taken apart while they are too long for the window."""
    inner = ",".join(['{"text": "' + "x" * 90 + '"}'] * 40_000)
    (tmp_path / "in.json").write_text('[{"text": "a", "more": [' + inner + ']},{"text": "b"}]', encoding="utf-8")
    container = JsonArray(tmp_path / "in.json")
    container.learn(frozenset({"text"}))
    assert [item.failure for item in container.slices(Position())] == [None, None]


def test_uids_follow_the_bytes_of_the_source(tmp_path: Path) -> None:
    """The same file under another name is the same data; a changed file is other data."""
    uids = []
    for name, text in (("a.jsonl", "x"), ("b.jsonl", "x"), ("c.jsonl", "y")):
        (tmp_path / name).write_text(json.dumps({"text": text}), encoding="utf-8")
        uids.append(everything(open_source(InputOptions(path=tmp_path / name)))[0]["rows"][0]["uid"])
    assert (uids[0] == uids[1], uids[0] == uids[2]) == (True, False)


@pytest.mark.parametrize(
    ("rows", "expected"), [(10, 16), (46, 16), (1000, 128), (10_000, 256), (100_000, 2048), (1_000_000, 4096)]
)
def test_up_to_64_shards_of_16_to_4096_records_are_made(tmp_path: Path, rows: int, expected: int) -> None:
    """Too many shards cost time for each, too few leave workers idle."""
    (tmp_path / "in.jsonl").write_text('{"text": "abcdefg"}\n' * rows, encoding="utf-8")
    assert open_source(InputOptions(path=tmp_path / "in.jsonl")).signature()["shard_rows"] == expected
