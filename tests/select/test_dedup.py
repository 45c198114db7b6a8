"""Duplicates: found however they were saved, told with their twin, and never more than duplicates."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from augment_support import context, perform, screen
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from curate.dataset.near_picture import PictureIndex, perceptual_hash, picture_key, same_picture
from curate.dataset.near_text import TextIndex, bands, normal, pack, similarity, sketch, unpack
from curate.dataset.pictures import PictureStore
from curate.pipeline.outcome import Outcome
from curate.records import Image, Record, Turn, from_table
from curate.select.dedup import DedupOptions, DedupStage

LONG = "请问这款保温杯的内胆是什么不锈钢做的能不能装碳酸饮料用久了会不会有味道"


def said(number: int, text: str, **changes: object) -> Record:
    values = {"label": "a", "raw": "{}", **changes}
    return Record(f"u{number:03d}", str(number), "chat", (Turn("user", text),), **values)  # type: ignore[arg-type]


def shown(number: int, image: Image, text: str = "<image>", **changes: object) -> Record:
    values = {"label": "a", "raw": "{}", **changes}
    return Record(f"u{number:03d}", str(number), "scene", (Turn("user", text),), (image,), **values)  # type: ignore[arg-type]


def dedup(rows: list[Record], root: Path | None = None, shard: int = 100, **options: object) -> Outcome:
    return perform(DedupStage(DedupOptions(**options), context(root)), rows, shard)  # type: ignore[arg-type]


def kept(outcome: Outcome) -> list[str]:
    return [record.uid for record in from_table(outcome.rows)]


def told(outcome: Outcome) -> dict[str, tuple[str, str, str]]:
    return {e["uid"]: (e["action"], e["code"], e["related_uid"]) for e in outcome.ledger.to_pylist()}


def again(folder: Path, image: Image, name: str, scale: float = 1.0, quality: int = 60) -> Image:
    """The same picture, encoded and scaled anew; what was read in it stays."""
    with Pillow.open(folder / image.path) as picture:
        size = (round(picture.width * scale), round(picture.height * scale))
        picture.resize(size).save(folder / name, quality=quality)
    return Image(name, None, *size, "JPEG", image.ocr)


def test_the_same_text_and_picture_is_a_duplicate() -> None:
    """Blanks, case and punctuation make no new sample."""
    outcome = dedup([said(0, "怎么用？"), said(1, " 怎么 用"), said(2, "怎么用", label=None), said(3, "怎么洗")])
    assert kept(outcome) == ["u000", "u003"]
    assert told(outcome)["u001"] == ("dropped", "duplicate", "u000")


def test_nearly_the_same_text_is_a_near_duplicate() -> None:
    """A talk in which one word was corrected counts twice in training."""
    outcome = dedup([said(0, LONG), said(1, LONG.replace("会不会", "会不会总")), said(2, LONG[:18])])
    assert kept(outcome) == ["u001", "u002"]  # the longer one stays
    assert told(outcome)["u000"] == ("dropped", "near_duplicate", "u001")
    assert kept(dedup([said(0, LONG), said(1, LONG + "呢呢")], text="exact")) == ["u000", "u001"]


def test_a_record_with_a_label_stays_before_a_longer_one() -> None:
    """Losing the label to keep two more words would be a bad bargain."""
    assert kept(dedup([said(0, LONG + "呢", label=None), said(1, LONG)])) == ["u001"]


def test_the_same_question_about_another_picture_is_no_duplicate(tmp_path: Path) -> None:
    """这是什么材质 is asked of a thousand goods."""
    rows = [shown(n, screen(tmp_path, f"{n}.jpg", n), "<image>这是什么材质做的呢请告诉我") for n in range(3)]
    assert kept(dedup(rows, tmp_path)) == ["u000", "u001", "u002"]
    assert kept(dedup(rows, tmp_path, picture="off")) == ["u000"]


@pytest.mark.parametrize(("scale", "quality"), [(1.0, 40), (0.5, 85), (0.7, 60)])
def test_a_picture_that_was_saved_again_is_found(tmp_path: Path, scale: float, quality: int) -> None:
    """Messengers re-encode and shrink what is sent through them."""
    pages = [screen(tmp_path, f"{n}.jpg", n) for n in range(6)]
    rows = [shown(n, image) for n, image in enumerate(pages)] + [
        shown(9, again(tmp_path, pages[2], "copy.jpg", scale, quality))
    ]
    outcome = dedup(rows, tmp_path)
    assert told(outcome) == {"u009": ("dropped", "near_duplicate", "u002")}
    assert kept(dedup(rows, tmp_path, picture="exact")) == [row.uid for row in rows]


def test_pictures_that_look_alike_but_say_something_else_stay(tmp_path: Path) -> None:
    """Two order pages of one shop differ in nothing but their text."""
    from dataclasses import replace

    image = screen(tmp_path, "a.jpg")
    assert image.ocr
    other = replace(again(tmp_path, image, "b.jpg"), ocr=replace(image.ocr, text="完全是另外一个订单的内容和收货人"))
    assert kept(dedup([shown(0, image), shown(1, other)], tmp_path)) == ["u000", "u001"]


def test_blank_pictures_are_not_all_the_same(tmp_path: Path) -> None:
    """A white and a black picture have the same hash: none."""
    for name, value in (("w.png", 255), ("b.png", 0)):
        Pillow.fromarray(np.full((50, 50, 3), value, np.uint8)).save(tmp_path / name)
    rows = [shown(0, Image("w.png")), shown(1, Image("b.png")), shown(2, Image("missing.png"))]
    assert kept(dedup(rows, tmp_path)) == ["u000", "u001", "u002"]


@pytest.mark.parametrize(("conflicts", "stay"), [("drop", ["u000"]), ("keep", ["u000", "u001"]), ("drop_all", [])])
def test_duplicates_with_different_labels_are_reported(conflicts: str, stay: list[str]) -> None:
    """One of the two labels is wrong, and somebody must look."""
    outcome = dedup([said(0, LONG, label="a"), said(1, LONG, label="b")], conflicts=conflicts)
    assert kept(outcome) == stay
    assert {uid: (code, twin) for uid, (_, code, twin) in told(outcome).items()} == {
        "u000": ("labels_conflict", "u001"),
        "u001": ("duplicate_other_label", "u000"),
    }


def test_copies_and_other_tasks_are_left_alone() -> None:
    """A copy is near its parent on purpose, and a picture may well serve two tasks."""
    from dataclasses import replace

    rows = [said(0, LONG), said(1, LONG, parent="u000"), replace(said(2, LONG), task="other")]
    assert kept(dedup(rows)) == ["u000", "u001", "u002"]


def test_a_chain_of_small_steps_does_not_join_its_ends() -> None:
    """a is near b, b near c; if a stays, c is compared with a, not with b that went."""
    steps = [LONG]
    for place in (2, 12, 22, 30):
        steps.append(steps[-1][:place] + "改" + steps[-1][place + 1 :])
    outcome = dedup([said(n, text) for n, text in enumerate(steps)])
    assert len(kept(outcome)) >= 2


def test_pages_of_one_layout_are_told_apart_without_reading() -> None:
    """Pages of one app look alike; only the one that was sent twice is a copy."""
    store = PictureStore(Path(__file__).parents[2] / "pipelines" / "demo" / "images", Path())
    names = sorted(path.name for path in store.root.glob("*.*")) if store.root else []
    keys = [key for name in names if (key := picture_key(Image(name), store)).perceptual is not None]
    near = [(b.sha256, a.sha256) for n, a in enumerate(keys) for b in keys[:n] if same_picture(a, b, 8)]
    assert len(keys) > 35
    assert near == [("ef01e4f6889194e6dbb8aca4257e0e-0.jpg", "ef01e4f6889194e6dbb8aca4257e0e-1.jpg")]  # sent twice


texts = st.text(st.sampled_from("一二三四五六七八九十甲乙丙丁"), min_size=3, max_size=60)


@settings(max_examples=150, deadline=None)
@given(texts, texts)
def test_similarity_is_the_jaccard_of_the_grams(one: str, other: str) -> None:
    """The threshold must mean what its name says."""
    grams = [{text[n : n + 3] for n in range(len(text) - 2)} for text in (one, other)]
    expected = len(grams[0] & grams[1]) / len(grams[0] | grams[1])
    found = similarity(unpack(pack(sketch(one))), unpack(pack(sketch(other))))
    assert found == pytest.approx(expected)


def test_long_texts_are_estimated_closely() -> None:
    """A sketch holds 256 grams; texts of thousands of characters must still be told apart."""
    draw = np.random.Generator(np.random.PCG64(3))
    text = "".join(chr(0x4E00 + n) for n in draw.integers(0, 3000, 5000))
    other = text[:4500] + "".join(chr(0x4E00 + n) for n in draw.integers(0, 3000, 500))
    assert abs(similarity(unpack(pack(sketch(text))), unpack(pack(sketch(other)))) - 4498 / 5498) < 0.08


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**64 - 1), st.sets(st.integers(0, 63), max_size=8))
def test_every_hash_within_the_radius_is_found(one: int, flipped: set[int]) -> None:
    """The index must not lose a copy that comparing everything would find."""
    other = one
    for bit in flipped:
        other ^= 1 << bit
    index = PictureIndex(8)
    index.add(5, one)
    assert index.candidates(other) == [5]


def test_near_texts_meet_in_the_index() -> None:
    """At .85 of similarity hardly one pair in ten thousand is missed."""
    draw = np.random.Generator(np.random.PCG64(1))
    missed = 0
    for _ in range(300):
        text = "".join(chr(0x4E00 + n) for n in draw.integers(0, 3000, 120))
        other = text[:110] + "改" * 3 + text[113:]
        index = TextIndex(0.8)
        index.add(0, bands(sketch(text)).tolist(), sketch(text))
        grams = sketch(other)
        assert similarity(sketch(text), grams) > 0.8
        missed += not list(index.near(bands(grams).tolist(), grams))
    assert missed == 0


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 12))
def test_shards_do_not_matter(shard: int) -> None:
    """The same records stay, however the dataset is cut."""
    rows = [said(n, LONG[: 20 + n % 5]) for n in range(12)]
    assert kept(dedup(rows, shard=shard)) == kept(dedup(rows))


def test_normal_text_keeps_letters_han_and_digits() -> None:
    """Full-width and half-width forms are the same character to a reader."""
    assert normal(" ＡＢc，１２ 三！😀") == "abc12三"


def test_a_hash_does_not_depend_on_the_format() -> None:
    """PNG and JPEG of one page are one page."""
    draw = np.random.Generator(np.random.PCG64(4))
    small = draw.integers(0, 255, (12, 6, 3), dtype=np.uint8)
    page = Pillow.fromarray(small).resize((600, 1200), Pillow.Resampling.BICUBIC)
    hashes = []
    for name in ("PNG", "JPEG", "WEBP"):
        stream = io.BytesIO()
        page.save(stream, name)
        hashes.append(perceptual_hash(stream.getvalue()))
    first = hashes[0]
    assert first
    assert all(one and bin(one[0] ^ first[0]).count("1") <= 4 for one in hashes)
