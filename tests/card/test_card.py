"""Cards of real files: acceptance tests 3, 5 and 9 of the specification (4 is in tests/conformance), and what a check says."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from card_support import write_dataset
from PIL import Image as PillowImage
from tokenizers import Regex, Tokenizer, models, pre_tokenizers

from curate import records
from curate.card.answers import answer
from curate.card.blocks import blocks
from curate.card.card import update
from curate.card.check import check
from curate.card.compare import differences
from curate.card.croissant import required
from curate.card.facts import Facts
from curate.card.hub_folder import write_hub_folder
from curate.card.layout import CardError, parse
from curate.card.listing import cards
from curate.card.markdown import count, number, share, size
from curate.card.measure import measure
from curate.card.place import Place, place_of, read_facts
from curate.dataset.dataset import Dataset
from curate.errors import UsageError
from curate.records import Image, Record, Turn

PLANTED = ["13812345678", "11010519491231002", "zhang.san@example", "6222021234567890128", "中山路100号"]


def make(dataset: Path, folder: Path, **options: Any) -> Place:
    data = Dataset.open(dataset)
    place = place_of(data, folder)
    update(data, "shop", place, **options)
    return place


def errors(place: Place, dataset: Path | None, purpose: str = "internal") -> list[str]:
    data = Dataset.open(dataset) if dataset else None
    return [finding.place for finding in check(place, data, purpose) if finding.level == "error"]


def answer_all(place: Place) -> None:
    """Answer every question, and give the licence."""
    text = place.card.read_text("utf-8")
    for question in parse(text, "").questions:
        words = {"published": "2026-11-26", "version": "1.0.0", "url": "https://example.org/shop"}
        text = answer(text, place.card.name, question.id, words.get(question.id, f"Answer to {question.id}."))
    place.card.write_text(text.replace("---\n", "---\nlicense: cc-by-4.0\n", 1), "utf-8")


def test_3_one_changed_byte_makes_the_card_stale(dataset: Path, tmp_path: Path) -> None:
    """Acceptance 3. A card beside other data than it describes is worse than none."""
    place = make(dataset, tmp_path / "cards")
    assert "fingerprint" not in errors(place, dataset)
    file = dataset / "part-1.parquet"
    content = bytearray(file.read_bytes())
    content[len(content) // 3] ^= 1
    file.write_bytes(bytes(content))

    assert "fingerprint" in errors(place, dataset)


def test_5_no_file_of_a_card_shows_personal_data(dataset: Path, tmp_path: Path) -> None:
    """Acceptance 5. Cards are published; what they count must not stand in them."""
    place = make(dataset, tmp_path / "cards")
    facts = read_facts(place)

    assert facts is not None
    assert facts.safety.total >= 12
    assert {"turns", "ocr", "raw", "source_id"} <= set(facts.safety.found)
    for file in (place.card, place.facts, place.croissant):
        text = file.read_text("utf-8")
        assert [secret for secret in PLANTED if secret in text] == []


def _numbers(value: Any) -> set[str]:
    """Every way in which the numbers of some facts may be written."""
    if isinstance(value, dict):
        return set().union(*map(_numbers, value.values()), *map(_numbers, value))
    if isinstance(value, list):
        return set().union({str(len(value))}, *map(_numbers, value))
    if isinstance(value, bool) or value is None:
        return set()
    if isinstance(value, int):
        return set(re.findall(r"[\d.,]*\d", f"{count(value)} {size(value)} {number(value)} {value}"))
    if isinstance(value, float):
        return set(re.findall(r"[\d.,]*\d", f"{share(value)} {number(value)} {value:.4f} {value}"))
    return set(re.findall(r"[\d.,]*\d", str(value)))


def test_9_facts_are_valid_and_every_number_of_the_card_is_in_them(dataset: Path, tmp_path: Path) -> None:
    """Acceptance 9. A number that stands only in prose cannot be checked."""
    place = make(dataset, tmp_path / "cards")
    facts = Facts.model_validate_json(place.facts.read_bytes())
    known = _numbers(facts.model_dump(exclude={"blocks"})) | {"5", "50", "95"}  # the names of the quantiles
    counted = (0, len(parse(place.card.read_text("utf-8"), "").questions))
    told = blocks(facts, counted)
    known |= {str(one) for one in counted} | {facts.licences[0].sha256[:12] if facts.licences else ""}

    for name, text in told.items():
        plain = text.replace("\\", "")
        strange = [one for one in re.findall(r"[\d.,]*\d", plain) if one not in known]
        assert strange == [], name


def test_facts_are_what_was_written(dataset: Path, tmp_path: Path) -> None:
    """Wrong counts in a card are believed."""
    facts = read_facts(make(dataset, tmp_path / "cards"))
    assert facts is not None
    assert (facts.rows, {split.name: split.rows for split in facts.splits}) == (12, {"train": 8, "test": 4})
    assert facts.labels.labelled == 12
    assert {item.label: item.rows for item in facts.labels.labels} == {"物流": 6, "退款": 6}
    assert (facts.images.uses, facts.images.distinct, facts.images.missing, facts.images.modes) == (
        12,
        12,
        0,
        {"RGB": 12},
    )
    assert facts.images.width is not None and (facts.images.width.least, facts.images.width.most) == (40, 51)
    assert (facts.ocr.read, facts.ocr.with_text, facts.ocr.engines) == (12, 12, {"fake/1": 12})
    assert facts.text.roles == {"user": 12, "agent": 12}
    assert facts.text.language == "zh"
    assert (facts.quality.duplicate_rows, facts.quality.leaked_rows) == (0, 0)
    assert facts.lineage.steps == []


def test_twins_in_two_splits_are_counted(dataset: Path, tmp_path: Path) -> None:
    """A row that is in train and in test makes the score a lie."""
    table = pq.read_table(dataset / "part-0.parquet")
    twin = table.to_pylist()[0] | {"uid": "a" * 26, "split": "test"}
    pq.write_table(pa.Table.from_pylist([twin], schema=table.schema), dataset / "part-2.parquet")
    (dataset / "0.png").unlink()
    facts = read_facts(make(dataset, tmp_path / "cards"))

    assert facts is not None
    assert (facts.quality.duplicate_rows, facts.quality.leaked_rows, facts.quality.leaked_pictures) == (1, 2, 1)
    assert facts.images.missing == 1


def test_texts_that_are_nearly_the_same_in_two_splits_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A question with one word more in test than in train is still the same question."""
    text = "我上周买的这台空气炸锅温度一直上不去，换了插座也没有用，请问是坏了吗"
    said = [
        (text, "train"),
        (f"{text}？谢谢", "test"),
        (text, "train"),
        ("另一个完全不同的问题，关于发票抬头怎么修改", "test"),
        ("好的", "test"),
    ]
    rows = [
        Record(records.source_uid("near", number), str(number), "chat", (Turn("user", words),), split=split)
        for number, (words, split) in enumerate(said)
    ]
    pq.write_table(records.to_table(rows), tmp_path / "rows.parquet")
    quality = measure(Dataset.open(tmp_path / "rows.parquet"), "x").quality

    assert (quality.near_rows, quality.near_leaked_rows) == (2, 3)
    monkeypatch.setattr("curate.card.near.MOST_ROWS", 4)
    quality = measure(Dataset.open(tmp_path / "rows.parquet"), "x").quality
    assert (quality.near_rows, quality.near_leaked_rows) == (None, None)


def test_copies_of_a_picture_in_two_splits_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A screenshot that was saved anew has other bytes, and a model knows it by heart all the same."""
    page = PillowImage.radial_gradient("L").crop((20, 60, 250, 200)).resize((600, 400)).convert("RGB")
    page.save(tmp_path / "a.png")
    page.resize((300, 200)).save(tmp_path / "b.jpg", quality=80)
    page.rotate(90, expand=True).save(tmp_path / "c.png")
    rows = []
    for place, (name, split) in enumerate((("a.png", "train"), ("b.jpg", "test"), ("c.png", "test"))):
        digest = hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()
        shown = (Image(name, digest, 1, 1, "PNG", None),)
        turns = (Turn("user", "<image>"),)
        rows.append(Record(records.source_uid("c", place), name, "chat", turns, images=shown, split=split))
    pq.write_table(records.to_table(rows), tmp_path / "rows.parquet")

    def found(pictures: bool) -> tuple[int | None, int | None]:
        quality = measure(Dataset.open(tmp_path / "rows.parquet"), "x", pictures).quality
        return quality.near_pictures, quality.near_leaked_pictures

    assert found(True) == (1, 2)
    assert found(False) == (None, None)
    monkeypatch.setattr("curate.card.near_pictures.MOST_PICTURES", 2)
    assert found(True) == (None, None)


def test_tokens_are_counted_where_a_tokenizer_is_set(dataset: Path, tmp_path: Path) -> None:
    """Whoever trains with a token budget wants to know it from the card."""
    model = Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    model.pre_tokenizer = pre_tokenizers.Split(Regex("(?m:.)"), "isolated")
    (tmp_path / "tiny").mkdir()
    model.save(str(tmp_path / "tiny/tokenizer.json"))
    text = measure(Dataset.open(dataset), "x", tokenizer=tmp_path / "tiny").text

    assert text.tokens == text.characters is not None
    assert text.tokenizer is not None and text.tokenizer.startswith("tiny sha256:")
    assert measure(Dataset.open(dataset), "x").text.tokens is None
    with pytest.raises(UsageError, match="no tokenizer"):
        measure(Dataset.open(dataset), "x", tokenizer=tmp_path / "no")


def test_batches_of_any_size_give_the_same_facts(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Facts that depend on how they were read cannot be checked by anybody else."""
    one = make(dataset, tmp_path / "one").facts.read_bytes()
    monkeypatch.setattr("curate.card.measure._ROWS", 5)

    assert make(dataset, tmp_path / "two").facts.read_bytes() == one


def test_writing_a_card_again_changes_no_byte(dataset: Path, tmp_path: Path) -> None:
    """The second half of acceptance 2, on files."""
    place = make(dataset, tmp_path / "cards")
    answer_all(place)
    make(dataset, tmp_path / "cards")
    before = {file: file.read_bytes() for file in place.folder.iterdir()}
    make(dataset, tmp_path / "cards")

    assert {file: file.read_bytes() for file in place.folder.iterdir()} == before


def test_a_card_that_is_answered_passes_for_every_purpose(dataset: Path, tmp_path: Path) -> None:
    """What is required must be possible to give."""
    place = make(dataset, tmp_path / "cards")
    assert {"license", "creators", "rai.dataUseCases"} <= set(errors(place, dataset))
    answer_all(place)
    make(dataset, tmp_path / "cards")

    for purpose in ("internal", "hub", "neurips"):
        assert errors(place, dataset, purpose) == []
    document = json.loads(place.croissant.read_text("utf-8"))
    assert required(document) == []
    assert document["rai:dataUseCases"] == "Answer to rai.dataUseCases."
    assert document["rai:personalSensitiveInformation"][1] == "Answer to rai.personalSensitiveInformation."
    unknown = [one.message for one in check(place, None, "neurips") if one.place == "croissant"]
    assert [message.partition(" ")[0] for message in unknown] == ["prov:wasDerivedFrom", "prov:wasGeneratedBy"]
    assert "N/A" not in place.croissant.read_text("utf-8")


def test_an_open_question_is_left_out_of_croissant(dataset: Path, tmp_path: Path) -> None:
    """A field that says nothing looks like one that says something."""
    document = json.loads(make(dataset, tmp_path / "cards").croissant.read_text("utf-8"))

    assert "rai:dataBiases" not in document
    assert required(document) == ["description", "license", "url", "creator", "datePublished"]


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("license: CC-BY-4.0", "license"),
        ("license: other", "license"),
        ("language: [no]", "language"),
        ("annotations_creators: [expert]", "annotations_creators"),
        ("size_categories: [1K<n<10K]", "size_categories"),
        ("license: mit\nlicense: mit", "card.md"),
    ],
)
def test_metadata_that_the_hub_refuses_is_an_error(line: str, place: str, dataset: Path, tmp_path: Path) -> None:
    """The Hub's own check needs the network, and says it after the push."""
    card = make(dataset, tmp_path / "cards")
    text = card.card.read_text("utf-8")
    text = text.replace("size_categories:\n- n<1K\n", "") if "size" in line else text.replace("language:\n- zh\n", "")
    card.card.write_text(text.replace("---\n", f"---\n{line}\n", 1), "utf-8")

    assert place.replace("card.md", card.card.name) in errors(card, dataset)


def test_a_block_edited_by_hand_fails_the_check(dataset: Path, tmp_path: Path) -> None:
    """A measured number that a person typed is not measured."""
    place = make(dataset, tmp_path / "cards")
    place.card.write_text(place.card.read_text("utf-8").replace("12 rows in", "12,000 rows in"), "utf-8")

    assert "block numbers" in errors(place, dataset)
    with pytest.raises(CardError, match="edited by hand"):
        make(dataset, tmp_path / "cards")
    make(dataset, tmp_path / "cards", edits="overwrite")
    assert "block numbers" not in errors(place, dataset)


def test_two_cards_are_compared_fact_by_fact(dataset: Path, tmp_path: Path) -> None:
    """Which numbers moved between two releases is the first question."""
    old = read_facts(make(dataset, tmp_path / "old"))
    (dataset / "part-1.parquet").unlink()
    new = read_facts(make(dataset, tmp_path / "new"))

    assert old is not None and new is not None
    found = {one.fact: (one.before, one.after) for one in differences(old, new)}
    assert found["rows"] == (12, 6)
    assert found["splits[test].rows"] == (4, 2)
    assert found["labels.labels[dialogue_intent/物流].rows"] == (6, None)
    assert differences(old, old) == []


def test_a_list_of_cards_tells_which_are_stale(dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten cards, and one of them lies."""
    monkeypatch.chdir(tmp_path)
    place = make(dataset, tmp_path / "cards")
    shutil.copy(place.card, place.folder / "alone.md")
    (place.folder / "_template.md").write_text("# x")
    states = {one["card"]: one["state"] for one in cards(place.folder)}
    assert states == {"alone": "reported", "shop": "current"}
    (dataset / "part-1.parquet").unlink()
    assert {one["card"]: one["state"] for one in cards(place.folder)}["shop"] == "stale"


def test_labels_that_no_registry_declares_are_shown_only_where_many_rows_have_them(tmp_path: Path) -> None:
    """A free-text label of one row may be somebody's name."""
    facts = read_facts(make(write_dataset(tmp_path / "few", rows=8), tmp_path / "cards"))

    assert facts is not None
    assert (facts.labels.labels, facts.labels.rare_labels, facts.labels.rare_rows) == ([], 2, 8)


def test_a_folder_for_the_hub_opens_with_datasets_and_passes_its_check(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The head of a card names files; whoever loads them finds out whether they are there."""
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    import datasets

    place = make(dataset, tmp_path / "cards")
    answer_all(place)
    make(dataset, tmp_path / "cards")
    assert write_hub_folder(Dataset.open(dataset), place, tmp_path / "hub") == {}
    loaded = datasets.load_dataset(str(tmp_path / "hub"))

    assert {split: rows.num_rows for split, rows in loaded.items()} == {"train": 8, "test": 4}
    assert "raw" not in loaded["train"].column_names
    assert (tmp_path / "hub" / loaded["train"][0]["images"][0]["path"]).is_file()
    assert [one for one in check(place, Dataset.open(dataset), "hub", tmp_path / "hub") if one.level == "error"] == []
    (tmp_path / "hub" / "data" / "test-00000-of-00001.parquet").unlink()
    assert "configs" in [one.place for one in check(place, None, "hub", tmp_path / "hub")]
