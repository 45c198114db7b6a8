"""What tests of denoising share: records made of lines, and the stage run over them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from curate.dataset.pictures import PictureStore
from curate.denoise.stage import DenoiseOptions, DenoiseStage
from curate.pipeline.batch import Batch
from curate.pipeline.outcome import Outcome
from curate.pipeline.stage import Context
from curate.records import Image, Record, Turn, to_table

ROLES = {"u": "user", "a": "agent", "s": "system"}


def record(name: str, lines: Sequence[str], **facts: Any) -> Record:
    """A record from lines `u: …` and `a: …`; it has as many pictures as its text says."""
    turns = tuple(Turn(ROLES[line[0]], line[3:].replace("⏎", "\n")) for line in lines)
    pictures = sum(turn.text.count("<image>") for turn in turns)
    images = facts.pop("images", tuple(Image(f"{name}-{n}.jpg") for n in range(pictures)))
    return Record(name, name, "dialogue_intent", turns, images, raw="{}", **facts)


def stage(**options: Any) -> DenoiseStage:
    """The stage, opened."""
    made = DenoiseStage(DenoiseOptions(**options), Context(PictureStore(None, Path("pictures"))))
    made.open()
    return made


def run(records: Sequence[Record] | pa.Table, one: DenoiseStage | None = None, **options: Any) -> Outcome:
    """Denoise records as one batch."""
    made = one or stage(**options)
    table = records if isinstance(records, pa.Table) else to_table(records)
    batch = Batch(table, "denoise", made.codes)
    made.process(batch)
    return batch.outcome()


def lines(row: dict[str, Any]) -> list[str]:
    """The turns of a row as `record` takes them."""
    return [f"{turn['role'][0]}: {turn['text']}".replace("\n", "⏎") for turn in row["turns"]]
