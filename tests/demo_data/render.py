"""Render a list of pages to pictures and their ground truth: python -m tests.demo_data.render SPEC OUT TRUTH.

SPEC is YAML or JSON: a list of {file, kind, facts, variant}. A variant makes the kinds of files that people really
send: sideways, transparent, cut short, not a picture at all, or not there.
"""

import io
import json
import sys
from pathlib import Path
from typing import Any

import yaml
from PIL import Image, ImageDraw

from tests.demo_data.chromium import Chromium
from tests.demo_data.pages import build

QUALITY = 80
ORIENTATION = 0x0112
CORNER = 40
NOT_A_PICTURE = "<!doctype html>\n<title>404</title>\n<h1>图片已过期或不存在</h1>\n"
UNREADABLE = ("truncated", "not_a_picture", "missing")
VARIANTS = ("exif", "alpha", "palette", "webp", *UNREADABLE)


def jpeg(image: Image.Image, **options: Any) -> bytes:
    """The picture as a small JPEG."""
    out = io.BytesIO()
    image.save(out, "JPEG", quality=QUALITY, optimize=True, progressive=False, **options)
    return out.getvalue()


def png(image: Image.Image) -> bytes:
    """The picture as a small PNG."""
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


def sideways(image: Image.Image) -> bytes:
    """A JPEG stored lying on its side, with the orientation that sets it upright."""
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    return jpeg(image.transpose(Image.Transpose.ROTATE_90), exif=exif.tobytes())


def see_through(image: Image.Image) -> bytes:
    """A PNG whose rounded corners are transparent; few colours keep it small."""
    mask = Image.new("L", image.size, 0)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, image.width - 1, image.height - 1), CORNER, fill=255)
    few = image.quantize(24, dither=Image.Dither.NONE).convert("RGB")
    few.putalpha(mask)
    return png(few)


def encode(image: Image.Image, file: str, variant: str | None) -> bytes:
    """The bytes of one file."""
    if variant == "not_a_picture":
        return NOT_A_PICTURE.encode()
    if variant == "exif":
        return sideways(image)
    if variant == "alpha":
        return see_through(image)
    if variant == "palette":
        return png(image.quantize(32, dither=Image.Dither.NONE))
    if variant == "webp":
        out = io.BytesIO()
        image.save(out, "WEBP", quality=QUALITY, method=6)
        return out.getvalue()
    whole = png(image) if file.endswith(".png") else jpeg(image)
    return whole[: len(whole) * 6 // 10] if variant == "truncated" else whole


def truth_of(image: Image.Image, lines: list[dict[str, Any]]) -> str:
    """The ground truth, compactly."""
    truth = {"width": image.width, "height": image.height, "lines": lines}
    return json.dumps(truth, ensure_ascii=False, separators=(",", ":")) + "\n"


def render_one(browser: Chromium, entry: dict[str, Any], out: Path, truth: Path) -> int:
    """Write one picture, and its ground truth if anybody can read it; returns the picture's size in bytes."""
    file, variant = entry["file"], entry.get("variant")
    if variant not in (None, *VARIANTS):
        raise ValueError(f"{file}: unknown variant {variant!r}: choose one of {', '.join(VARIANTS)}")
    if variant == "missing":
        return 0
    facts = {"seed": file, **(entry.get("facts") or {})}
    shot, lines = browser.shoot(build(entry["kind"], facts), bool(facts.get("tall")), facts.get("height"))
    image = Image.open(io.BytesIO(shot)).convert("RGB")
    data = encode(image, file, variant)
    (out / file).write_bytes(data)
    if variant not in UNREADABLE:
        (truth / file).with_suffix(".json").write_text(truth_of(image, lines), encoding="utf-8")
    return len(data)


def render(spec: Path, out: Path, truth: Path) -> int:
    """Write every picture of the spec; returns the size of them all."""
    entries = yaml.safe_load(spec.read_text(encoding="utf-8"))
    out.mkdir(parents=True, exist_ok=True)
    truth.mkdir(parents=True, exist_ok=True)
    size = 0
    with Chromium() as browser:
        for entry in entries:
            size += render_one(browser, entry, out, truth)
    return size


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit("usage: python -m tests.demo_data.render SPEC OUT TRUTH")
    total = render(*map(Path, sys.argv[1:]))
    print(f"{total / 1000:.0f} kB of pictures")
