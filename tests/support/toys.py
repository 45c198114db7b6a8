"""Stages and a source for tests of the engine; importable by name, so that spawned workers find them."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from curate import records
from curate.errors import UsageError
from curate.pipeline.batch import Batch
from curate.pipeline.source import InputOptions, Position, Source, SourceShard
from curate.pipeline.stage import Stage, StageOptions
from curate.records import Record, Turn


class LinesSource(Source):
    """One record for each line of a text file; the line `BAD` is a bad record."""

    codes = {"bad_line": "The line says BAD."}
    version = 1
    format = "lines"
    image_root = None

    def __init__(self, options: InputOptions) -> None:
        self.options = options
        self.lines = options.path.read_text("utf-8").splitlines()

    def fingerprint(self) -> str:
        return hashlib.sha256("\n".join(self.lines).encode()).hexdigest()

    def rows_hint(self) -> int:
        return len(self.lines)

    def signature(self) -> dict[str, Any]:
        return {"format": "lines", "shard_rows": self.options.shard_rows}

    def shards(self, start: Position, seen: Iterable[str]) -> Iterator[SourceShard]:
        size = 16 if self.options.shard_rows == "auto" else self.options.shard_rows
        for first in range(start.index, len(self.lines), size):
            lines = self.lines[first : first + size]
            made = [
                Record(
                    records.source_uid("toy", first + number),
                    str(first + number),
                    "chat",
                    (Turn("user", line),),
                    raw=line,
                )
                for number, line in enumerate(lines)
            ]
            batch = Batch(records.to_table(made), "ingest", self.codes)
            for row, line in enumerate(lines):
                if line == "BAD":
                    batch.fail(row, "bad_line")
            end = first + len(lines)
            yield SourceShard(batch, Position(end, end))

    def pictures_digest(self, paths: Sequence[str]) -> str:
        return json.dumps(list(paths))

    def layout(self) -> dict[str, str]:
        return {"separator": "\n"}


class UpperOptions(StageOptions):
    use: Literal["upper"] = "upper"
    suffix: str = ""
    pause: float = 0.0
    slow_open: float = 0.0
    broken_open: bool = False


class UpperStage(Stage[UpperOptions]):
    """Writes in capitals, drops what is empty, doubles what begins with `twice`; and does what a line tells it to."""

    name = "upper"
    version = 1
    Options = UpperOptions
    codes = {
        "capitals": "was written in capitals",
        "empty": "had no text",
        "doubled": "was doubled",
        "told": "was told to fail",
    }

    def open(self) -> None:
        time.sleep(self.options.slow_open)
        if self.options.broken_open:
            raise UsageError("there is no model here")

    def process(self, batch: Batch) -> None:
        turns, _ = records.flatten(batch.table["turns"])
        texts = pc.struct_field(turns, "text").to_pylist()
        for text in texts:
            obey(text)
        if self.options.pause:
            time.sleep(self.options.pause * len(batch))
        upper = [text.upper() + self.options.suffix for text in texts]
        flat = pa.StructArray.from_arrays(
            [pc.struct_field(turns, "role"), pa.array(upper, pa.string())], ["role", "text"]
        )
        offsets = pa.array(range(len(batch) + 1), pa.int32())
        batch.set_column("turns", pa.ListArray.from_arrays(offsets, flat))
        uids = batch.table["uid"].to_pylist()
        for row, text in enumerate(texts):
            if text == "fail":
                batch.fail(row, "told")
            elif not text:
                batch.drop(row, "empty", metric="characters", value=0, threshold=1)
            else:
                batch.change(row, "capitals")
            if text.startswith("twice"):
                uid = records.derived_uid(uids[row], "upper", "0")
                batch.derive(row, Record(uid, uid, "chat", (Turn("user", text * 2),), parent=uids[row]), "doubled")


def obey(text: str) -> None:
    """Do what the text says: crash, hang, eat memory, raise."""
    if text == "crash":
        os.abort()
    if text == "slow":
        time.sleep(3)
    if text == "hang":
        time.sleep(3600)
    if text == "eat":
        held = []
        while True:
            held.append(bytearray(b"x" * (32 << 20)))
            time.sleep(0.02)
    if text == "raise":
        raise ValueError("the row said so")


class RareOptions(StageOptions):
    use: Literal["rare"] = "rare"


class RareStage(Stage[RareOptions]):
    """Drops every record whose text occurs more than once in the whole dataset."""

    name = "rare"
    version = 1
    Options = RareOptions
    surveys = True
    codes = {"common": "occurs more than once"}

    def survey(self, batch: Batch) -> pa.Table:
        turns, _ = records.flatten(batch.table["turns"])
        return pa.table({"text": pc.struct_field(turns, "text")})

    def decide(self, survey: pa.Table) -> pa.Table:
        counts = pc.value_counts(survey["text"].combine_chunks())
        return pa.table({"text": counts.field("values"), "n": counts.field("counts")})

    def process(self, batch: Batch) -> None:
        assert self.verdict is not None
        often = dict(zip(self.verdict["text"].to_pylist(), self.verdict["n"].to_pylist(), strict=True))
        turns, _ = records.flatten(batch.table["turns"])
        for row, text in enumerate(pc.struct_field(turns, "text").to_pylist()):
            if often[text] > 1:
                batch.drop(row, "common", metric="occurrences", value=often[text], threshold=1)
