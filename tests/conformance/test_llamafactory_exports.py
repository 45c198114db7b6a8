"""LLaMA-Factory reads, trains on, predicts from and merges what we export, with the files that we write beside it."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from conformance import ask
from conformance.environments import HERE, Environment
from conformance.exports import export, split_demo
from conformance.models import tiny_adapter, tiny_model

from curate.dataset.vision import Bounds, Size, fit
from curate.errors import RowError
from curate.export.check.configs import known_keys
from curate.export.check.sizes import in_llamafactory, in_processor

pytestmark = pytest.mark.conformance

PIXELS, CUTOFF = 100_352, 4096
ON_A_PROCESSOR = ("use_cpu=true", "bf16=false", "preprocessing_num_workers=1")


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("sharegpt", {"template": "mire"}),
        ("sharegpt", {"template": "plain"}),
        ("sharegpt", {"template": "mire", "rationale": True, "coarse_fine": True}),
        ("sharegpt", {"template": "mire", "images": "embed"}),
        ("sharegpt", {"template": "mire", "images": "link"}),
        ("alpaca", {"template": "mire"}),
        ("alpaca", {"template": "plain"}),
        ("alpaca", {"template": "mire", "images": "embed"}),
        ("regions", {}),
        ("regions", {"form": "chatspot", "language": "en"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(map(str, value.values())) or "default",
)
def test_exports_are_read_whole_with_the_tokens_that_we_predict(
    tmp_path: Path, name: str, options: dict[str, object]
) -> None:
    """Rows out are rows in; pictures' tokens are exact, all tokens exact with a tokenizer and never under without."""
    records = split_demo(tmp_path / "run", read=True)
    tokens = {}
    for kind, tokenizer in (("exact", tiny_model()), ("estimate", None)):
        folder = tmp_path / kind
        left = export(records, folder, name, max_pixels=PIXELS, cutoff_len=CUTOFF, tokenizer=tokenizer, **options)
        assert set(left) <= {record.uid for record in records if not record.images}
        tokens[kind] = pq.read_table(folder / "index.parquet").to_pylist()
    names = list(json.loads((tmp_path / "exact" / "dataset_info.json").read_text("utf-8")))
    answers = ask.llamafactory(tmp_path / "exact", names, CUTOFF, PIXELS, 3136, forward=name == "sharegpt")

    assert names == ["curate_train", "curate_val", "curate_test"]
    for entry in names:
        answer = answers[entry]
        split = entry.partition("_")[2]
        exact = [row for row in tokens["exact"] if Path(row["file"]).stem == split]
        estimate = [row for row in tokens["estimate"] if Path(row["file"]).stem == split]
        assert "stops" not in answer, answer
        assert len(answer["tokens"]) == len(exact) > 0
        assert not answer.get("crashes")
        assert min(answer["label_tokens"]) > 0
        if name == "regions":
            assert max(answer["tokens"]) <= max(row["text_tokens"] + row["image_tokens"] for row in exact)
            continue
        counts = zip(answer["tokens"], answer["image_tokens"], exact, estimate, records_of(records, exact), strict=True)
        for real, real_pictures, one, guess, pictures in counts:
            assert one["image_tokens"] - 2 * pictures == real_pictures
            assert abs(one["text_tokens"] + one["image_tokens"] - real) <= 0.02 * real
            assert guess["text_tokens"] + guess["image_tokens"] >= real


def records_of(records: list, rows: list[dict]) -> list[int]:
    """Number of pictures of each row's record."""
    pictures = {record.uid: len(record.images) for record in records}
    return [pictures[row["uid"]] for row in rows]


def test_picture_tokens_of_300_random_sizes_are_the_processors() -> None:
    """One token too few, and the training ends with "image features and image tokens do not match"."""
    draw = random.Random(0)
    sizes = [(draw.randint(1, 1600), draw.randint(1, 1600)) for _ in range(288)]
    sizes += [(2000, 5), (5, 2000), (1, 1), (28, 28), (27, 5400), (41, 8199), (3000, 15), (15, 3000), (56, 56)]
    sizes += [(767, 769), (768, 768), (784, 752)]
    bounds = Bounds(262_144)
    ours = [in_llamafactory(Size(*size), bounds).tokens for size in sizes]
    alone = [_or_none(lambda size=size: in_processor(Size(*size)).tokens) for size in sizes]
    prepared = [_or_none(lambda size=size: fit(*size, bounds)) for size in sizes]
    exported = [size for size in prepared if size is not None]
    real = ask.sizes(sizes, bounds.max_pixels, bounds.min_pixels)
    real_exported = ask.sizes([(size.width, size.height) for size in exported], bounds.max_pixels, bounds.min_pixels)

    assert len(sizes) == 300
    assert real["trained"] == ours
    assert real["alone"] == alone
    assert real_exported["trained"] == real_exported["alone"] == [size.tokens for size in exported]


def _or_none(size):  # type: ignore[no-untyped-def]
    try:
        return size()
    except RowError:
        return None


def test_our_configurations_train_predict_and_merge(tmp_path: Path) -> None:
    """The next step that we print must work as it stands, and predictions must come back in the order of the index."""
    folder = tmp_path / "export"
    records = split_demo(tmp_path / "run")
    export(records, folder, "sharegpt", template="mire", max_pixels=50_176, model=str(tiny_model()))
    trainer = Environment("llamafactory")

    def step(*arguments: str) -> None:
        trainer.run("-c", _IN_FOLDER, str(folder), *arguments, timeout=900)

    step(
        "train", "train_lora.yaml", "max_steps=3", "eval_steps=3", "logging_steps=1", "plot_loss=false", *ON_A_PROCESSOR
    )
    adapter = tmp_path / "saves" / "curate-lora"
    state = json.loads((adapter / "trainer_state.json").read_text("utf-8"))
    assert len([entry for entry in state["log_history"] if "loss" in entry]) == 3
    assert (adapter / "adapter_model.safetensors").exists()
    step("train", "predict_lora.yaml", "max_new_tokens=2", *ON_A_PROCESSOR)
    predictions = (tmp_path / "saves" / "curate-predict" / "generated_predictions.jsonl").read_text("utf-8")
    labels = [json.loads(line)["label"].strip() for line in predictions.splitlines()]
    index = [row for row in pq.read_table(folder / "index.parquet").to_pylist() if row["file"] == "test.json"]
    assert labels == [row["label"] for row in index]
    step("export", "merge_lora.yaml")
    assert (tmp_path / "saves" / "curate-merged" / "config.json").exists()


_IN_FOLDER = "import os, sys; os.chdir(sys.argv.pop(1)); from llamafactory.cli import main; main()"


def test_every_configuration_is_taken_by_the_trainers_parser(tmp_path: Path) -> None:
    """A key that a new version dropped, or a number that is read as text, shows after the model was loaded, or never."""
    folder = tmp_path / "export"
    export(split_demo(tmp_path / "run"), folder, "sharegpt", template="mire", model=str(tiny_model()))
    files = sorted(str(path) for path in folder.glob("*.yaml"))
    printed = Environment("llamafactory").run(str(HERE / "programs" / "llamafactory_config.py"), *files)
    answers = {
        answer["name"]: answer for answer in (json.loads(line[2:]) for line in printed.splitlines() if line[:2] == "@@")
    }

    assert sorted(answers) == ["merge_lora.yaml", "predict_lora.yaml", "train_full.yaml", "train_lora.yaml"]
    assert all("error" not in answer and answer["text_numbers"] == [] for answer in answers.values()), answers
    assert (answers["train_lora.yaml"]["lora_rank"], answers["train_lora.yaml"]["learning_rate"]) == (16, 1e-4)
    assert answers["train_full.yaml"]["learning_rate"] == 5e-6


def test_the_adapter_that_other_tests_serve_is_one_for_the_language_model_only() -> None:
    """vLLM ignores weights of the vision tower in silence, so an adapter with some would be another model there."""
    folder = tiny_adapter()
    program = (
        "import sys; from safetensors import safe_open; f = safe_open(sys.argv[1], 'pt'); "
        "print(len(f.keys()), sum('visual' in key for key in f.keys()))"
    )
    counts = Environment("llamafactory").run("-c", program, str(folder / "adapter_model.safetensors")).split()

    assert int(counts[0]) > 0
    assert int(counts[1]) == 0
    assert json.loads((folder / "adapter_config.json").read_text())["r"] == 16


def test_the_keys_that_we_know_are_the_parsers() -> None:
    """A key that we do not know is called a fault, and one too many lets a run stop at its first step."""
    program = (
        "import dataclasses, json; from llamafactory.hparams import parser; "
        "print('@@' + json.dumps(sorted({f.name for c in parser._TRAIN_ARGS for f in dataclasses.fields(c) if f.init})))"
    )
    printed = Environment("llamafactory").make().run("-c", program)
    (names,) = (json.loads(line[2:]) for line in printed.splitlines() if line.startswith("@@"))
    assert set(names) == known_keys()
