"""`curate ocr --text` and `--preview`: a look at what is read, without a dataset."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw, ImageFont

from curate.dataset.decode import decode
from curate.ocr.fake import FakeEngine, picture_key

FAKE = ("--engine", "fake")


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CURATE_CACHE", str(tmp_path / "cache"))


def picture(path: Path, shade: int = 200) -> str:
    """Draw a plain picture; give what the fake engine reads in it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (120, 60), (shade, shade, shade)).save(path)
    return f"picture {picture_key(decode(path.read_bytes()))}"


def test_the_text_of_one_picture_is_printed_alone(curate: Any, tmp_path: Path) -> None:
    """`curate ocr a.png --text | pbcopy` must copy the text and nothing else."""
    said = picture(tmp_path / "a.png")
    answer = curate("ocr", "a.png", "--text", *FAKE)
    assert (answer.code, answer.out, answer.err) == (0, f"{said}\n", "")


def test_the_text_of_a_folder_stands_under_the_names(curate: Any, tmp_path: Path) -> None:
    """Without the names nobody knows which picture says what."""
    said = {name: picture(tmp_path / "photos" / name, shade) for name, shade in (("a.png", 10), ("b.png", 20))}
    answer = curate("ocr", "photos", "--text", *FAKE)
    assert answer.out == "".join(f"== {name} ==\n{text}\n\n" for name, text in said.items())
    assert [path.name for path in tmp_path.iterdir() if path.name != "cache"] == ["photos"]


def test_text_is_read_from_whatever_the_stage_reads(curate: Any, tmp_path: Path) -> None:
    """A run, one of its steps and a JSON source name pictures as a folder does; each distinct one is printed once."""
    said = picture(tmp_path / "photos" / "a.png")
    rows = [{"text": f"<image> {n}", "images": ["a.png"]} for n in range(40)]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    assert curate("ocr", "photos", "work/run", *FAKE).code == 0
    for source in (["work/run"], ["work/run@ocr"], ["rows.jsonl", "--images", "photos"]):
        answer = curate("ocr", *source, "--text", *FAKE)
        assert (answer.code, answer.out) == (0, f"== a.png ==\n{said}\n\n"), answer.err


def test_a_bad_record_without_an_id_has_a_name_all_the_same(curate: Any, tmp_path: Path) -> None:
    """An error without a subject cannot be looked up."""
    path = tmp_path / "chats.jsonl"
    path.write_text('{"id": "", "conversations": []}\n' * 2 + '{"id": "x", "text": "y"}\n', "utf-8")
    answer = curate("ocr", str(path), "--text", "--format", "sharegpt")
    told = [line for line in answer.err.splitlines() if "bad_field" in line]
    assert len(told) >= 2
    assert not [line for line in told if line.startswith("error: :")]


def test_json_gives_every_line_with_score_and_polygon(curate: Any, tmp_path: Path) -> None:
    """Who scripts on it needs the place and the certainty of each line."""
    said = picture(tmp_path / "a.png")
    answer = json.loads(curate("ocr", "a.png", "--text", "--json", *FAKE).out)
    line = {"text": said, "score": 1.0, "polygon": [0.0, 0.0, 120.0, 0.0, 120.0, 20.0, 0.0, 20.0]}
    entry = {"path": "a.png", "width": 120, "height": 60, "text": said, "lines": [line]}
    assert answer == {"engine": "fake/1", "pictures": [entry]}


def test_what_was_read_once_is_not_read_again(curate: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A preview after a run must not load a model for what the run has read."""
    picture(tmp_path / "photos" / "a.png")
    assert curate("ocr", "photos", "work/run", *FAKE).code == 0

    def refuse(*_: object) -> None:
        raise AssertionError("the engine was asked")

    monkeypatch.setattr(FakeEngine, "read", refuse)
    assert curate("ocr", "photos/a.png", "--preview", "seen.png", *FAKE).code == 0


@pytest.mark.parametrize("suffix", ["png", "jpg", "JPEG", "webp"])
def test_a_preview_is_a_picture_with_the_text_beside_it(curate: Any, tmp_path: Path, suffix: str) -> None:
    """If this fails, there is nothing to look at."""
    said = picture(tmp_path / "a.png")
    answer = curate("ocr", "a.png", "--preview", f"out/seen.{suffix}", *FAKE)
    assert (answer.code, answer.out) == (0, f"{said}\n")
    with Image.open(tmp_path / "out" / f"seen.{suffix}") as seen:
        assert seen.size == (240, 60)
        assert len(seen.getcolors(1 << 16) or ()) > 3


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [("cut.png", 40, "image_truncated"), ("empty.png", 0, "image_empty"), ("gone.png", None, "image_missing")],
)
def test_a_picture_that_cannot_be_read_is_one_line_with_its_code(
    curate: Any, tmp_path: Path, name: str, content: int | None, code: str
) -> None:
    """A stack trace, or silence, for one bad file helps nobody."""
    picture(tmp_path / "a.png")
    if content is not None:
        (tmp_path / name).write_bytes((tmp_path / "a.png").read_bytes()[:content])
    for options in (["--text"], ["--preview", "seen.png"]):
        answer = curate("ocr", name, *options, *FAKE)
        assert (answer.code, answer.out) == (1, "")
        assert answer.err.startswith(f"error: {name}: {code}: ") and answer.err.count("\n") == 1
    assert not (tmp_path / "seen.png").exists()
    told = json.loads(curate("ocr", name, "--text", "--json", *FAKE).out)
    assert told["pictures"][0]["code"] == code


def test_a_bad_picture_does_not_silence_the_others(curate: Any, tmp_path: Path) -> None:
    """One broken download must not cost the text of a whole folder."""
    said = picture(tmp_path / "photos" / "b.png")
    (tmp_path / "photos" / "a.png").write_bytes(b"")
    answer = curate("ocr", "photos", "--text", *FAKE)
    assert (answer.code, answer.out) == (1, f"== b.png ==\n{said}\n\n")
    assert "a.png: image_empty" in answer.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["photos"], "OUT is missing"),
        (["photos", "work/x", "--text"], "do not go with"),
        (["photos", "--text", "--dry-run"], "do not go with"),
        (["photos", "--preview", "x.png"], "is a folder"),
        (["photos/a.png", "--preview", "x.gif"], "must end in .png, .jpg, .jpeg, .webp"),
        (["photos/a.png", "--preview", "photos/../photos/a.png"], "would overwrite what is read from it"),
        (["photos", "--text", "--set", "det_sid=1280"], "did you mean 'det_side'?"),
    ],
)
def test_options_that_do_not_fit_are_told(curate: Any, tmp_path: Path, arguments: list[str], said: str) -> None:
    """If this fails, a photo is overwritten, or an option is left out without a word."""
    picture(tmp_path / "photos" / "a.png")
    before = (tmp_path / "photos" / "a.png").read_bytes()
    answer = curate("ocr", *arguments, *FAKE)
    assert answer.code == 2
    assert said in answer.err
    assert (tmp_path / "photos" / "a.png").read_bytes() == before


def test_a_sheet_too_large_for_its_format_names_another(curate: Any, tmp_path: Path) -> None:
    """WebP ends at 16,383 pixels, and long screenshots do not."""
    Image.new("RGB", (10, 17_000)).save(tmp_path / "tall.png")
    answer = curate("ocr", "tall.png", "--preview", "seen.webp", *FAKE)
    assert (answer.code, "use .png" in answer.err) == (2, True)
    assert not (tmp_path / "seen.webp").exists()


def test_text_in_a_picture_cannot_steer_the_terminal(curate: Any, tmp_path: Path) -> None:
    """What an engine reads is as foreign as any text of a dataset."""
    key = picture(tmp_path / "a.png").removeprefix("picture ")
    (tmp_path / "texts.json").write_text(json.dumps({key: ["\x1b[2J[red]危险"]}), "utf-8")
    answer = curate("ocr", "a.png", "--text", "--set", "texts=texts.json", *FAKE)
    assert answer.out == "⟨U+001B⟩[2J[red]危险\n"


def test_the_default_engine_reads_a_drawn_picture(curate: Any, tmp_path: Path) -> None:
    """The fake engine proves the plumbing; this proves that text comes out."""
    image = Image.new("RGB", (400, 90), (250, 250, 245))
    ImageDraw.Draw(image).text((30, 25), "Order 10086", fill=(20, 20, 20), font=ImageFont.load_default(size=30))
    image.save(tmp_path / "a.png")
    answer = curate("ocr", "a.png", "--preview", "seen.png")
    assert (answer.code, answer.out) == (0, "Order 10086\n")
    with Image.open(tmp_path / "seen.png") as seen:
        assert seen.size == (800, 90)


def test_a_source_without_pictures_is_said_to_have_none(curate: Any, good_chats: Path) -> None:
    """Silence and exit code 0 look like pictures without a word in them."""
    done = curate("ocr", str(good_chats), "--text")

    assert (done.code, done.out) == (0, "")
    assert f"no record of {good_chats} names a picture" in done.err
