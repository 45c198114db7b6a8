"""Copies with changed pictures: text is still there, never mirrored, files by content, the record follows."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from augment_support import context, page, perform, screen

from curate.augment import geometry, image
from curate.augment.image import AugmentImageOptions, AugmentImageStage
from curate.augment.pipelines import PIPELINES, Pipeline
from curate.dataset.decode import decode
from curate.dataset.pictures import MADE
from curate.errors import UsageError
from curate.ocr.fake import FakeEngine
from curate.pipeline.outcome import Outcome
from curate.records import Record, from_table


def augment(folder: Path, rows: list[Record], seed: int = 0, **options: object) -> Outcome:
    stage = AugmentImageStage(AugmentImageOptions(**options), context(folder, folder / "made", seed))  # type: ignore[arg-type]
    return perform(stage, rows)


def copies(outcome: Outcome) -> list[Record]:
    return [record for record in from_table(outcome.rows) if record.parent is not None]


@pytest.fixture
def pages(tmp_path: Path) -> list[Record]:
    """Three pages with text."""
    return [page(number, screen(tmp_path, f"{number}.jpg", number)) for number in range(3)]


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_every_pipeline_writes_copies_that_hold_their_text(tmp_path: Path, pages: list[Record], pipeline: str) -> None:
    """The main job: more pictures, each with its label and its text."""
    outcome = augment(tmp_path, pages, pipeline=pipeline, per_record=3)
    made = copies(outcome)
    assert len(made) == 9
    for copy in made:
        parent = next(record for record in pages if record.uid == copy.parent)
        old, new = parent.images[0], copy.images[0]
        assert old.ocr and new.ocr
        assert len(new.ocr.text.replace("\n", "")) >= 0.97 * len(old.ocr.text.replace("\n", ""))
        assert (copy.label, copy.split, copy.source_id) == (parent.label, parent.split, parent.source_id)


def test_a_file_is_named_by_its_content(tmp_path: Path, pages: list[Record]) -> None:
    """Equal pictures are one file, and a damaged one is noticed by its name."""
    for copy in copies(augment(tmp_path, pages)):
        new = copy.images[0]
        file = tmp_path / "made" / new.path.removeprefix(MADE)
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        assert (new.sha256, new.path) == (digest, f"{MADE}{digest[:2]}/{digest}.jpg")
        assert decode(file.read_bytes()).shape[:2] == (new.height, new.width)


@pytest.mark.parametrize(("name", "start"), [("jpeg", b"\xff\xd8"), ("png", b"\x89PNG"), ("webp", b"RIFF")])
def test_formats(tmp_path: Path, pages: list[Record], name: str, start: bytes) -> None:
    """A recipe that says webp gets webp, and the record says so."""
    (copy,) = copies(augment(tmp_path, pages[:1], format=name))
    assert (tmp_path / "made" / copy.images[0].path.removeprefix(MADE)).read_bytes().startswith(start)
    assert copy.images[0].format == name.upper()


def flipped(copy: Record, ledger: list[dict[str, object]]) -> bool:
    return "HorizontalFlip" in next(str(entry["detail"]) for entry in ledger if entry["uid"] == copy.uid)


def test_no_picture_with_text_is_mirrored(tmp_path: Path, pages: list[Record]) -> None:
    """A mirrored page reads as 8 % of its characters; EcomMIR's flip must not be taken literally."""
    outcome = augment(tmp_path, pages, pipeline="ecommir", per_record=10)
    assert len(copies(outcome)) == 30
    assert not any(flipped(copy, outcome.ledger.to_pylist()) for copy in copies(outcome))


def test_a_picture_that_was_not_read_is_not_mirrored_either(tmp_path: Path, pages: list[Record]) -> None:
    """Whether there is text in it nobody knows."""
    unread = [replace(record, images=(replace(record.images[0], ocr=None),)) for record in pages]
    outcome = augment(tmp_path, unread, pipeline="ecommir", per_record=10)
    assert not any(flipped(copy, outcome.ledger.to_pylist()) for copy in copies(outcome))


def test_pictures_without_text_are_mirrored_and_others_where_the_recipe_says_so(
    tmp_path: Path, pages: list[Record]
) -> None:
    """A shoe may be mirrored; and whoever wants what the paper did can have it."""
    assert pages[0].images[0].ocr
    empty = replace(pages[0].images[0].ocr, lines=(), text="")
    shoe = [replace(pages[0], images=(replace(pages[0].images[0], ocr=empty),))]
    for rows, options in ((shoe, {}), (pages[:1], {"allow_mirrored_text": True, "verify": "geometry"})):
        outcome = augment(tmp_path, rows, pipeline="ecommir", per_record=10, **options)
        assert any(flipped(copy, outcome.ledger.to_pylist()) for copy in copies(outcome))


def write(folder: Path, *operations: dict[str, object]) -> Path:
    """A composition of one's own, as `albumentations.save` writes it."""
    path = folder / "mine.json"
    inner = [{"__class_fullname__": name, "p": 1.0, **values} for one in operations for name, values in one.items()]
    compose = {
        "__class_fullname__": "Compose",
        "p": 1.0,
        "transforms": inner,
        "bbox_params": None,
        "keypoint_params": None,
    }
    path.write_text(
        json.dumps(
            {"__version__": "2.0.8", "transform": {**compose, "additional_targets": {}, "is_check_shapes": True}}
        )
    )
    return path


def test_what_only_mirrors_is_skipped_and_coded(tmp_path: Path, pages: list[Record]) -> None:
    """A row without its copy must say why."""
    outcome = augment(tmp_path, pages, pipeline="custom", compose=write(tmp_path, {"HorizontalFlip": {}}), tries=2)
    assert copies(outcome) == []
    assert [(entry["action"], entry["code"], entry["value"]) for entry in outcome.ledger.to_pylist()] == [
        ("noted", "augment_mirrored", 2.0)
    ] * 3


def test_darkness_has_a_floor(tmp_path: Path, pages: list[Record]) -> None:
    """Writing that sinks into its ground is gone."""
    dark = {"RandomBrightnessContrast": {"brightness_limit": [-0.7, -0.7], "contrast_limit": [-0.7, -0.7]}}
    outcome = augment(tmp_path, pages[:1], pipeline="custom", compose=write(tmp_path, dark))
    assert [entry["code"] for entry in outcome.ledger.to_pylist()] == ["augment_too_dark"]


def test_a_composition_that_is_none_is_told(tmp_path: Path) -> None:
    """The file, the reason and how to write one."""
    path = tmp_path / "mine.json"
    path.write_text("{}")
    options = AugmentImageOptions(pipeline="custom", compose=path)
    with pytest.raises(UsageError, match=r"mine\.json holds no composition .* albumentations.save"):
        AugmentImageStage(options, context(tmp_path)).environment()


def test_an_operation_that_leaves_the_corners_behind_needs_reading(tmp_path: Path) -> None:
    """Geometry proves nothing where the corners do not travel."""
    path = write(tmp_path, {"OverlayElements": {}})
    with pytest.raises(UsageError, match=r"OverlayElements cannot take .* verify: ocr"):
        AugmentImageStage(AugmentImageOptions(pipeline="custom", compose=path), context(tmp_path)).environment()


class Reader:
    """Reads what the picture's brightest half says: everything, unless it was mirrored or darkened."""

    signature = "reader"

    def __init__(self, engine: FakeEngine, lost: bool) -> None:
        self.engine, self.lost, self.reads = engine, lost, 0

    def read(self, data: bytes, picture: np.ndarray) -> list[object]:  # type: ignore[type-arg]
        self.reads += 1
        lines = self.engine.read([picture])[0]
        return [] if self.lost and self.reads > 1 else [replace(line, text="abc") for line in lines]


@pytest.mark.parametrize("lost", [False, True])
def test_with_ocr_every_picture_is_read_again(
    tmp_path: Path, pages: list[Record], monkeypatch: pytest.MonkeyPatch, lost: bool
) -> None:
    """The dear proof: what is read in the new picture is what its record says, or it is not written."""
    reader = Reader(FakeEngine(), lost)
    monkeypatch.setattr(image.registry, "load", lambda name: lambda context, engine: reader)
    unread = [replace(pages[0], images=(replace(pages[0].images[0], ocr=None),))]
    outcome = augment(tmp_path, unread, verify="ocr", tries=3)
    if lost:
        assert [entry["code"] for entry in outcome.ledger.to_pylist()] == ["augment_characters_lost"]
    else:
        (copy,) = copies(outcome)
        assert copy.images[0].ocr and copy.images[0].ocr.text == "abc"


@pytest.mark.parametrize(("characters", "read"), [(3, 1), (70, 0)])
def test_a_picture_of_few_characters_is_read_again(
    tmp_path: Path, pages: list[Record], monkeypatch: pytest.MonkeyPatch, characters: int, read: int
) -> None:
    """A logo of three characters is lost with one of them, and geometry does not see that noise ate it."""
    reader = Reader(FakeEngine(), lost=False)
    monkeypatch.setattr(image.registry, "load", lambda name: lambda context, engine: reader)
    page = pages[0].images[0]
    assert page.ocr
    line = replace(page.ocr.lines[3], text="abc" if characters == 3 else "字" * characters)
    rows = [replace(pages[0], images=(replace(page, ocr=replace(page.ocr, lines=(line,))),))]
    made = copies(augment(tmp_path, rows))
    assert len(made) == 1
    assert reader.reads == read


def test_an_original_is_decoded_once_for_all_its_copies(
    tmp_path: Path, pages: list[Record], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Decoding costs as much as most operations."""
    decoded = []
    monkeypatch.setattr(image, "decode", lambda data, most: decoded.append(1) or decode(data, most))
    augment(tmp_path, pages, per_record=5)
    assert len(decoded) == 3


def test_a_broken_picture_costs_one_row(tmp_path: Path, pages: list[Record]) -> None:
    """The others get their copies."""
    (tmp_path / "1.jpg").write_bytes(b"\xff\xd8 broken")
    outcome = augment(tmp_path, pages)
    assert (outcome.counts.failed, outcome.counts.added) == (1, 2)


def test_the_same_seed_draws_the_same_whatever_was_drawn_before(tmp_path: Path) -> None:
    """Same bytes with one worker and with four, before and after a kill."""
    screen(tmp_path, "a.jpg")
    picture = decode((tmp_path / "a.jpg").read_bytes())
    quads = geometry.probe(*picture.shape[:2])
    for name in PIPELINES:
        one, other = Pipeline.named(name), Pipeline.named(name)
        other.draw(picture, quads, 1)
        other.draw(picture, quads, 2)
        for seed in range(4):
            left, right = one.draw(picture, quads, seed), other.draw(picture, quads, seed)
            assert left[2] == right[2]
            assert np.array_equal(left[0], right[0])


def test_operations_are_drawn_independently(tmp_path: Path) -> None:
    """One seed for all would do all of them or none: half of the copies unchanged, the others changed all over."""
    screen(tmp_path, "a.jpg", size=(120, 160))
    picture = decode((tmp_path / "a.jpg").read_bytes())
    pipeline = Pipeline.named("ecommir")
    numbers = [
        len([part for part in pipeline.draw(picture, geometry.probe(160, 120), seed * 7919)[2].split("; ") if part])
        for seed in range(60)
    ]
    assert len(set(numbers)) >= 4


def test_an_operation_that_breaks_down_costs_its_copy(tmp_path: Path, pages: list[Record]) -> None:
    """A crop larger than one small picture must not end the run."""
    crop = write(tmp_path, {"RandomCrop": {"height": 5000, "width": 5000}})
    outcome = augment(tmp_path, pages[:1], pipeline="custom", compose=crop)
    assert [(entry["code"], entry["detail"]) for entry in outcome.ledger.to_pylist()] == [
        ("augment_failed", "CropSizeError")
    ]


def test_options_that_would_be_ignored_are_refused() -> None:
    """An option without effect is a lie."""
    for options in (
        {"compose": "x.json"},
        {"pipeline": "custom"},
        {"verify": "ocr", "allow_mirrored_text": True},
        {"allow_mirrored_text": True},
    ):
        with pytest.raises(ValueError, match="goes with"):
            AugmentImageOptions(**options)  # type: ignore[arg-type]
