"""Boilerplate is learnt from the training split alone, and what tells labels apart is none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pytest
from denoise_support import record, stage

from curate.denoise.stage import DenoiseStage
from curate.errors import UsageError
from curate.pipeline.batch import Batch
from curate.records import Image, Line, Ocr, Record, to_table


def shot(number: int, lines: Sequence[str], split: str | None, label: str = "支付页面") -> Record:
    """A record with one screenshot."""
    read = tuple(Line(text, 0.9, (0.0, 900.0, 9.0, 900.0, 9.0, 940.0, 0.0, 940.0)) for text in lines)
    image = Image(f"{number}.png", height=2000, ocr=Ocr("fake", "\n".join(lines), read))
    return record(f"r{number}", ["u: <image>"], images=(image,), split=split, label=label)


def learn(records: Sequence[Record], size: int = 7, **options: object) -> DenoiseStage:
    """The stage with its verdict, surveyed in pieces as an engine does."""
    made = stage(on=("boilerplate",), boilerplate_documents=5, **options)
    table = to_table(records)
    pieces = [table.slice(start, size) for start in range(0, len(table), size)]
    made.verdict = made.decide(pa.concat_tables([made.survey(Batch(one, "denoise", made.codes)) for one in pieces]))
    return made


def learnt(made: DenoiseStage) -> list[str]:
    assert made.verdict is not None
    return made.verdict["text"].to_pylist()


def test_lines_of_many_training_pictures_are_boilerplate() -> None:
    """猜你喜欢 under every page says nothing about the page."""
    made = learn([shot(n, ["猜你喜欢", f"杯子{n}号"], "train", "支付页面" if n % 2 else "退款页面") for n in range(20)])

    assert learnt(made) == ["猜你喜欢"]


def test_a_line_counts_once_a_picture() -> None:
    """One page that repeats a word twenty times is still one page."""
    made = learn([shot(0, ["热卖"] * 20, "train"), *(shot(n, [f"杯子{n}号"], "train") for n in range(1, 20))])

    assert learnt(made) == []


def test_test_pictures_teach_nothing() -> None:
    """What is learnt from the test split is a leak, however harmless it looks."""
    train = [shot(n, [f"杯子{n}号"], "train") for n in range(20)]
    test = [shot(100 + n, ["猜你喜欢"], "test") for n in range(50)]

    assert learnt(learn([*train, *test])) == []


def test_a_line_that_tells_labels_apart_stays() -> None:
    """退款去向 stands on a quarter of all pages, and all of them are refunds."""
    records = [shot(n, ["退款去向", "联系商家"], "train", "退款页面") for n in range(10)]
    records += [shot(50 + n, ["联系商家"], "train", "支付页面") for n in range(30)]

    assert learnt(learn(records)) == ["联系商家"]
    assert learnt(learn(records, boilerplate_lift=10.0)) == ["联系商家", "退款去向"]


def test_prices_and_order_states_survive_however_common_they_are() -> None:
    """A keep-list that a statistic can outvote keeps nothing."""
    records = [shot(n, ["猜你喜欢", "交易成功", "¥9.90", "XL"], "train") for n in range(20)]
    made = learn(records)
    batch = Batch(to_table(records), "denoise", made.codes)
    made.process(batch)
    rows = batch.outcome().rows.to_pylist()

    assert {tuple(line["text"] for line in row["images"][0]["ocr"]["lines"]) for row in rows} == {
        ("交易成功", "¥9.90", "XL")
    }


def test_without_a_split_nothing_is_learnt_and_it_is_told() -> None:
    """Learning from everything would learn from what is tested on."""
    with pytest.raises(UsageError, match="put the stage split before denoise"):
        learn([shot(n, ["猜你喜欢"], None) for n in range(20)])


def test_the_order_of_batches_changes_nothing() -> None:
    """The verdict is part of the fingerprint; it must not hang on how shards were cut."""
    records = [shot(n, ["猜你喜欢", f"杯子{n % 3}号"], "train") for n in range(30)]

    assert learn(records, 4).verdict.equals(learn(records, 30).verdict)  # type: ignore[union-attr]


def test_a_run_learns_and_says_what(tmp_path: Path) -> None:
    """The whole way: a recipe with split before denoise, and the rule switched on."""
    import pyarrow.parquet as pq

    import curate

    table = to_table([shot(n, ["猜你喜欢", f"杯子{n}号"], None) for n in range(40)])
    source = tmp_path / "rows.parquet"
    pq.write_table(table, source)
    for n in range(40):
        (tmp_path / f"{n}.png").write_bytes(b"")
    recipe = f"""
name: learn
input: {{path: {source}, images: {tmp_path}}}
stages:
  - {{use: split, train: 0.8, val: 0.2}}
  - {{use: denoise, 'on': [boilerplate], boilerplate_documents: 5}}
"""
    (tmp_path / "learn.yaml").write_text(recipe, "utf-8")
    result = curate.run(str(tmp_path / "learn.yaml"), tmp_path / "out")

    assert result.steps[-1].counts.codes["changed"]["boilerplate"] == 40
    assert pq.read_table(tmp_path / "out" / "02-denoise" / "verdict.parquet")["text"].to_pylist() == ["猜你喜欢"]
