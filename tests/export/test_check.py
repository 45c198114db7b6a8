"""`curate export --check`: the verdicts that real programs gave, without the programs.

The table `verdicts.yaml` holds, for each faulty file of `conformance.faults`, what LLaMA-Factory, ms-swift and TRL do.
The conformance tests hold the same files against the programs themselves.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conformance import faults
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow
from ruamel.yaml import YAML

from curate.dataset.vision import Bounds
from curate.errors import UsageError
from curate.export.check import examine
from curate.export.check.columns import Columns
from curate.export.check.finding import Report, Settings
from curate.export.check.rows import BrokenFile, read

TABLE = YAML(typ="safe").load((Path(__file__).parent / "verdicts.yaml").read_text("utf-8"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All faulty ShareGPT and Alpaca files."""
    place = tmp_path_factory.mktemp("faults") / "data"
    faults.write_sharegpt(place)
    return place


def told(report: Report) -> dict[str, list[str]]:
    """Verdict and the codes of errors, by file."""
    return {
        file.name: [file.verdict, *sorted({one.code for one in report.errors if one.file == file.name})]
        for file in report.files
    }


@pytest.mark.parametrize("consumer", ["llamafactory", "swift"])
def test_every_fault_has_the_verdict_of_the_real_loader(folder: Path, consumer: str) -> None:
    """The reason is half of the verdict: without it nobody finds the row."""
    report = examine(folder, consumer, Settings(cutoff_len=1024, bounds=Bounds(589_824, 1024)))

    assert told(report) == TABLE[consumer]


def test_every_fault_for_trl_has_its_verdict(tmp_path: Path) -> None:
    """TRL checks nothing before the first step."""
    faults.write_trl(tmp_path / "data")

    assert told(examine(tmp_path / "data", "trl", Settings())) == TABLE["trl"]


def test_every_rule_that_a_file_can_break_is_broken_by_one() -> None:
    """A rule without an example is a rule that may never fire."""
    from curate.export.check import llamafactory_rules, swift_rules, trl

    never = {
        "llamafactory": {"file_type", "file_broken", "no_rows", "not_a_row", "ranking", "image_too_large", "image_empty",
                         "over_answer_budget", "too_many_images", "not_text", "no_label_tokens"},
        "swift": {"file_broken", "no_rows", "not_a_row", "image_too_large", "over_answer_budget", "too_many_images",
                  "objects", "object_count", "not_a_conversation", "placeholder_elsewhere", "image_empty"},
        "trl": {"file_broken", "no_rows", "not_a_row", "mixed_types", "image_too_large", "over_token_budget",
                "over_answer_budget", "too_many_images", "image_empty"},
    }  # fmt: skip
    rules = {"llamafactory": llamafactory_rules.RULES, "swift": swift_rules.RULES, "trl": trl.RULES}
    for consumer, known in rules.items():
        hit = {code for codes in TABLE[consumer].values() for code in codes[1:]}
        errors = {code for code, rule in known.items() if rule.error}
        assert errors - hit <= never[consumer], consumer


def write(folder: Path, rows: list[dict[str, Any]], entry: dict[str, Any] | None = None, **files: str) -> Path:
    """A folder with one ShareGPT file, a sound picture, and whatever else."""
    (folder / "images").mkdir(parents=True)
    Pillow.new("RGB", (56, 56)).save(folder / "images" / "a.png")
    (folder / "train.json").write_text(json.dumps(rows), "utf-8")
    info = {"d_train": {"file_name": "train.json", **(entry or faults.SHAREGPT)}}
    (folder / "dataset_info.json").write_text(json.dumps(info), "utf-8")
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text, "utf-8")
    return folder


ROW = {
    "id": "7",
    "conversations": [{"from": "human", "value": "<image>a"}, {"from": "gpt", "value": "b"}],
    "images": ["images/a.png"],
}


def codes(report: Report) -> list[tuple[str, int | None, str]]:
    """Errors and warnings in short."""
    return [(one.file, one.row, one.code) for one in report.findings]


def test_budgets_come_from_the_training_configuration(tmp_path: Path) -> None:
    """The trainer cuts at what its configuration says, not at our default."""
    long = {**ROW, "conversations": [{"from": "human", "value": "<image>" + "字" * 200}, ROW["conversations"][1]]}  # type: ignore[index]
    config = "stage: sft\ndo_train: true\ndataset: d_train\ncutoff_len: 128\nimage_max_pixels: 3136\n"
    report = examine(write(tmp_path / "a", [long], train__yaml=config), "llamafactory", Settings())

    assert ("d_train", 0, "over_token_budget") in codes(report)
    assert examine(write(tmp_path / "b", [long]), "llamafactory", Settings()).errors == []


def test_budgets_of_answers_and_pictures_can_be_given(tmp_path: Path) -> None:
    """The challenge allows 100 tokens of output, and a server so and so many pictures."""
    folder = write(
        tmp_path / "a",
        [{**ROW, "conversations": [*ROW["conversations"], *ROW["conversations"]], "images": ["images/a.png"] * 2}],
    )  # type: ignore[misc]
    report = examine(folder, "llamafactory", Settings(answer_len=2, images_per_row=1))

    assert [code for _, _, code in codes(report)] == ["too_many_images", "over_answer_budget"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("stage: sft\ndataset: nowhere\n", "config_dataset"),
        ("stage: sftt\ndataset: d_train\n", "config_value"),
        ("stage: sft\ndataset: d_train\nlearning_rate: 1e-4\n", "config_text_number"),
        ("stage: sft\ndataset: d_train\nimage_resolution: 512\n", "config_gone_key"),
        ("stage: sft\ndataset: d_train\nlearning_rat: 1.0e-4\n", "config_gone_key"),
        ("stage: sft\neval_dataset: d_train\ndo_predict: true\n", "config_predict"),
        ("stage: sft\ndataset: d_train\neval_dataset: d_train\nval_size: 0.1\n", "config_val_size"),
        ("stage: sft\ndataset: d_train\ntemplate: qwen\n", "config_template"),
        ("stage: [sft\ndataset: d_train\n", "config_broken"),
    ],
)
def test_configurations_are_checked(tmp_path: Path, text: str, code: str) -> None:
    """The trainer finds these out after minutes of loading, or not at all."""
    report = examine(write(tmp_path / "a", [ROW], my__yaml=text), "llamafactory", Settings())

    assert codes(report) == [("my.yaml", None, code)]


def test_a_set_for_prediction_may_have_no_answers(tmp_path: Path) -> None:
    """The test set's answers are what the prediction is for."""
    unanswered = {**ROW, "conversations": [ROW["conversations"][0], {"from": "gpt", "value": ""}]}  # type: ignore[index]
    config = "stage: sft\ndo_predict: true\npredict_with_generate: true\neval_dataset: d_train\n"

    assert codes(examine(write(tmp_path / "a", [unanswered], p__yaml=config), "llamafactory", Settings())) == []
    assert codes(examine(write(tmp_path / "b", [unanswered]), "llamafactory", Settings())) == [
        ("d_train", 0, "empty_answer")
    ]


def test_paths_out_of_the_folder_are_told(tmp_path: Path) -> None:
    """The folder works here, and on no other machine."""
    folder = write(tmp_path / "a", [{**ROW, "images": [str(tmp_path / "a" / "images" / "a.png")]}])

    assert codes(examine(folder, "llamafactory", Settings())) == [("d_train", 0, "image_path")]


@pytest.mark.parametrize("text", ["", "[", '[{"a": 1},', '[{"a": 1} {"a": 2}]', '{"a": 1}\n{"a"', "[\x00]"])
def test_a_broken_file_is_one_finding(tmp_path: Path, text: str) -> None:
    """A file that was cut off while it was copied must not end the check with a traceback."""
    folder = write(tmp_path / "a", [ROW])
    (folder / "train.json").write_text(text, "utf-8")
    report = examine(folder, "llamafactory", Settings())

    assert report.files[0].verdict == "stops"
    assert {"file_broken", "no_rows"} & set(report.counts())


def test_rows_are_read_over_the_edges_of_the_window(tmp_path: Path) -> None:
    """A row that lies across two reads must not be taken for a broken one."""
    rows = [{"id": n, "text": "长" * (n % 7000), "number": 12.5e3} for n in range(1500)]
    for name, text in (
        ("a.json", json.dumps(rows, ensure_ascii=False, indent=1)),
        ("b.jsonl", "\n".join(map(json.dumps, rows))),
    ):
        (tmp_path / name).write_text(text, "utf-8")
        assert list(read(tmp_path / name)) == rows
    (tmp_path / "c.json").write_bytes(b'[{"a": "\xff"}]')
    with pytest.raises(BrokenFile):
        list(read(tmp_path / "c.json"))


def test_mixed_kinds_are_told_once_a_column() -> None:
    """Ten thousand findings of one cause hide the other one."""
    columns = Columns()

    assert columns.add({"a": 1, "b": [], "c": {"d": None}}) == []
    assert columns.add({"a": 2.5, "b": ["x"], "c": {"d": "x", "e": 1}}) == []
    assert columns.add({"a": "x", "b": [1], "c": {"d": 1}}) == [
        "column a is number and string",
        "column b[] is string and number",
        "column c.d is string and number",
    ]
    assert columns.add({"a": "y"}) == []


def openai(*content: Any, role: str = "user") -> list[dict[str, Any]]:
    """One request."""
    return [{"role": role, "content": list(content)}, {"role": "assistant", "content": "b"}]


@pytest.mark.parametrize(
    ("messages", "code", "verdict"),
    [
        (openai({"type": "text", "text": "<image>a"}), "placeholder_text", "accepts"),
        (openai({"type": "image"}), "part_type", "stops"),
        (openai({"type": "image_url", "image_url": {"url": "images/a.png"}}), "image_url", "stops"),
        (openai({"type": "image_url", "image_url": {"url": "data:image/png;base64,x"}}), "image_url", "stops"),
        (
            openai({"type": "image_url", "image_url": {"url": "data:image/png;base64,aGFsbG8="}}),
            "image_unreadable",
            "stops",
        ),
        (openai({"type": "image_url", "image_url": {"url": "file:///nowhere/a.png"}}), "image_missing", "stops"),
        (openai({"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}), "image_remote", "accepts"),
        (openai({"type": "text", "text": "a"}, role="boss"), "unknown_role", "accepts"),
        (openai({"type": "text", "text": "a <|im_end|>"}), "special_token", "accepts"),
        (openai({"type": "text", "text": "长" * 3000}), "over_token_budget", "stops"),
        ([], "not_a_conversation", "stops"),
        ([{"role": "assistant", "content": "b"}], "no_question", "accepts"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_requests_that_a_server_refuses(tmp_path: Path, messages: list[Any], code: str, verdict: str) -> None:
    """A refused request is a missing prediction, found after the run."""
    (tmp_path / "test.jsonl").write_text(json.dumps({"messages": messages}) + "\n", "utf-8")
    report = examine(tmp_path, "vllm", Settings(cutoff_len=2048))

    assert code in report.counts()
    assert report.files[0].verdict == verdict


def test_boxes_without_marks_are_told(tmp_path: Path) -> None:
    """ms-swift ignores a surplus box, and leaves a surplus mark as text, without a word."""
    Pillow.new("RGB", (56, 56)).save(tmp_path / "a.png")
    row = {
        "messages": [{"role": "user", "content": "<image>where?"}, {"role": "assistant", "content": "<bbox>"}],
        "images": ["a.png"],
    }
    for objects, code in (
        ({"ref": [], "bbox": [[1, 2, 3, 4]]}, None),
        ({"ref": ["x"], "bbox": [[1, 2, 3, 4]]}, "object_count"),
        ({"ref": [], "bbox": []}, "object_count"),
        ({"ref": []}, "objects"),
        ({"bbox": [[1, 2, 3]]}, "objects"),
    ):
        (tmp_path / "train.json").write_text(json.dumps([{**row, "objects": objects}]), "utf-8")
        assert [one.code for one in examine(tmp_path, "swift", Settings()).findings] == ([code] if code else [])


def test_nothing_to_check_is_said(tmp_path: Path) -> None:
    """A slip in the path must not read as a valid export."""
    with pytest.raises(UsageError, match=r"has no dataset_info.json"):
        examine(tmp_path, "llamafactory", Settings())
    with pytest.raises(UsageError, match="holds nothing that swift reads"):
        examine(tmp_path, "swift", Settings())
    with pytest.raises(UsageError, match="there is no folder"):
        examine(tmp_path / "nowhere", "trl", Settings())
    with pytest.raises(UsageError, match="there are llamafactory, swift, trl, vllm"):
        examine(tmp_path, "axolotl", Settings())


LEAF = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 2),
    st.text(max_size=6),
    st.sampled_from(["human", "gpt", "<image>", "text"]),
)
KEYS = st.sampled_from(
    ["from", "value", "role", "content", "type", "text", "image_url", "url", "bbox", "ref", "bytes", "path"]
)
ANYTHING = st.recursive(
    LEAF, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)), max_leaves=8
)
COLUMNS = ("conversations", "messages", "prompt", "completion", "images", "image", "system", "objects", "instruction",
           "input", "output", "history", "id")  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.dictionaries(st.sampled_from(COLUMNS), ANYTHING, max_size=5), min_size=1, max_size=3))
def test_no_row_ends_the_check(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    """A folder of strangers holds anything; the check must say so, not break."""
    (tmp_path / "rows.json").write_text(json.dumps(rows), "utf-8")
    info = {name: {"file_name": "rows.json", **entry} for name, entry in (("a", faults.SHAREGPT), ("b", faults.ALPACA))}
    (tmp_path / "dataset_info.json").write_text(json.dumps(info), "utf-8")
    for consumer in ("llamafactory", "swift", "vllm"):
        try:
            examine(tmp_path, consumer, Settings(cutoff_len=512))
        except UsageError as error:
            assert "holds nothing" in str(error)


@settings(max_examples=60, deadline=None)
@given(value=ANYTHING)
def test_no_request_ends_the_check(value: Any) -> None:
    """The same for what only TRL and servers read."""
    from curate.export.check import parts

    messages = [value] if isinstance(value, dict) else []
    assert isinstance(parts.laid(messages).questions, list)
    assert isinstance(parts.texts(messages), list)
