"""The default engine with its real networks."""

from __future__ import annotations

import importlib.util
import json
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from curate.dataset.decode import Picture, decode
from curate.errors import UsageError
from curate.ocr import annotate, order
from curate.ocr.engine import EngineSettings
from curate.ocr.rapid import RapidEngine
from curate.ocr.recognise import ROOMY, WIDEST, bucket
from curate.records import Line

SCREENS = Path(__file__).resolve().parents[3] / "shared" / "data" / "screens"
needs_screens = pytest.mark.skipif(
    not SCREENS.is_dir(), reason="the pages with ground truth are not beside this checkout"
)


def page(*texts: str, width: int = 500, seed: int = 0) -> Picture:
    image = Image.new("RGB", (width, 60 * len(texts) + 40), (250, 250, 245))
    draw = ImageDraw.Draw(image)
    for number, text in enumerate(texts):
        place = 20 + random.Random(seed + number).randrange(60), 25 + 60 * number
        draw.text(place, text, fill=(20, 20, 20), font=ImageFont.load_default(size=30))
    return np.asarray(image)


PAGES = [
    page("Order 10086", "shipped"),
    page("Total 59.90", "x3", "Free returns within 7 days", seed=3),
    page("no", width=200),
    page("SKU 4481406823457456848 in stock", width=900, seed=9),
]


@pytest.fixture(scope="module")
def engine() -> RapidEngine:
    return RapidEngine(EngineSettings())


def test_text_is_read(engine: RapidEngine) -> None:
    """If this fails, nothing works."""
    lines = order.arrange(engine.read([PAGES[0]])[0])
    assert [line.text for line in lines] == ["Order 10086", "shipped"]
    assert all(0.9 < line.score <= 1 and line.score == round(line.score, 4) for line in lines)


@pytest.mark.parametrize("threads", [1, 2])
def test_a_picture_reads_the_same_in_any_company(engine: RapidEngine, threads: int) -> None:
    """If this fails, a resumed run, which reads other pictures together, writes other bytes."""
    alone = [engine.read([one])[0] for one in PAGES]
    other = RapidEngine(EngineSettings(threads=threads))
    shuffled = [3, 1, 0, 2, 1, 3, 3, 0]
    assert other.read([PAGES[number] for number in shuffled]) == [alone[number] for number in shuffled]


def test_a_crop_s_width_alone_decides_its_bucket() -> None:
    """If this fails, memory or time runs away, or letters are squeezed."""
    widths = range(1, 5000)
    assert all(bucket(width) >= min(width, WIDEST) for width in widths)
    assert bucket(20) == ROOMY and max(map(bucket, widths)) == WIDEST
    assert len({bucket(width) for width in widths}) < 40


def test_pictures_without_text_hold_no_lines(engine: RapidEngine) -> None:
    """If this fails, photos without text, or strips of a few pixels, fail or hold rubbish."""
    odd = [np.zeros((300, 400, 3), np.uint8), np.full((1, 9000, 3), 128, np.uint8), np.zeros((1, 1, 3), np.uint8)]
    assert engine.read(odd) == [[], [], []]


def test_a_line_on_the_seam_of_a_tall_page_is_read_once(engine: RapidEngine) -> None:
    """If this fails, long screenshots have doubled or torn lines."""
    texts = [f"line number {number} of the page" for number in range(50)]
    found = [line.text for line in order.arrange(engine.read([page(*texts)])[0])]
    assert found == texts


def test_polygons_lie_on_the_text(engine: RapidEngine) -> None:
    """If this fails, boxes are drawn beside the text, and regions exported for training are wrong."""
    picture = np.full((900, 1600, 3), 255, np.uint8)
    picture[500:600, 900:1400] = page("Order 10086")[:100, :500]
    (line,) = engine.read([picture])[0]
    box = order.rect(line)
    assert 900 < box.left < 990 and 500 < box.top < 540 and box.bottom < 590 and box.right < 1250


def test_the_signature_names_what_decides_the_text() -> None:
    """If this fails, the cache gives text that other options or models would not give."""
    signatures = {
        RapidEngine(EngineSettings(**options)).signature()  # type: ignore[arg-type]
        for options in ({}, {"det_side": 960}, {"tile_ratio": 5.0}, {"provider": "onnxruntime"})
    }
    assert len(signatures) == 4
    assert RapidEngine(EngineSettings(threads=4)).signature() in signatures


def test_a_folder_without_networks_is_named(tmp_path: Path) -> None:
    """If this fails, a wrong `model_dir` ends in a stack trace."""
    with pytest.raises(UsageError, match="no network for 'det'"):
        RapidEngine(EngineSettings(model_dir=tmp_path))


OFFLINE = """
import socket, sys
def refuse(*arguments, **options): raise SystemExit("network: " + repr(arguments))
socket.socket.connect = refuse
socket.getaddrinfo = refuse
import numpy as np
from curate.ocr.engine import EngineSettings
from curate.ocr.rapid import RapidEngine
engine = RapidEngine(EngineSettings(provider=sys.argv[1]))
engine.read([np.full((100, 100, 3), 255, np.uint8)])
sys.exit("telemetry" if any(name.startswith("openvino_telemetry.") for name in sys.modules) else 0)
"""


@pytest.mark.parametrize("provider", ["openvino", "onnxruntime"])
def test_nothing_is_sent_and_nothing_written_at_home(tmp_path: Path, provider: str) -> None:
    """If this fails, OpenVINO or onnxruntime tell their makers that they run here, and leave files in the home folder.

    onnxruntime sends from native code, past Python's sockets: its files give it away.
    """
    if importlib.util.find_spec(provider) is None:
        pytest.skip(f"{provider} is not installed here")
    done = subprocess.run(
        [sys.executable, "-c", OFFLINE, provider],
        env={"HOME": str(tmp_path), "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []


def characters(text: str) -> Counter[str]:
    return Counter(letter for letter in text if not letter.isspace())


def recall(truth: list[str], lines: list[Line]) -> float:
    expected, found = characters("".join(truth)), characters("".join(line.text for line in lines))
    return (expected & found).total() / expected.total()


@needs_screens
@pytest.mark.parametrize(("name", "least"), [("order_detail_0", 0.97), ("logistics_0", 0.98)])
def test_screenshots_are_read_nearly_without_loss(engine: RapidEngine, name: str, least: float) -> None:
    """If this fails, an option or a new network lost text that was read before."""
    truth = [line["text"] for line in json.loads((SCREENS / f"{name}.json").read_text("utf-8"))["lines"]]
    assert recall(truth, engine.read([decode((SCREENS / f"{name}.jpg").read_bytes())])[0]) >= least


@needs_screens
@pytest.mark.slow
def test_a_tall_page_keeps_its_small_text(engine: RapidEngine) -> None:
    """If this fails, long product pages lose what a whole-page detection loses."""
    truth = [line["text"] for line in json.loads((SCREENS / "tall_detail_0.json").read_text("utf-8"))["lines"]]
    assert recall(truth, engine.read([decode((SCREENS / "tall_detail_0.jpg").read_bytes())])[0]) >= 0.985


@pytest.mark.slow
def test_onnxruntime_reads_what_openvino_reads(engine: RapidEngine) -> None:
    """If this fails, the fallback without OpenVINO is broken."""
    other = RapidEngine(EngineSettings(provider="onnxruntime"))
    for one, two in zip(engine.read(PAGES), other.read(PAGES), strict=True):
        assert [line.text for line in one] == [line.text for line in two]


def test_the_annotated_picture_shows_boxes_and_text(engine: RapidEngine) -> None:
    """If this fails, the preview is blank or has another size than the picture."""
    sheet = np.asarray(annotate.annotate(PAGES[0], engine.read([PAGES[0]])[0]))
    height, width = PAGES[0].shape[:2]
    assert sheet.shape == (height, 2 * width, 3)
    assert (sheet[:, :width] == annotate.colour_of(1.0)).all(axis=2).any()
    assert np.ptp(sheet[:, width:]) > 100
