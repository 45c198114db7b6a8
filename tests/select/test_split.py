"""Splits: nothing leaks, every label gets its share, and nothing depends on order or shards."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.dataset.pictures import PictureStore
from curate.pipeline.batch import Batch
from curate.pipeline.stage import Context
from curate.records import Image, Record, Turn, to_table
from curate.select.split import SplitOptions, SplitStage


def record(
    number: int,
    *,
    text: str | None = None,
    label: str = "a",
    picture: str | None = None,
    parent: str | None = None,
    split: str | None = None,
) -> Record:
    images = (Image(f"{picture}.jpg", sha256=picture),) if picture else ()
    words = ("<image>" if picture else "") + (text if text is not None else f"question {number}")
    return Record(
        f"u{number:05d}",
        str(number),
        "chat",
        (Turn("user", words),),
        images,
        label=label,
        parent=parent,
        split=split,
        raw="{}",
    )


def split(rows: list[Record], shard: int = 100, seed: int = 0, **options: object) -> dict[str, str]:
    """Run the stage over shards; give the split of each uid."""
    stage = SplitStage(SplitOptions(**options), Context(PictureStore(None, Path()), seed=seed))  # type: ignore[arg-type]
    batches = [Batch(to_table(rows[n : n + shard]), "split", stage.codes) for n in range(0, len(rows), shard)]
    stage.verdict = stage.decide(pa.concat_tables([stage.survey(batch) for batch in batches]))
    found: dict[str, str] = {}
    for batch in batches:
        stage.process(batch)
        table = batch.outcome().rows
        found.update(zip(table["uid"].to_pylist(), table["split"].to_pylist(), strict=True))
    return found


def test_what_belongs_together_stays_together() -> None:
    """A validation score on pictures seen in training is a lie."""
    rows = [record(n) for n in range(40)]
    rows += [
        record(100, picture="p"),
        record(101, picture="p"),
        record(102, text="same words"),
        record(103, text="same  words"),
    ]
    rows += [record(104, parent="u00000"), record(105, parent="u00000")]
    found = split(rows)

    assert found["u00100"] == found["u00101"]
    assert found["u00102"] == found["u00103"]
    assert found["u00104"] == found["u00105"] == found["u00000"]


def test_groups_join_over_others() -> None:
    """One picture in two dialogues, one of which repeats a third: all three on one side."""
    rows = [
        record(0, picture="p", text="x"),
        record(1, picture="p", text="y"),
        record(2, text="y"),
        *map(record, range(3, 30)),
    ]
    found = split(rows, train=0.5, val=0.5)

    assert found["u00000"] == found["u00001"] == found["u00002"]


def test_every_split_gets_its_share_of_every_label() -> None:
    """A label that is missing from validation cannot be judged."""
    rows = [record(n, label=f"label{n % 7}") for n in range(700)]
    found = split(rows, train=0.8, val=0.1, test=0.1)

    for label in range(7):
        mine = [found[row.uid] for row in rows if row.label == f"label{label}"]
        assert abs(mine.count("val") - 10) <= 1
        assert abs(mine.count("test") - 10) <= 1


def test_rare_labels_together_get_their_share_too() -> None:
    """Forty records with a label each must not all go to training."""
    found = split([record(n, label=f"label{n}") for n in range(40)])

    assert list(found.values()).count("val") == 4


def test_a_split_that_is_there_stays_and_draws_its_group() -> None:
    """Official splits must survive, and what belongs to them must not leak out."""
    rows = [record(n) for n in range(20)] + [record(50, picture="p", split="test"), record(51, picture="p")]
    found = split(rows)

    assert (found["u00050"], found["u00051"]) == ("test", "test")


@settings(max_examples=30, deadline=None)
@given(st.permutations(range(30)), st.integers(1, 31))
def test_order_and_shards_do_not_matter(order: list[int], shard: int) -> None:
    """The same records must land on the same side, however they were stored."""
    rows = [record(n, label=f"label{n % 3}", picture=f"p{n // 2}") for n in range(30)]

    assert split([rows[n] for n in order], shard) == split(rows)


def test_another_seed_gives_another_split() -> None:
    """Cross-validation needs different splits of one dataset."""
    rows = [record(n) for n in range(50)]

    assert split(rows, seed=1) != split(rows, seed=2)
