"""Nothing leaks: an independent look at splits of data with planted duplicates."""

from __future__ import annotations

import hashlib
import itertools
import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from augment_support import context, perform
from PIL import Image as Pillow

from curate.records import Image, Record, Turn, from_table
from curate.select.split import SplitOptions, SplitStage

SHARES = {"train": 0.8, "val": 0.1, "test": 0.1}
WORDS = "这个杯子的盖子漏水怎么办请问能不能换新快递几天到颜色和图片不一样尺码偏大适合冬天用吗充电多久充满"


def photo(folder: Path, number: int) -> Image:
    """A picture like no other: coarse colours, scaled up."""
    draw = np.random.Generator(np.random.PCG64(number))
    small = draw.integers(0, 255, (10, 7, 3), dtype=np.uint8)
    Pillow.fromarray(small).resize((210, 300), Pillow.Resampling.BICUBIC).save(folder / f"{number}.jpg", quality=92)
    digest = hashlib.sha256((folder / f"{number}.jpg").read_bytes()).hexdigest()
    return Image(f"{number}.jpg", digest, 210, 300, "JPEG")


def saved_again(folder: Path, image: Image, name: str, scale: float, quality: int) -> Image:
    with Pillow.open(folder / image.path) as picture:
        size = (round(picture.width * scale), round(picture.height * scale))
        picture.resize(size).save(folder / name, quality=quality)
    return Image(name, hashlib.sha256((folder / name).read_bytes()).hexdigest(), *size, "JPEG")


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Record], list[tuple[str, str]], Path]:
    """Four hundred records of eight labels, with 240 planted relatives; the pairs that must not be parted."""
    folder = tmp_path_factory.mktemp("planted")
    draw = random.Random(5)
    rows: list[Record] = []
    for number in range(400):
        text = "".join(draw.choices(WORDS, k=draw.randrange(15, 40)))
        image = (photo(folder, number),) if number % 2 else ()
        turns = (Turn("user", ("<image>" if image else "") + text),)
        rows.append(Record(f"r{number:04d}", str(number), "chat", turns, image, label=f"label{number % 8}", raw="{}"))
    pairs: list[tuple[str, str]] = []
    pictured = [row for row in rows if row.images]

    def plant(kind: str, of: Record, **changes: object) -> None:
        twin = replace(of, uid=f"{kind}{of.uid}", source_id=f"{kind}{of.uid}", **changes)  # type: ignore[arg-type]
        other = "".join(draw.choices(WORDS, k=30))
        if kind in ("encoded", "resized", "file"):
            twin = replace(twin, turns=(Turn("user", f"<image>{other}"),))
        rows.append(twin)
        pairs.append((of.uid, twin.uid))

    for n, of in enumerate(draw.sample(pictured, 120)):
        kind, scale, quality = (("encoded", 1.0, 45), ("resized", 0.5, 85), ("file", 1.0, 0))[n % 3]
        image = of.images[0] if kind == "file" else saved_again(folder, of.images[0], f"{kind}{n}.jpg", scale, quality)
        plant(kind, of, images=(image,))
    plain = [row for row in rows if not row.images]
    for n, of in enumerate(draw.sample(plain, 120)):
        text = of.turns[0].text
        if n % 3 == 0:
            plant("dialogue", of, turns=(Turn("user", f" {text}！"),))
        elif n % 3 == 1 and len(text) > 30:
            plant("near", of, turns=(Turn("user", text + "呢"),))
        else:
            plant("derived", of, parent=of.uid, turns=(Turn("user", "".join(draw.choices(WORDS, k=30))),))
    draw.shuffle(rows)
    return rows, pairs, folder


def split(rows: list[Record], folder: Path, seed: int = 0) -> dict[str, Record]:
    outcome = perform(SplitStage(SplitOptions(**SHARES), context(folder, seed=seed)), rows)  # type: ignore[arg-type]
    return {record.uid: record for record in from_table(outcome.rows)}


@pytest.mark.parametrize("seed", range(5))
def test_no_planted_duplicate_is_on_the_other_side(
    planted: tuple[list[Record], list[tuple[str, str]], Path], seed: int
) -> None:
    """A validation score on what was trained on is a lie, however the picture was saved or the talk was copied."""
    rows, pairs, folder = planted
    found = split(rows, folder, seed)
    assert len(pairs) == 240
    assert [pair for pair in pairs if found[pair[0]].split != found[pair[1]].split] == []


def brute_force_leaks(records: list[Record], folder: Path) -> list[tuple[str, str]]:
    """Pairs on different sides that an independent eye finds: pixels at 16 x 16, and 3-grams counted as sets."""
    small = {}
    for record in records:
        for image in record.images:
            with Pillow.open(folder / image.path) as picture:
                small[record.uid] = np.asarray(picture.convert("L").resize((16, 16)), dtype=float)
    grams = {
        record.uid: {text[n : n + 3] for text in [record.turns[0].text] for n in range(len(text) - 2)}
        for record in records
    }
    leaks = []
    for one, other in itertools.combinations(records, 2):
        if one.split == other.split:
            continue
        union = grams[one.uid] | grams[other.uid]
        alike = bool(union) and len(grams[one.uid] & grams[other.uid]) / len(union) > 0.85
        seen = one.uid in small and other.uid in small and np.abs(small[one.uid] - small[other.uid]).mean() < 4
        related = other.parent == one.uid or one.parent == other.uid
        if alike or seen or related:
            leaks.append((one.uid, other.uid))
    return leaks


def test_an_independent_eye_finds_no_leak(planted: tuple[list[Record], list[tuple[str, str]], Path]) -> None:
    """The check shares no code with what it checks; and it does see leaks where there are some."""
    rows, _, folder = planted
    found = list(split(rows, folder).values())
    assert brute_force_leaks(found, folder) == []
    careless = [replace(record, split=("train", "val")[number % 2]) for number, record in enumerate(found)]
    assert len(brute_force_leaks(careless, folder)) > 50


@pytest.mark.parametrize("seed", range(5))
def test_labels_have_their_share_within_two_points(
    planted: tuple[list[Record], list[tuple[str, str]], Path], seed: int
) -> None:
    """A label that is missing from validation cannot be judged."""
    rows, _, folder = planted
    found = split(rows, folder, seed).values()
    totals = Counter(record.label for record in found)
    held = Counter((record.label, record.split) for record in found)
    off = {
        (label, name): held[label, name] / total - share
        for label, total in totals.items()
        for name, share in SHARES.items()
    }
    assert max(abs(value) for value in off.values()) <= 0.02
    sizes = Counter(record.split for record in found)
    assert all(abs(sizes[name] / len(rows) - share) <= 0.01 for name, share in SHARES.items())


def test_what_cannot_be_balanced_is_told() -> None:
    """One group of half a label cannot be cut; whoever reads the scores must know."""
    rows = [
        Record(
            f"u{n}",
            str(n),
            "chat",
            (Turn("user", "同一段对话" if n < 20 else f"问题{n}" * 3),),
            label="a" if n < 60 else "b",
            raw="{}",
        )
        for n in range(160)
    ]
    outcome = perform(SplitStage(SplitOptions(train=0.4, val=0.4, test=0.2), context()), rows)
    assert [e for e in outcome.ledger.to_pylist() if e["action"] == "noted"] == []
    rows = [replace(row, turns=(Turn("user", "同一段对话"),)) if n < 50 else row for n, row in enumerate(rows)]
    outcome = perform(SplitStage(SplitOptions(train=0.4, val=0.4, test=0.2), context()), rows)
    (note,) = [e for e in outcome.ledger.to_pylist() if e["action"] == "noted"]
    assert (note["code"], note["metric"][:8], note["uid"]) == ("split_unbalanced", "share of", "u0")
