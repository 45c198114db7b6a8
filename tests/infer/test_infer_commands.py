"""`curate infer` and `curate serve`, as a person calls them, on an export of the demo's kind."""

from __future__ import annotations

import itertools
import json
import struct
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from command_support import call
from stub_server import Stub, serving

from curate.infer.question import read_questions

LABELS = ["退款页面", "支付页面", "气泡"]


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """A ShareGPT export with three test rows, one of them with two pictures."""
    folder = tmp_path / "export"
    (folder / "images").mkdir(parents=True)
    rows, lines = [], []
    for number, label in enumerate(LABELS):
        names = [f"images/{number}-{picture}.jpg" for picture in range(1 + number % 2)]
        for name in names:
            (folder / name).write_bytes(name.encode())
        asked = "<image>" * len(names) + f"这是什么 {number}"
        rows.append({"id": f"s{number}", "conversations": [{"from": "human", "value": asked}], "images": names})
        task = "dialogue_intent" if label == "气泡" else "image_scene"
        lines.append(
            {"file": "test.json", "line": number, "uid": f"u{number}", "source_id": f"s{number}", "task": task}
            | {"label": label, "text_tokens": 100, "image_tokens": 300 * len(names)}
        )
    (folder / "test.json").write_text(json.dumps(rows, ensure_ascii=False), "utf-8")
    pq.write_table(pa.Table.from_pylist(lines), folder / "index.parquet")
    signature = {"options": {"max_pixels": 589824}}
    (folder / "export.json").write_text(json.dumps({"signature": signature}))
    return folder


def test_an_export_is_asked_and_scored(tmp_path: Path, export: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """If this fails, the way from an export to a score is broken."""
    with serving(Stub()) as stub:
        asked = ("infer", export, tmp_path / "answers", "--server", stub.url, "--model", "tiny", "--labels", "mire")
        code, report = call(capsys, *asked)
        again = call(capsys, *asked)[1]
    assert (code, report["answered"], report["steps"]) == (0, 3, {"exact": 3})
    assert again["known"] == 3
    choices = [tuple(body["structured_outputs"]["choice"]) for body in stub.bodies]
    assert sorted(map(len, choices)) == [23, 23, 23] and len(set(choices)) == 2
    gold = tmp_path / "gold.jsonl"
    gold.write_text("\n".join(json.dumps({"id": f"s{n}", "text": "?", "label": LABELS[n]}) for n in range(3)), "utf-8")
    code, score = call(capsys, "evaluate", gold, tmp_path / "answers")
    assert (code, score["overall"]["rows"], score["overall"]["coverage"]) == (0, 3, 1)
    assert len(score["overall"]["calibration"]) >= 1


def test_rows_that_failed_make_the_exit_code_1(
    tmp_path: Path, export: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """If this fails, a script goes on with half of the answers."""
    (export / "images" / "0-0.jpg").unlink()
    with serving(Stub()) as stub:
        code, report = call(capsys, "infer", export, tmp_path / "out", "--server", stub.url, "--model", "tiny")
    assert (code, report["codes"]) == (1, {"image_missing": 1})


def test_answers_to_other_questions_are_not_overwritten(
    tmp_path: Path, export: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """If this fails, the answers to one test set are replaced by those to another."""
    with serving(Stub()) as stub:
        asked = ("--server", stub.url, "--model", "tiny")
        assert call(capsys, "infer", export, tmp_path / "out", *asked)[0] == 0
        table = (tmp_path / "out" / "predictions.parquet").read_bytes()
        lines = pq.read_table(export / "index.parquet").to_pylist()
        pq.write_table(
            pa.Table.from_pylist([{**line, "uid": f"x{line['uid']}"} for line in lines]), export / "index.parquet"
        )
        code, report = call(capsys, "infer", export, tmp_path / "out", *asked)
    assert code == 2 and "answers to other questions" in report["error"]
    assert (tmp_path / "out" / "predictions.parquet").read_bytes() == table


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--model", "m"), "--server URL is missing"),
        (("--model", "m", "--server", "http://127.0.0.1:9", "--adapter", "x"), "--adapter and --llm go with"),
        (("--model", "m", "--engine", "vllm", "--server", "http://x"), "--server does not go with"),
        (("--model", "m", "--engine", "vllm"), "pip install 'curate[vllm]'"),
        (("--model", "m", "--server", "http://127.0.0.1:9", "--split", "val"), "no rows of the split val; it has test"),
        (("--model", "m", "--server", "http://127.0.0.1:9"), "there is no server at http://127.0.0.1:9"),
    ],
)
def test_what_cannot_work_is_said(
    tmp_path: Path, export: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str
) -> None:
    """If this fails, a wrong option ends in a stack trace or is ignored."""
    code, report = call(capsys, "infer", export, tmp_path / "out", *arguments)
    assert code == 2 and words in report["error"]


def test_a_dry_run_tells_what_would_be_asked(export: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """If this fails, nobody can see what an hour of GPU time will be spent on."""
    code, report = call(
        capsys, "infer", export, tmp_path / "out", "--server", "http://127.0.0.1:9", "--model", "m", "--dry-run"
    )
    assert (code, report["rows"], report["pictures"], report["longest"]) == (0, 3, 4, 700)
    assert not (tmp_path / "out").exists()


def test_a_last_answer_is_never_sent(export: Path) -> None:
    """If this fails, the model is told the answer that it is scored on."""
    rows = json.loads((export / "test.json").read_text("utf-8"))
    for row in rows:
        row["conversations"].append({"from": "gpt", "value": "退款页面"})
    (export / "test.json").write_text(json.dumps(rows), "utf-8")
    assert all(turn.role == "user" for question in read_questions(export, "test", {}) for turn in question.turns)


def adapter(folder: Path, rank: int, key: str = "model.layers.0.lora_A.weight") -> Path:
    folder.mkdir()
    (folder / "adapter_config.json").write_text(json.dumps({"r": rank}))
    header = json.dumps({key: {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    (folder / "adapter_model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + b"0000")
    return folder


def test_the_server_s_command_fits_the_export(tmp_path: Path, export: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """If this fails, the server refuses the longest rows, or sees other pixels than the trainer did."""
    lora = adapter(tmp_path / "lora", 12)
    code, report = call(capsys, "serve", "saves/merged", "--for", export, "--adapter", f"mire={lora}", "--name", "base")
    command = report["command"]
    assert code == 0 and command[:3] == ["vllm", "serve", "saves/merged"]
    options = dict(itertools.pairwise(command))
    assert options["--max-model-len"] == "768"
    assert json.loads(options["--limit-mm-per-prompt"]) == {"image": 2, "video": 0}
    assert json.loads(options["--mm-processor-kwargs"]) == {"min_pixels": 3136, "max_pixels": 589824}
    assert options["--max-lora-rank"] == "16" and options["--lora-modules"] == f"mire={lora}"
    assert "--enable-tower-connector-lora" not in command and report["notes"] == []


def test_an_adapter_for_the_vision_tower_is_not_ignored(
    tmp_path: Path, export: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """If this fails, vLLM silently leaves out half of what was trained."""
    lora = adapter(tmp_path / "lora", 16, "base_model.model.visual.blocks.0.lora_A.weight")
    _, report = call(capsys, "serve", "m", "--for", export, "--adapter", f"a={lora}")
    assert "--enable-tower-connector-lora" in report["command"] and "vision tower" in report["notes"][0]


@pytest.mark.parametrize(
    ("text", "words"), [("lora", "write NAME=DIR"), ("a=nowhere", "is no LoRA adapter"), ("=x", "write NAME=DIR")]
)
def test_a_wrong_adapter_is_named(export: Path, capsys: pytest.CaptureFixture[str], text: str, words: str) -> None:
    """If this fails, a typing error is found out when the server is up."""
    code, report = call(capsys, "serve", "m", "--for", export, "--adapter", text)
    assert code == 2 and words in report["error"]
