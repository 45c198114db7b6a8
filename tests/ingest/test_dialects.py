"""How each dialect becomes turns, pictures and labels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from curate.errors import RowError
from curate.ingest.detect import DIALECTS, open_source
from curate.ingest.dialects import alpaca, mire, openai, plain, sharegpt
from curate.ingest.parts import Parts
from curate.pipeline.source import InputOptions, Position

SHARED = Path(__file__).parents[3] / "shared" / "data"
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared sample data are not on this machine")
PROMPT = '你是一个电商客服专家，请根据对话判断。\n<用户与客服的对话 START>\n{}\n<用户与客服的对话 END>\n可以参考的标签为：["气泡"]\n'
SCENE = "Picture 1: <image>\n你是一个电商领域识图专家,可以理解图片。分类标签:[]。"


def intent(body: str, images: list[str] | None = None, **more: Any) -> Parts:
    """Parse one MIRE intent record."""
    return mire.DIALECT.parse(
        {"id": "m", "instruction": PROMPT.format(body), "input": "", "image": images or [], **more}
    )


def test_an_empty_agent_turn_stays_a_turn() -> None:
    """Else user and agent turns fall out of step."""
    assert intent("用户: 你好\n客服: \n用户: 在吗\n客服:").turns == [
        ("user", "你好"), ("agent", ""), ("user", "在吗"), ("agent", "")]  # fmt: skip


def test_a_line_without_speaker_goes_on_with_the_turn() -> None:
    """Agents send lists of steps; full-width colons occur in files of participants."""
    assert intent("用户：怎么用\n客服: 第一步\n第二步：打开\n\n第三步").turns == [
        ("user", "怎么用"), ("agent", "第一步\n第二步：打开\n\n第三步")]  # fmt: skip


def test_one_blank_is_taken_off_and_no_more() -> None:
    """Text must stay as it was typed."""
    assert intent("用户:  两格 ").turns == [("user", " 两格 ")]


def test_pictures_alone_in_a_turn_are_placeholders_and_typed_ones_are_escaped() -> None:
    """A trainer counts the literal word, and stops where it is once too often."""
    parts = intent("用户: <image>\n客服: 请发 <image> 或 <video>\n用户: 好", ["a.jpg"])
    assert parts.turns == [("user", "<image>"), ("agent", "请发 &lt;image&gt; 或 &lt;video&gt;"), ("user", "好")]


def test_a_typed_placeholder_without_any_picture_is_escaped() -> None:
    """As above, for a dialogue without pictures."""
    assert intent("用户: 输入<image>没反应").turns == [("user", "输入&lt;image&gt;没反应")]


def test_other_angle_brackets_are_left_alone() -> None:
    """Product names and addresses stand in them."""
    assert intent("用户: <隔离霜+防晒霜> <http>").turns == [("user", "<隔离霜+防晒霜> <http>")]


@pytest.mark.parametrize(
    ("prompt", "task"),
    [(PROMPT.format("用户: 识图 你是一个电商领域识图专家"), "dialogue_intent"), (SCENE, "image_scene")],
)
def test_the_task_is_told_by_the_prompt(prompt: str, task: str) -> None:
    """The word for picture recognition occurs inside dialogues too."""
    assert mire.task_of({"instruction": prompt}) == task


def test_a_scene_record_is_one_picture() -> None:
    """The prompt is not part of the data; templates write it again."""
    parts = mire.DIALECT.parse({"id": "s", "instruction": SCENE, "output": "支付页面", "image": ["s-0.jpg"]})
    assert (parts.turns, parts.images, parts.label) == ([("user", "<image>")], ["s-0.jpg"], "支付页面")


@pytest.mark.parametrize("more", [{}, {"output": ""}])
def test_a_test_file_has_no_labels(more: dict[str, str]) -> None:
    """Round-one test files have no output at all."""
    assert intent("用户: 你好", **more).label is None


@needs_shared
def test_the_demo_file_reads_as_the_organisers_wrote_it(tmp_path: Path) -> None:
    """The demo file has raw addresses and picture paths with folders, which the train file has not."""
    source = open_source(InputOptions(path=SHARED / "mire" / "demo_test.json"))
    rows = next(source.shards(Position(), [])).batch.table.to_pylist()
    parsed = [mire.DIALECT.parse(json.loads(row["raw"])) for row in rows]
    assert (source.format, len(rows), {row["task"] for row in rows}) == ("mire", 10, {"dialogue_intent"})
    assert all(sum(text == "<image>" for _, text in parts.turns) == len(parts.images) for parts in parsed)
    assert rows[0]["images"][0]["path"] == "save/images/2127e96c17273966761471590d0b0d-0.jpg"


def test_picture_paths_with_folders_are_found_by_their_name(tmp_path: Path) -> None:
    """The demo names save/images/NAME while the pictures are handed out in one folder."""
    from PIL import Image

    Image.new("RGB", (3, 2)).save(tmp_path / "x-0.png")
    record = {"id": "x", "instruction": PROMPT.format("用户: <image>"), "image": ["save/images/x-0.png"]}
    (tmp_path / "in.json").write_text(json.dumps([record]), encoding="utf-8")
    row = (
        next(open_source(InputOptions(path=tmp_path / "in.json")).shards(Position(), []))
        .batch.outcome()
        .rows.to_pylist()[0]
    )
    assert (row["images"][0]["path"], row["images"][0]["width"]) == ("x-0.png", 3)


@pytest.mark.parametrize(
    ("row", "turns"),
    [
        (
            {"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]},
            [("user", "a"), ("agent", "b")],
        ),
        (
            {"conversations": [{"from": "用户", "value": "a"}, {"from": "客服", "value": "b"}]},
            [("user", "a"), ("agent", "b")],
        ),
        (
            {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]},
            [("user", "a"), ("agent", "b")],
        ),
        ({"conversation": [{"human": "a", "assistant": "b"}]}, [("user", "a"), ("agent", "b")]),
        (
            {"conversations": [{"from": "human", "value": "a"}], "images": ["1.png", "2.png"]},
            [("user", "<image><image>a")],
        ),
    ],
)
def test_sharegpt_variants_become_the_same_turns(row: dict[str, Any], turns: list[tuple[str, str]]) -> None:
    """Public files use many names for the same thing."""
    assert sharegpt.DIALECT.parse(row).turns == turns


def test_a_leading_system_turn_becomes_the_system_prompt() -> None:
    """Trainers keep it apart from the conversation."""
    row = {"conversations": [{"from": "system", "value": "s"}, {"from": "human", "value": "a"}], "system": "other"}
    parts = sharegpt.DIALECT.parse(row)
    assert (parts.system, parts.turns) == ("s", [("user", "a")])


def test_content_parts_put_pictures_where_they_stand() -> None:
    """Both vLLM requests and TRL rows interleave text and pictures; a typed placeholder between them is text."""
    content = [
        {"type": "text", "text": "看<image>"},
        {"type": "image_url", "image_url": {"url": "file:///a.png"}},
        {"type": "text", "text": "好"},
    ]
    parts = openai.DIALECT.parse({"messages": [{"role": "user", "content": content}]})
    assert (parts.turns, parts.images) == ([("user", "看&lt;image&gt;<image>好")], ["/a.png"])


def test_content_parts_take_pictures_from_the_list_beside_them() -> None:
    """TRL writes `{"type": "image"}` and the pictures in a column."""
    row = {
        "messages": [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "a"}]}],
        "images": ["1.png"],
    }
    assert openai.DIALECT.parse(row).turns == [("user", "<image>a")]


def test_alpaca_history_comes_first_and_input_follows_the_instruction() -> None:
    """That is how LLaMA-Factory joins them."""
    row = {"instruction": "i", "input": "n", "output": "o", "history": [["q", "r"]], "system": "s"}
    parts = alpaca.DIALECT.parse(row)
    assert (parts.turns, parts.system) == ([("user", "q"), ("agent", "r"), ("user", "i\nn"), ("agent", "o")], "s")


def test_paths_in_img_tags_are_pictures() -> None:
    """Older ms-swift files would otherwise lose their pictures without a word."""
    parts = alpaca.DIALECT.parse({"query": "<img>a.png</img>看", "response": "b"})
    assert (parts.turns[0], parts.images) == (("user", "<image>看"), ["a.png"])


def test_plain_rows_put_the_picture_before_the_text() -> None:
    """A picture with a caption is the commonest plain row."""
    parts = plain.DIALECT.parse({"id": 5, "image": "a.png", "text": "看", "label": 3, "split": "valid", "task": "t"})
    assert parts == Parts([("user", "<image>\n看")], "t", ["a.png"], "5", None, "3", "val")


def test_videos_are_refused() -> None:
    """Else a record about a video trains without it."""
    with pytest.raises(RowError, match="only pictures"):
        sharegpt.DIALECT.parse({"conversations": [{"from": "human", "value": "<video>a"}], "videos": ["a.mp4"]})


@needs_shared
@pytest.mark.parametrize(
    "file",
    [*sorted(SHARED.glob("ms_swift/*.jsonl")), SHARED / "llamafactory" / "mllm_demo.json"],
    ids=lambda file: file.name,
)
def test_samples_of_the_trainers_are_read(file: Path) -> None:
    """The files that LLaMA-Factory and ms-swift ship as examples must be read; only their pictures are not here."""
    if file.name == "swift_pre.jsonl":
        pytest.skip("answers without questions are no conversation")
    outcome = next(open_source(InputOptions(path=file)).shards(Position(), [])).batch.outcome()
    assert set(outcome.ledger["code"].to_pylist()) <= {"image_missing"}


def test_every_dialect_is_pure() -> None:
    """A dialect that changed its input would spoil what is written back."""
    rows = [{"instruction": PROMPT.format("用户: a"), "image": []}, {"conversations": [{"from": "human", "value": "a"}]},
            {"messages": [{"role": "user", "content": "a"}]}, {"instruction": "a", "output": "b"}, {"text": "a"}]  # fmt: skip
    before = json.dumps(rows)
    for dialect, row in zip(DIALECTS, rows, strict=True):
        dialect.parse(row)
    assert json.dumps(rows) == before
