"""The Parquet files are plain: other tools open them as they are."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pandas
import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate import Dataset
from curate.dataset.shards import write_table
from curate.errors import InputError
from curate.records import SCHEMA, Image, Line, Ocr, Record, Turn, to_table

LINE = Line("包邮", 0.9876, (1.0, 2.0, 30.5, 2.0, 30.5, 12.0, 1.0, 12.0))
RECORDS = [
    Record(
        "a",
        "1",
        "dialogue_intent",
        (Turn("user", "<image>"), Turn("agent", "")),
        (Image("x.jpg", "ab", 100, 200, "JPEG", Ocr("fake", "包邮", (LINE,))),),
        label="气泡",
        label_from="gold",
        scores=(("quality", 0.5),),
        raw="{}",
    ),
    Record("b", "2", "chat", (Turn("user", "你好"),), raw="{}"),
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    write_table(tmp_path / "part-00000.parquet", to_table(RECORDS))
    return tmp_path / "part-00000.parquet"


def test_pandas_opens_it(file: Path) -> None:
    """Notebooks begin with pandas."""
    frame = pandas.read_parquet(file)

    assert frame["label"].tolist()[0] == "气泡"
    assert frame["turns"][1][0]["text"] == "你好"


def test_duckdb_opens_it(file: Path) -> None:
    """Questions are asked in SQL."""
    found = duckdb.sql(
        f"select images[1].ocr.lines[1].polygon[3] as x, scores[1].value as q from '{file}' where uid = 'a'"
    )

    assert found.fetchall() == [(30.5, 0.5)]


def test_polars_opens_it(file: Path) -> None:
    """Large sets are read with Polars."""
    assert polars.read_parquet(file)["turns"].list.len().to_list() == [2, 1]


def test_hugging_face_datasets_opens_it(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trainers read with `datasets`; an Arrow map in the schema would stop it."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    import datasets

    rows = datasets.Dataset.from_parquet(str(file), cache_dir=str(file.parent / "cache"))

    assert rows[0]["images"][0]["ocr"]["lines"][0]["text"] == "包邮"
    assert rows[0]["scores"] == [{"name": "quality", "value": 0.5}]


def test_the_same_records_give_the_same_bytes(file: Path, tmp_path: Path) -> None:
    """Hashes of files decide what is reused."""
    write_table(tmp_path / "again.parquet", to_table(RECORDS))

    assert (tmp_path / "again.parquet").read_bytes() == file.read_bytes()


def test_dataset_reads_it_with_types(file: Path) -> None:
    """The small API for Python users does what its docstrings show."""
    data = Dataset.open(file)

    assert data.count() == 2
    assert list(data) == RECORDS
    assert [batch.num_rows for batch in data.iter_batches(["uid"], batch_size=1)] == [1, 1]
    assert data.to_pandas(["label"])["label"][0] == "气泡"
    assert data.schema.names == pq.read_schema(file).names
    assert Dataset.open(file.parent).count() == 2


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"uid": ["a"]}, "it has no column source_id"),
        ({name: ["a"] for name in SCHEMA.names}, "the column turns is no list of structs"),
    ],
)
def test_parquet_that_holds_no_records_is_refused(tmp_path: Path, columns: dict[str, list[str]], said: str) -> None:
    """A KeyError three calls later does not name the file."""
    pq.write_table(pa.table(columns), tmp_path / "own.parquet")

    for where in (tmp_path, tmp_path / "own.parquet"):
        with pytest.raises(InputError, match=said):
            Dataset.open(where)
