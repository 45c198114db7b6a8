"""Each format is what its trainer or server reads, and the same record is the same sample in all of them."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from PIL import Image as Pillow

from curate.dataset.pictures import PictureStore
from curate.errors import RunFailed, UsageError
from curate.export.check import examine
from curate.export.check.finding import Settings
from curate.ingest.detect import open_source
from curate.pipeline import registry
from curate.pipeline.export import Delivery
from curate.pipeline.source import InputOptions, Position
from curate.pipeline.stage import Context
from curate.records import Image, Line, Ocr, Record, Turn, from_table, to_table

DEMO = Path(__file__).parents[3] / "shared" / "data" / "mire" / "demo_test.json"


def picture(folder: Path, name: str, size: tuple[int, int] = (600, 1300), colour: str = "red") -> Image:
    """Save a picture and describe it as ingest would."""
    stream = io.BytesIO()
    Pillow.new("RGB", size, colour).save(stream, "PNG")
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(stream.getvalue())
    return Image(name, hashlib.sha256(stream.getvalue()).hexdigest(), *size, "PNG")


def intent(uid: str, *images: Image, **more: Any) -> Record:
    """A MIRE dialogue with its pictures."""
    turns = (*(Turn("user", "<image>") for _ in images), Turn("agent", "亲，在的"), Turn("user", "贴完起泡了"))
    return Record(uid, uid, "dialogue_intent", turns, images, **{"label": "气泡", "raw": "{}", **more})


def export(root: Path, target: str, /, *records: Record, **options: Any) -> tuple[Path, dict[str, str], dict[str, Any]]:
    """Write an export; give its folder, what was left out, and its facts."""
    folder = root / f"out-{target}-{len(list(root.glob('out-*')))}"
    folder.mkdir()
    left: dict[str, str] = {}

    def leave_out(uid: str, code: str, detail: str) -> None:
        assert code in exporter.codes
        left[uid] = code

    kind = registry.exporters()[target]
    parsed = kind.Options.model_validate({"use": target, **options})
    exporter = kind(parsed, Context(PictureStore(root, root / "made")))
    delivery = Delivery(folder, leave_out, lambda rows: None, folder)
    facts = exporter.write([to_table(records)], delivery)
    return folder, left, facts


def rows(file: Path) -> list[dict[str, Any]]:
    """The rows of a file of any format."""
    if file.suffix == ".parquet":
        return pq.read_table(file).to_pylist()  # type: ignore[no-any-return]
    text = file.read_text("utf-8")
    return [json.loads(line) for line in text.splitlines()] if file.suffix == ".jsonl" else json.loads(text)


@pytest.mark.skipif(not DEMO.is_file(), reason="the shared sample data are not on this machine")
def test_an_untouched_mire_file_comes_back_as_alpaca_but_for_the_picture_paths(tmp_path: Path) -> None:
    """Who trained on the organisers' file must be able to train on ours and see the same text."""
    original = json.loads(DEMO.read_text("utf-8"))
    for number, row in enumerate(original):
        for place, name in enumerate(row["image"]):
            picture(tmp_path, name, (300 + number, 400 + place))
    source = open_source(InputOptions(path=DEMO, images=tmp_path))
    records = [record for shard in source.shards(Position(), []) for record in from_table(shard.batch.table)]
    folder, left, _ = export(tmp_path, "alpaca", *records, template="mire", ocr=())

    def without_paths(text: str) -> list[str]:
        return [line for line in text.split("\n") if '"images/' not in line and '"save/images/' not in line]

    assert (len(records), left) == (10, {})
    written = (folder / "train.json").read_text("utf-8")
    assert without_paths(written) == without_paths(DEMO.read_text("utf-8"))


def test_alpaca_rows_of_a_test_set_have_no_output(tmp_path: Path) -> None:
    """MIRE's test files have none, and LLaMA-Factory stops where a column is named that is not there."""
    image = picture(tmp_path, "a.png")
    folder, left, _ = export(
        tmp_path, "alpaca", intent("a", image), intent("b", image, label=None, split="test"), template="mire"
    )

    assert left == {}
    assert list(rows(folder / "train.json")[0]) == ["id", "instruction", "input", "output", "image"]
    assert list(rows(folder / "test.json")[0]) == ["id", "instruction", "input", "image"]
    info = json.loads((folder / "dataset_info.json").read_text())
    assert "response" not in info["curate_test"]["columns"]
    assert info["curate_train"]["columns"]["response"] == "output"


def test_a_record_without_an_answer_is_for_prediction_only(tmp_path: Path) -> None:
    """An empty answer in a training set teaches the model to say nothing."""
    unknown = {"label": None}
    image = picture(tmp_path, "a.png")
    records = [intent("a", image)] + [
        intent(split, image, split=split, **unknown) for split in ("train", "val", "test")
    ]
    folder, left, facts = export(tmp_path, "sharegpt", *records, template="mire")

    assert left == {"train": "no_answer", "val": "no_answer"}
    assert facts["rows"] == {"train": 1, "test": 1}
    assert rows(folder / "test.json")[0]["conversations"][-1] == {"from": "gpt", "value": ""}
    assert "eval_dataset: curate_test" in (folder / "predict_lora.yaml").read_text()


@pytest.mark.parametrize("form", ["sharegpt", "alpaca", "swift", "trl", "openai"])
def test_unlabelled_records_can_be_predicted_in_every_format(tmp_path: Path, form: str) -> None:
    """The challenge's test set has no labels, and must come through every trainer and server."""
    image = picture(tmp_path, "a.png")
    _, left, facts = export(
        tmp_path, form, intent("a", image), intent("b", image, label=None, split="test"), template="mire"
    )

    assert (left, facts["rows"]) == ({}, {"train": 1, "test": 1})
    only, left, _ = export(tmp_path, form, intent("b", image, label=None, split="test"), template="mire")
    assert left == {}
    assert [path.stem for path in only.glob("t*.*") if path.suffix != ".yaml"] == ["test"]


def test_swift_rows_are_messages(tmp_path: Path) -> None:
    """ms-swift keeps role and content, and takes pictures from `images`."""
    folder, _, facts = export(tmp_path, "swift", intent("a", picture(tmp_path, "a.png")), template="mire")
    (row,) = rows(folder / "train.json")

    assert [message["role"] for message in row["messages"]] == ["user", "assistant"]
    assert row["messages"][0]["content"].count("<image>") == len(row["images"]) == 1
    script = (folder / "train_swift.sh").read_text()
    assert "MAX_PIXELS=589824" in script
    assert "--lora_rank 16" in script
    assert facts["next"].startswith("sh train_swift.sh")


def test_trl_rows_are_parts_around_embedded_pictures(tmp_path: Path) -> None:
    """TRL puts pictures before all text unless parts say where they stand, and a path would bind the file to this disk."""
    images = [picture(tmp_path, "a.png"), picture(tmp_path, "b.png", colour="blue")]
    folder, _, _ = export(tmp_path, "trl", intent("a", *images), template="mire")
    (row,) = rows(folder / "train.parquet")

    kinds = [part["type"] for part in row["prompt"][0]["content"]]
    assert kinds == ["text", "image", "text", "image", "text"]
    assert row["completion"] == [{"role": "assistant", "content": [{"type": "text", "text": "气泡"}]}]
    with Pillow.open(io.BytesIO(row["images"][1]["bytes"])) as second:
        assert second.getpixel((5, 5))[2] > 200
    features = json.loads(pq.read_schema(folder / "train.parquet").metadata[b"huggingface"])["info"]["features"]
    assert features["images"] == [{"_type": "Image"}]


def test_datasets_opens_the_pictures(tmp_path: Path) -> None:
    """A column of structs is no column of pictures."""
    datasets = pytest.importorskip("datasets")
    folder, _, _ = export(tmp_path, "trl", intent("a", picture(tmp_path, "a.png")), template="mire")
    opened = datasets.load_dataset(
        "parquet", data_files=str(folder / "train.parquet"), split="train", cache_dir=str(tmp_path / "cache")
    )

    assert opened[0]["images"][0].size == (504, 1120)


def test_openai_rows_carry_pictures_as_data(tmp_path: Path) -> None:
    """A server does not see our disk."""
    record = intent("a", picture(tmp_path, "a.png"), system="be brief")
    folder, _, _ = export(tmp_path, "openai", record, template="mire")
    (row,) = rows(folder / "train.jsonl")

    assert [message["role"] for message in row["messages"]] == ["system", "user", "assistant"]
    kinds = [part["type"] for part in row["messages"][1]["content"]]
    assert kinds == ["text", "image_url", "text"]
    head, _, data = row["messages"][1]["content"][1]["image_url"]["url"].partition(",")
    assert head == "data:image/jpeg;base64"
    with Pillow.open(io.BytesIO(base64.b64decode(data))) as opened:
        assert opened.size == (504, 1120)
    assert "<image>" not in json.dumps(row)


def test_a_format_refuses_pictures_that_it_cannot_carry(tmp_path: Path) -> None:
    """A Parquet file of paths looks whole until somebody else opens it."""
    with pytest.raises(UsageError, match="trl carries pictures by images=embed only"):
        export(tmp_path, "trl", intent("a", picture(tmp_path, "a.png")), images="copy")


def test_links_keep_originals_that_fit(tmp_path: Path) -> None:
    """A second copy of a million pictures that fit already is a disk full of nothing."""
    fits, large = picture(tmp_path, "fits.png", (280, 560)), picture(tmp_path, "large.png")
    folder, _, _ = export(tmp_path, "sharegpt", intent("a", fits, large), template="mire", images="link")
    first, second = rows(folder / "train.json")[0]["images"]

    assert (folder / first).samefile(tmp_path / "fits.png")
    assert (folder / second).stat().st_nlink == 1


def test_absolute_paths_leave_originals_where_they_are(tmp_path: Path) -> None:
    """What fits stays where it is; what does not is beside the rows, where the export will be."""
    fits, large = picture(tmp_path, "fits.png", (280, 560)), picture(tmp_path, "large.png")
    folder, _, _ = export(tmp_path, "sharegpt", intent("a", fits, large), template="mire", images="absolute")
    first, second = rows(folder / "train.json")[0]["images"]

    assert first == str(tmp_path / "fits.png")
    assert Path(second).parent == folder / "images"
    assert Path(second).exists()


@pytest.mark.parametrize("form", ["sharegpt", "alpaca", "swift"])
def test_embedded_pictures_are_in_the_rows(tmp_path: Path, form: str) -> None:
    """One file that can be sent to another machine."""
    folder, _, _ = export(tmp_path, form, intent("a", picture(tmp_path, "a.png")), template="mire", images="embed")
    (row,) = rows(folder / "train.parquet")
    (image,) = row["image" if form == "alpaca" else "images"]

    with Pillow.open(io.BytesIO(image["bytes"])) as opened:
        assert opened.size == (504, 1120)
    assert not (folder / "images").exists()


def test_a_picture_in_many_records_is_written_once_and_rows_stay_in_order(tmp_path: Path) -> None:
    """Threads finish as they like; the file must not show it."""
    image = picture(tmp_path, "a.png")
    records = [intent(f"{number:03}", image) for number in range(60)]
    folder, _, _ = export(tmp_path, "sharegpt", *records, template="mire")

    assert [row["id"] for row in rows(folder / "train.json")] == [record.uid for record in records]
    assert len(list((folder / "images").iterdir())) == 1


def test_a_template_that_breaks_a_rule_loses_its_rows_with_a_reason(tmp_path: Path) -> None:
    """A template of one's own can break a rule that no record breaks."""
    template = tmp_path / "own.yaml"
    template.write_text('name: own\ntasks:\n  "*":\n    system: "see <image>"\n    user: "{{ dialogue }}"\n', "utf-8")
    with pytest.raises(RunFailed, match="every record was left out"):
        export(tmp_path, "sharegpt", intent("a", picture(tmp_path, "a.png")), template=str(template))


def test_a_broken_export_does_not_look_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last look at the files must see what a bug in a format did to them."""
    monkeypatch.setattr("curate.export.sharegpt.ROLES", {"user": "human", "assistant": "assistant"})
    with pytest.raises(RunFailed, match=r"breaks 1 rules of llamafactory; first: curate_train row 0 \(a\): roles"):
        export(tmp_path, "sharegpt", intent("a", picture(tmp_path, "a.png")), template="mire")


def read(image: Image, *lines: tuple[str, float, tuple[float, float, float, float]]) -> Image:
    """The picture with lines of text: text, score, and box."""
    found = tuple(Line(text, score, (x1, y1, x2, y1, x2, y2, x1, y2)) for text, score, (x1, y1, x2, y2) in lines)
    return Image(image.path, image.sha256, image.width, image.height, "PNG", Ocr("fake", "", found))


BOXES: Mapping[str, tuple[tuple[int, int], tuple[float, float, float, float], str, str]] = {
    "inside": ((1080, 2400), (54, 120, 540, 180), "(50,50),(500,75)", "(0.050,0.050),(0.500,0.075)"),
    "fractions": ((1500, 1800), (331.5, 761.4, 853.5, 1594.8), "(221,423),(569,886)", "(0.221,0.423),(0.569,0.886)"),
    "whole": ((1080, 2400), (0, 0, 1080, 2400), "(0,0),(999,999)", "(0.000,0.000),(1.000,1.000)"),
    "half_to_even": ((1000, 1000), (0.5, 0, 1, 1), "(0,0),(1,1)", "(0.001,0.000),(0.001,0.001)"),
}


@pytest.mark.parametrize("name", BOXES)
def test_boxes_are_written_as_the_papers_write_them(tmp_path: Path, name: str) -> None:
    """A thousandth too far, and the box points beside the word."""
    size, box, thousandths, shares = BOXES[name]
    image = read(picture(tmp_path, "a.png", size), ("已签收", 0.99, box))
    texts = {}
    for form in ("qwen2vl", "chatspot"):
        folder, _, _ = export(tmp_path, "regions", intent("a", image), form=form)
        asked, found = rows(folder / "train.json")
        texts[form] = found["conversations"][1]["value"]
        assert texts[form] in asked["conversations"][0]["value"]
        assert asked["conversations"][1]["value"] == "已签收"
        assert "已签收" in found["conversations"][0]["value"]
    assert texts["qwen2vl"] == f"<|box_start|>{thousandths}<|box_end|>"
    assert texts["chatspot"] == f"<box>{shares}</box>"


def test_boxes_of_swift_follow_the_picture(tmp_path: Path) -> None:
    """ms-swift divides by the size of the file that it opens, which is not the original's."""
    image = read(picture(tmp_path, "a.png", (1080, 2400)), ("已签收", 0.99, (54, 120, 540, 180)))
    folder, _, _ = export(tmp_path, "regions", intent("a", image), form="swift")
    asked, found = rows(folder / "train.json")
    with Pillow.open(folder / asked["images"][0]) as written:
        wide, high = written.size
    (box,) = asked["objects"]["bbox"]

    assert [round(box[0] / wide * 1000), round(box[1] / high * 1000)] == [50, 50]
    assert [round(box[2] / wide * 1000), round(box[3] / high * 1000)] == [500, 75]
    assert asked["objects"]["ref"] == []
    assert found["objects"]["ref"] == ["已签收"]
    assert found["messages"][1]["content"] == "<bbox>"


def test_regions_leave_out_what_is_not_sure_or_not_unique(tmp_path: Path) -> None:
    """A question with two right answers, or one that OCR guessed, teaches the wrong thing."""
    unsure = read(picture(tmp_path, "a.png"), ("模糊", 0.3, (10, 10, 50, 30)))
    twice = read(
        picture(tmp_path, "b.png", colour="blue"), ("确定", 0.9, (10, 10, 50, 30)), ("确定", 0.9, (10, 60, 50, 80))
    )
    records = [intent("unsure", unsure), intent("twice", twice), intent("unread", picture(tmp_path, "c.png"))]
    folder, left, facts = export(tmp_path, "regions", *records)

    assert left == {"unsure": "no_regions", "unread": "not_read"}
    assert [row["id"] for row in rows(folder / "train.json")] == ["twice#0-0-read", "twice#0-1-read"]
    assert facts["rows"] == {"train": 1}


def test_finished_exports_are_valid_by_every_rule_that_applies(tmp_path: Path) -> None:
    """The same folder is checked again by whoever gets it."""
    records = [intent(str(number), picture(tmp_path, f"{number}.png", (300 + number, 900))) for number in range(4)]
    consumers = {"sharegpt": "llamafactory", "alpaca": "llamafactory", "swift": "swift", "trl": "trl", "openai": "vllm"}
    for form, consumer in consumers.items():
        folder, left, _ = export(tmp_path, form, *records, template="mire")
        report = examine(folder, consumer, Settings())
        assert (left, report.findings) == ({}, [])
        assert all(file.verdict == "accepts" for file in report.files)
