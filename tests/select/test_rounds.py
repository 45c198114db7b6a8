"""Two rounds of the recipe `ecommir`: what the model of the first says of unlabelled rows trains the second."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate import Dataset
from curate.pipeline.recipe_file import load_recipe, shipped_folder
from curate.pipeline.run import run
from curate.records import Record

DEMO = shipped_folder() / "demo"


def go(folder: Path, out: str, *changes: str) -> dict[str, Record]:
    """Run the recipe; give the records by source id, copies left out."""
    inputs = (f"input.path={folder}/all.json", f"input.images={DEMO}/images", "max_failed=10")
    fake = ("stages.ocr.engine=fake", *(f"stages.augment-{name}.verify=geometry" for name in ("pictures", "scenes")))
    recipe = load_recipe(shipped_folder() / "ecommir.yaml", [*inputs, *fake, *changes])
    run(recipe, folder / out)
    return {record.source_id: record for record in Dataset.open(folder / out) if record.parent is None}


def predictions(path: Path, rows: dict[str, tuple[str, float | None]]) -> Path:
    table = [{"uid": uid, "predicted": label, "confidence": sure} for uid, (label, sure) in rows.items()]
    pq.write_table(pa.Table.from_pylist(table), path)
    return path


@pytest.mark.slow
def test_answers_of_the_first_round_train_the_second(tmp_path: Path) -> None:
    """If this fails, the second round learns from the wrong rows, or the validation set leaks into training."""
    rows = json.loads((DEMO / "train.json").read_text("utf-8"))
    truth = {row["id"]: row["output"] for row in rows}
    for row in rows[::3]:
        row["output"] = ""
    (tmp_path / "all.json").write_text(json.dumps(rows, ensure_ascii=False), "utf-8")
    first = go(tmp_path, "first")
    open_rows = [record for record in first.values() if record.label is None]
    scenes = [record for record in open_rows if record.task == "image_scene"]
    intents = [record for record in open_rows if record.task == "dialogue_intent"]
    assert len(scenes) >= 3 and len(intents) >= 3
    assert {record.split for record in open_rows} == {"test"}
    assert {record.split for record in first.values() if record.label is not None} >= {"train", "val"}
    exported = json.loads((tmp_path / "first" / "exports" / "sharegpt" / "test.json").read_text("utf-8"))
    assert {row["id"] for row in exported} >= {record.source_id for record in open_rows}

    said = {record.uid: (truth[record.source_id], 0.999) for record in scenes}
    said[scenes[0].uid] = (truth[scenes[0].source_id], 0.98)
    model = predictions(tmp_path / "model.parquet", said | {one.uid: (truth[one.source_id], 0.3) for one in intents})
    best = predictions(
        tmp_path / "best.parquet",
        {one.uid: (truth[one.source_id], None) for one in intents[1:]} | {intents[0].uid: ("是否好用", None)},
    )
    second = go(
        tmp_path,
        "second",
        f"stages.pseudo-scenes.predictions=[{model}]",
        f"stages.pseudo-intents.predictions=[{model}, {best}]",
    )

    labelled = {record.uid for record in second.values() if record.label_from == "pseudo"}
    assert labelled == {record.uid for record in [*scenes[1:], *intents[1:]]}
    assert {record.split for record in second.values() if record.uid in labelled} == {"train"}
    for source_id, record in first.items():
        if record.label is not None:
            assert (second[source_id].label, second[source_id].split) == (record.label, record.split)
    copies = [record for record in Dataset.open(tmp_path / "second") if record.parent is not None]
    assert {record.parent for record in copies} & labelled
    assert {record.split for record in copies} == {"train"}


def test_rows_without_a_label_are_the_test_set_where_the_recipe_says_so(tmp_path: Path) -> None:
    """If this fails, rows that nobody can score stand in the validation set."""
    lines = [{"id": f"r{n}", "text": f"这是第{n}句话", **({"label": "好"} if n % 2 else {})} for n in range(40)]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, lines)), "utf-8")
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text("name: x\ninput: {path: rows.jsonl}\nstages: [{use: split, unlabelled: test}]\n")
    run(load_recipe(recipe), tmp_path / "out")
    records = list(Dataset.open(tmp_path / "out"))
    assert {record.split for record in records if record.label is None} == {"test"}
    assert sorted(record.split or "" for record in records if record.label)[-2:] == ["val", "val"]
