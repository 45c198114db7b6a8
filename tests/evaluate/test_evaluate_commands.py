"""`curate evaluate` and `curate submit`, as a person calls them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from card_support import write_dataset

from curate import Dataset
from curate.cli.main import invoke

SCENE = "你是一个电商领域识图专家,可以理解消费者上传的软件截图或实物拍摄图。"
INTENT = "你是一个电商客服专家，请根据用户与客服的多轮对话判断用户的意图分类标签。\n<用户与客服的对话 START>\n用户: {}\n<用户与客服的对话 END>\n"


@pytest.fixture
def challenge(tmp_path: Path) -> Path:
    """Four rows in the challenge's form; the pictures are not there, as they need not be for scoring."""
    rows: list[dict[str, Any]] = [
        {
            "id": "a",
            "instruction": f"Picture 1: <image>\n{SCENE}",
            "input": "",
            "image": ["a-0.jpg"],
            "output": "退款页面",
        },
        {
            "id": "b",
            "instruction": f"Picture 1: <image>\n{SCENE}",
            "input": "",
            "image": ["b-0.jpg"],
            "output": "支付页面",
        },
        {"id": "c", "instruction": INTENT.format('他说"起泡"了'), "input": "", "image": [], "output": "气泡"},
        {"id": "d", "instruction": INTENT.format("夏天能用吗"), "input": "", "image": [], "output": "能否调光"},
    ]
    path = tmp_path / "test.json"
    path.write_text(json.dumps(rows, ensure_ascii=False), "utf-8")
    return path


def predictions(path: Path, *answers: str) -> Path:
    lines = [{"id": name, "predict": answer} for name, answer in zip("abcd", answers, strict=False)]
    path.write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in lines), "utf-8")
    return path


def test_the_report_says_everything_in_json_and_html(
    tmp_path: Path, challenge: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """If this fails, a score cannot be read by a program, or the page lacks what the terminal tells."""
    one = predictions(tmp_path / "one.jsonl", "退款页面", "支付页面", "“气泡”", "<script>alert(1)</script>")
    other = predictions(tmp_path / "other.jsonl", "退款页面", "退货页面", "气泡", "气泡")
    page = tmp_path / "page.html"

    code = invoke(
        [
            *("evaluate", str(challenge), str(one), "--compare", str(other)),
            *("--labels", "mire", "--parse", "--json", "--html", str(page)),
        ]
    )

    report = json.loads(capsys.readouterr().out)
    assert (code, report["version"], report["overall"]["rows"]) == (0, 1, 4)
    assert report["overall"]["accuracy"] == 0.75
    assert set(report["tasks"]) == {"image_scene", "dialogue_intent"}
    assert report["steps"] == {"exact": 2, "stripped": 1, "fallback": 1}
    assert report["comparison"]["overall"]["value"] > 0
    text = page.read_text("utf-8")
    assert "0.7500" in text and "what was taken for what" in text and "one.jsonl" in text
    assert (
        text.count("<script") == 1
        and "script-src &#39;sha256-" in text
        and "http" not in text.replace("http-equiv", "")
    )


def test_every_label_is_shown_on_request(tmp_path: Path, challenge: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """If this fails, the rare labels that a model gets wrong are seen in the JSON only."""
    given = predictions(tmp_path / "p.jsonl", "退款页面", "退款页面", "气泡", "气泡")
    assert invoke(["evaluate", str(challenge), str(given)]) == 0
    assert "predicted" not in capsys.readouterr().out
    assert invoke(["evaluate", str(challenge), str(given), "--by-label"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["退款页面", "0.6667", "0.5000", "1.0000", "1", "2"] in lines
    assert ["支付页面", "0.0000", "0.0000", "0.0000", "1", "0"] in lines


def test_dangerous_answers_stay_text(tmp_path: Path, challenge: Path) -> None:
    """If this fails, a model's answer runs as a program in the browser of who reads the report."""
    bad = predictions(tmp_path / "bad.jsonl", "<img src=x onerror=alert(1)>", "支付页面", "气泡", "适用季节")
    page = tmp_path / "page.html"
    assert invoke(["evaluate", str(challenge), str(bad), "--html", str(page), "--redact", "none"]) == 0
    text = page.read_text("utf-8")
    assert "&lt;img src=x onerror=alert(1)&gt;" in text and "<img" not in text


def test_a_submission_is_what_the_baseline_writes(tmp_path: Path, challenge: Path) -> None:
    """If this fails, a submission is refused after all the work is done."""
    given = predictions(tmp_path / "p.jsonl", "退款页面", "支付页面", "气泡", "适用季节")
    out = tmp_path / "submit.csv"
    assert invoke(["submit", str(challenge), str(given), str(out)]) == 0

    table = pd.DataFrame(json.loads(challenge.read_text("utf-8")))
    table["predict"] = ["退款页面", "支付页面", "气泡", "适用季节"]
    table.to_csv(tmp_path / "baseline.csv", index=None, encoding="utf-8-sig")
    assert out.read_bytes() == (tmp_path / "baseline.csv").read_bytes()

    assert invoke(["submit", str(challenge), str(given), str(out), "--layout", "minimal"]) == 0
    assert out.read_text("utf-8").split("\n")[:2] == ["id,predict", "a,退款页面"]


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        (("退款页面", "支付页面", "气泡"), "d: it has no prediction"),
        (
            ("退款页面", "支付页面", "气泡", "支付页面"),
            "d: '支付页面' is a label of image_scene, not of dialogue_intent",
        ),
        (("个人信息页面", "支付页面", "气泡", "适用季节"), "a: '个人信息页面' must not be answered"),
        (("退款页面。", "支付页面", "气泡", "适用季节"), "a: '退款页面。' is no label of image_scene"),
    ],
)
def test_a_submission_with_a_bad_row_is_not_written(
    tmp_path: Path, challenge: Path, capsys: pytest.CaptureFixture[str], answers: tuple[str, ...], words: str
) -> None:
    """If this fails, the challenge finds the mistake instead of us."""
    out = tmp_path / "submit.csv"
    assert invoke(["submit", str(challenge), str(predictions(tmp_path / "p.jsonl", *answers)), str(out)]) == 2
    assert words in capsys.readouterr().err
    assert not out.exists()


def test_parsing_needs_labels(tmp_path: Path, challenge: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """If this fails, `--parse` without labels does nothing and says nothing."""
    given = predictions(tmp_path / "p.jsonl", "退款页面")
    assert invoke(["evaluate", str(challenge), str(given), "--parse"]) == 2
    assert "--labels mire" in capsys.readouterr().err


@pytest.mark.parametrize(("mode", "pictures"), [("default", 6), ("none", 6), ("keys-only", 0), ("strict", 0)])
def test_the_pictures_of_wrong_answers_are_on_the_page_where_they_may_be(
    tmp_path: Path, mode: str, pictures: int
) -> None:
    """A scene is a picture: without it nobody sees why the answer was wrong."""
    data = write_dataset(tmp_path / "shop")
    (data / "0.png").unlink()  # one is missing, which is no reason to show none
    said = "".join(
        f"{record.source_id},{'退款' if number else '物流'}\n" for number, record in enumerate(Dataset.open(data))
    )
    (tmp_path / "said.csv").write_text(f"id,predict\n{said}", "utf-8")
    page = tmp_path / "page.html"

    assert invoke(["evaluate", str(data), str(tmp_path / "said.csv"), "--html", str(page), "--redact", mode, "-q"]) == 0
    text = page.read_text("utf-8")
    assert text.count("<article") == 7
    assert text.count('src="data:image') == pictures
