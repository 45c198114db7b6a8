"""What the `source` export promises: the way back to the form that the data came in."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from curate import records
from curate.dataset.pictures import PictureStore
from curate.export.source import SourceExporter, SourceOptions
from curate.ingest.detect import open_source
from curate.pipeline.export import Delivery
from curate.pipeline.source import InputOptions, Position
from curate.pipeline.stage import Context

DEMO = Path(__file__).parents[3] / "shared" / "data" / "mire" / "demo_test.json"
OBJECT = b'{"id": "%d", "text": "\xe4\xbd\xa0\xe5\xa5\xbd"}'


def export(layout: dict[str, str], tables: list[pa.Table], folder: Path) -> tuple[bytes, list[tuple[str, str, str]]]:
    """Write records; give the file's bytes and what was left out."""
    folder.mkdir(exist_ok=True)
    left: list[tuple[str, str, str]] = []
    exporter = SourceExporter(SourceOptions(), Context(PictureStore(None, folder)))
    exporter.layout = layout
    facts = exporter.write(tables, Delivery(folder, lambda *what: left.append(what), lambda rows: None))
    return (folder / next(iter(facts["files"]))).read_bytes(), left


def read(path: Path, shard_rows: int = 3) -> tuple[dict[str, str], list[pa.Table]]:
    """Read a source whole; failed rows count too, since only their pictures are missing here."""
    source = open_source(InputOptions(path=path, shard_rows=shard_rows))
    return source.layout(), [shard.batch.table for shard in source.shards(Position(), [])]


@pytest.mark.skipif(not DEMO.is_file(), reason="the shared sample data are not on this machine")
def test_the_mire_demo_file_comes_back_byte_for_byte(tmp_path: Path) -> None:
    """Else nobody can check what a curated MIRE file changed against the organisers' file."""
    assert export(*read(DEMO), tmp_path / "out")[0] == DEMO.read_bytes()


BLANK = st.text(" \t\r\n", max_size=4).map(str.encode)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(
    bom=st.sampled_from([b"", b"\xef\xbb\xbf"]),
    blanks=st.lists(st.tuples(BLANK, BLANK), min_size=1, max_size=8),
    head=BLANK,
    tail=BLANK,
)
def test_a_list_with_any_white_space_comes_back_byte_for_byte(
    tmp_path: Path, bom: bytes, blanks: list[tuple[bytes, bytes]], head: bytes, tail: bytes
) -> None:
    """Else a diff of a file that nobody changed shows changes."""
    body = b",".join(before + OBJECT % number + after for number, (before, after) in enumerate(blanks))
    file = tmp_path / "in.json"
    file.write_bytes(bom + head + b"[" + body + b"]" + tail)
    assert export(*read(file), tmp_path / "out")[0] == file.read_bytes()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(
    bom=st.sampled_from([b"", b"\xef\xbb\xbf"]),
    ends=st.lists(st.sampled_from([b"\n", b"\r\n", b"\n\n", b"\r\n \r\n", b" \n\t\n"]), min_size=1, max_size=8),
    cut=st.booleans(),
)
def test_lines_with_any_line_breaks_come_back_byte_for_byte(
    tmp_path: Path, bom: bytes, ends: list[bytes], cut: bool
) -> None:
    """Blank lines, CRLF and a missing last line break are part of the file that a person has under version control."""
    data = bom + b"".join(OBJECT % number + end for number, end in enumerate(ends))
    file = tmp_path / "in.jsonl"
    file.write_bytes(data.rstrip(b" \t\r\n") if cut else data)
    assert export(*read(file), tmp_path / "out")[0] == file.read_bytes()


def test_what_is_left_of_a_list_is_still_a_list(tmp_path: Path) -> None:
    """Stages drop rows, also the last one; the file must stay valid JSON."""
    file = tmp_path / "in.json"
    file.write_bytes(b"[\n  " + b",\n  ".join(OBJECT % number for number in range(4)) + b"\n]\n")
    layout, tables = read(file, shard_rows=4)
    data, _ = export(layout, [tables[0].take([0, 2])], tmp_path / "out")
    assert data == b"[\n  " + OBJECT % 0 + b",\n  " + OBJECT % 2 + b"]\n"


def test_added_records_are_left_out_with_a_word(tmp_path: Path) -> None:
    """An augmented copy carries its parent's raw text: writing it would double the parent."""
    record = records.Record("u1", "1", "chat", raw='{"id":"1"}')
    copy = records.Record("u2", "1", "chat", raw='{"id":"1"}', parent="u1")
    layout = {"head": "", "separator": "\n", "tail": "\n", "name": "source.jsonl"}
    data, left = export(layout, [records.to_table([record, copy])], tmp_path / "out")
    assert (data, left) == (b'{"id":"1"}\n', [("u2", "derived", "")])
