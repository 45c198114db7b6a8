"""The commands of augmentation, labels and selection, as a person types them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

TALKS = [
    ("商品材质", "请问这款是什么材质的呢，里面也是纯棉吗"),
    ("用法用量", "这个怎么用，用之前要不要先洗脸"),
    ("用法用量", "这个怎么用，用之前要不要先洗脸呢"),
    ("何时上货", "黑色的没货了，什么时候能有"),
    ("能否调光", "这盏灯能不能调节亮度啊啊啊啊啊啊"),
]


@pytest.fixture
def talks(tmp_path: Path) -> Path:
    """Five questions with labels, two of them nearly the same."""
    path = tmp_path / "talks.jsonl"
    rows = [{"id": f"t{n}", "text": text, "label": label} for n, (label, text) in enumerate(TALKS)]
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    return path


@pytest.mark.parametrize(
    ("arguments", "action", "codes"),
    [
        (["dedup"], "dropped", {"near_duplicate": 1}),
        (["split", "--train", "0.5", "--val", "0.5", "--seed", "3"], "changed", {"split_assigned": 5}),
        (["balance", "--cap", "1"], "dropped", {"label_above_cap": 1}),
        (["balance", "--floor", "2", "--below", "repeat"], "added", {"label_repeated": 3}),
        (["augment-text", "--per-record", "1"], "added", {"text_augmented": 5}),
        (["augment-text", "--target-per-label", "2", "--operations", "synonym"], "added", {"text_augmented": 3}),
        (["label", "--hierarchy", "--task", "dialogue_intent"], "changed", {"label_written": 5}),
        (["quality", "--of", "text"], "changed", {"scored": 5}),
    ],
)
def test_a_command_does_its_stage(
    curate: Any, talks: Path, arguments: list[str], action: str, codes: dict[str, int]
) -> None:
    """Every stage is a command; its options reach it."""
    name, *options = arguments
    answer = curate(name, str(talks), "out", *options, "--json", "--set", "max_failed=0")
    assert answer.code == 0, answer.err
    assert json.loads(answer.out)["steps"][-1]["codes"][action] == codes


def test_thresholds_and_near_misses(curate: Any, talks: Path) -> None:
    """Tuning a threshold: score once, then filter as often as it takes, looking at what just stayed."""
    assert curate("quality", str(talks), "scored", "--of", "text", "-q").code == 0
    answer = curate("filter", "scored", "good", "--max", "text_repeat=0.3", "--min", "text_length=12", "-q", "--json")
    assert json.loads(answer.out)["steps"][-1]["codes"] == {
        "dropped": {"above_threshold": 1},
        "noted": {"near_threshold": 1},
    }
    noted = curate("ls", "good", "--noted").out
    assert "near_threshold" in noted and "text_length 13 (limit 12)" in noted
    assert "text_repeat" in curate("ls", "good", "--dropped").out


def test_a_threshold_that_is_no_number_is_told(curate: Any, talks: Path) -> None:
    """With what it should look like."""
    answer = curate("filter", str(talks), "out", "--min", "blur")
    assert (answer.code, "image_blur=20" in answer.err) == (2, True)


def test_suggestions_need_no_dataset(curate: Any, tmp_path: Path) -> None:
    """And predictions, in either form, are looked at."""
    assert "group 1:" in curate("label", "--suggest", "--task", "dialogue_intent").out
    assert "--task is missing" in curate("label", "--suggest").err
    (tmp_path / "p.csv").write_text("label,predict\n气泡,发货数量\n", "utf-8")
    (tmp_path / "p.jsonl").write_text('{"label": "气泡", "predict": "发货数量"}\n', "utf-8")
    one, other = (
        curate("label", "--suggest", "--task", "dialogue_intent", "--confusion", name, "--groups", "12", "--json").out
        for name in ("p.csv", "p.jsonl")
    )
    assert one == other
    assert any({"气泡", "发货数量"} <= set(group) for group in json.loads(one))
    (tmp_path / "bad.csv").write_text("a,b\n1,2\n", "utf-8")
    assert (
        "label and predict" in curate("label", "--suggest", "--task", "dialogue_intent", "--confusion", "bad.csv").err
    )


def test_label_without_a_source_is_told(curate: Any) -> None:
    """Not a traceback."""
    answer = curate("label")
    assert (answer.code, "IN and OUT are missing" in answer.err) == (2, True)


def test_thesaurus(curate: Any, tmp_path: Path) -> None:
    """What may stand for a word, and a table to edit."""
    assert curate("thesaurus", "show", "发货", "买").out == "发货  寄出 发出\n买  nothing\n"
    assert curate("thesaurus", "export", "--from", "lexicon", "mine.tsv").code == 0
    assert "发货\t寄出\t1\n" in (tmp_path / "mine.tsv").read_text("utf-8")
    (tmp_path / "mine.tsv").write_text("发货\t出货\n", "utf-8")
    assert curate("thesaurus", "show", "发货", "--table", "mine.tsv").out == "发货  出货\n"
    assert "--words FILE is missing" in curate("thesaurus", "export", "--from", "synonyms", "x.tsv").err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--operations", "translate"], "operations"),
        (["--per-record", "1000"], "per_record"),
        (["--table", "no.tsv"], "no.tsv cannot be read"),
    ],
)
def test_wrong_options_are_named(curate: Any, talks: Path, options: list[str], message: str) -> None:
    """Before the first row."""
    answer = curate("augment-text", str(talks), "out", *options)
    assert (answer.code, message in answer.err) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--suggest", "--workers", "2"], "works on a registry alone"),
        (["--suggest", "--hierarchy"], "works on a registry alone"),
        (["IN", "OUT", "--groups", "3"], "--confusion and --groups go with --suggest"),
    ],
)
def test_label_ignores_no_option(curate: Any, arguments: list[str], told: str) -> None:
    """What is accepted and does nothing is believed to have done something."""
    answer = curate("label", *arguments, "--task", "dialogue_intent")
    assert (answer.code, told in answer.err) == (2, True), answer.err


@pytest.mark.parametrize("text", ['{"label": "a"}\n', '{"label": "a", "predict": "b"}\n[1]\n', "{nope\n"])
def test_confusions_that_are_no_predictions_are_told(curate: Any, tmp_path: Path, text: str) -> None:
    """A wrong file is the person's to mend; it is no bug of curate."""
    path = tmp_path / "confusion.jsonl"
    path.write_text(text, "utf-8")
    answer = curate("label", "--suggest", "--task", "dialogue_intent", "--confusion", str(path))
    assert (answer.code, str(path) in answer.err) == (2, True), answer.err


@pytest.mark.parametrize("text", ["name: 2024-13-45", "[" * 9999, "", "name: &a [*a]"])
def test_files_that_are_no_registry_or_template_are_told(curate: Any, talks: Path, tmp_path: Path, text: str) -> None:
    """Whatever a person wrote into a YAML file, it is theirs to mend: no traceback, no request to report a bug."""
    path = tmp_path / "own.yaml"
    path.write_text(text, "utf-8")
    for arguments in (["label", "--registry", str(path)], ["export", "--template", str(path)]):
        answer = curate(arguments[0], str(talks), str(tmp_path / "out"), *arguments[1:])
        assert (answer.code, "own.yaml" in answer.err) == (2, True), answer.err
        assert "pydantic.dev" not in answer.err


def test_a_table_without_a_line_is_told(curate: Any, talks: Path, tmp_path: Path) -> None:
    """Nothing would be replaced, and nobody would know why."""
    path = tmp_path / "table.tsv"
    path.write_text("# word, synonym\n", "utf-8")
    answer = curate("augment-text", str(talks), "out", "--table", str(path))
    assert (answer.code, "has no line" in answer.err) == (2, True), answer.err
