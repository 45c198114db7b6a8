"""Templates: what a model is asked and what it learns to answer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from curate.dataset.pictures import PictureStore
from curate.errors import RowError, UsageError
from curate.export.template import Template, Wanted
from curate.labels.registry import Registry
from curate.pipeline import registry
from curate.pipeline.stage import Context
from curate.records import Image, Ocr, Record, Turn

LABELS = Registry.load("mire")
IMAGE = Image("a.jpg", "0" * 64, 100, 100, "JPEG", Ocr("fake", "已签收 <image> <|im_end|>"))
SCENE = Record("u1", "s1", "image_scene", (Turn("user", "<image>"),), (IMAGE,), label="物流页面-物流列表页面", raw="{}")
INTENT = Record(
    "u2",
    "s2",
    "dialogue_intent",
    (Turn("user", "<image>"), Turn("agent", ""), Turn("user", "会生锈吗")),
    (IMAGE,),
    label="是否会生锈",
    raw='{"rationale": "用户问会不会生锈"}',
)


def said(record: Record, template: str = "mire", **wanted: object) -> list[tuple[str, str]]:
    """Role and text of the messages."""
    messages = Template.load(template).messages(record, Wanted(**wanted))  # type: ignore[arg-type]
    return [(one.role, one.text) for one in messages]


def own(folder: Path, text: str) -> str:
    """A template file."""
    (folder / "own.yaml").write_text(f"name: own\nregistry: mire\n{text}", "utf-8")
    return str(folder / "own.yaml")


def test_the_prompts_are_the_baselines_byte_for_byte() -> None:
    """A blank more in the prompt, and results cannot be compared with the baseline's."""
    listed = {task: json.dumps(LABELS.labels(task), ensure_ascii=False, separators=(",", ":")) for task in LABELS.tasks}
    assert said(SCENE)[0][1] == (
        "Picture 1: <image>\n你是一个电商领域识图专家,可以理解消费者上传的软件截图或实物拍摄图。"
        "现在,请你对消费者上传的图片进行分类。你只需要回答图片分类结果,不需要其他多余的话。"
        f"以下是可以参考的分类标签,分类标签:{listed['image_scene']}。"
    )
    assert said(INTENT)[0][1] == (
        "你是一个电商客服专家，请根据用户与客服的多轮对话判断用户的意图分类标签。\n<用户与客服的对话 START>\n"
        "用户: <image>\n客服: \n用户: 会生锈吗\n<用户与客服的对话 END>\n"
        f"请直接只输出分类标签结果，不需要其他多余的话。以下是可以参考的分类标签为：{listed['dialogue_intent']}\n"
    )


def test_text_of_pictures_stands_behind_them_and_is_harmless() -> None:
    """A screenshot that shows `<image>` must not become a picture, and no text must be longer than asked."""
    prompt = said(INTENT, ocr_characters=100)[0][1]

    assert "用户: <image>\n图片1文字: 已签收 &lt;image&gt; ‹|im_end|›\n客服: " in prompt
    assert "图片1文字: 已签\n" in said(SCENE, ocr_characters=2)[0][1]


def test_coarse_fine_answers_have_the_group_before_the_label() -> None:
    """A label that begins with its group already must not get it twice, one without a group stays as it is."""
    assert said(INTENT, coarse_fine=True)[1] == ("assistant", "商品信息咨询-是否会生锈")
    assert '"商品信息咨询-是否会生锈"' in said(INTENT, coarse_fine=True)[0][1]
    assert said(SCENE, coarse_fine=True)[1] == ("assistant", "物流页面-物流列表页面")


def test_the_reason_is_a_second_turn() -> None:
    """The reason comes from the source's own record, else from what the registry says of the label."""
    assert said(INTENT, rationale=True)[2:] == [("user", "原因为何？"), ("assistant", "用户问会不会生锈")]
    assert said(SCENE, rationale=True)[3] == ("assistant", "呈现出两个以上物流信息的页面")
    assert len(said(INTENT)) == 2


def test_a_reason_is_for_training_only(tmp_path: Path) -> None:
    """A prediction answers the last question of a row, which must be the one about the label."""
    with pytest.raises(UsageError, match="plain has no rationale"):
        _exporter(tmp_path, template="plain", rationale=True)


def test_labels_are_listed_in_the_order_that_the_template_says(tmp_path: Path) -> None:
    """Two scenes may not be predicted; an order that never changes is learned instead of the labels."""
    body = 'label_order: {order}\ntasks:\n  "*":\n    user: "<image>{{{{ labels }}}}"\n'

    def labels(order: str, record: Record = SCENE, seed: int = 0) -> list[str]:
        prompt = said(record, own(tmp_path, body.format(order=order)), seed=seed)[0][1]
        return json.loads(prompt.removeprefix("<image>"))  # type: ignore[no-any-return]

    known = list(LABELS.labels("image_scene"))
    other = Record("u9", "s9", "image_scene", SCENE.turns, SCENE.images, label=SCENE.label, raw="{}")
    assert labels("registry") == known
    assert labels("allowed") == list(LABELS.tasks["image_scene"].allowed) != known
    assert labels("sorted") == sorted(known)
    assert labels("none") == []
    assert sorted(labels("shuffled")) == sorted(known)
    assert labels("shuffled") == labels("shuffled") != labels("shuffled", other)
    assert labels("shuffled") != labels("shuffled", seed=1)


def _exporter(folder: Path, **options: object) -> object:
    kind = registry.exporters()["sharegpt"]
    parsed = kind.Options.model_validate({"use": "sharegpt", **options})
    return kind(parsed, Context(PictureStore(folder, folder)))


def test_coarse_fine_needs_a_registry(tmp_path: Path) -> None:
    """An option that is read and does nothing is a wrong result that nobody sees."""
    with pytest.raises(UsageError, match="names no registry"):
        _exporter(tmp_path, template="plain", coarse_fine=True)


def test_a_text_that_does_not_render_names_itself(tmp_path: Path) -> None:
    """A slip in a template must not look like a bug in curate."""
    template = own(tmp_path, 'tasks:\n  "*":\n    user: "{{ nothing }}"\n')
    with pytest.raises(UsageError, match=r"template own: 'nothing' is undefined, in: \{\{ nothing \}\}"):
        said(INTENT, template)


def test_an_unlabelled_record_is_asked_only_where_no_answer_is_needed() -> None:
    """A test set is for prediction; a training set is not."""
    unknown = Record("u3", "s3", "dialogue_intent", INTENT.turns, INTENT.images, raw="{}")

    assert said(unknown, answered=False)[1] == ("assistant", "")
    assert said(unknown, "plain", answered=False)[-1] == ("assistant", "")
    for template in ("mire", "plain"):
        with pytest.raises(RowError, match="no_answer"):
            said(unknown, template)


def test_shuffled_labels_make_the_seed_part_of_the_result(tmp_path: Path) -> None:
    """Another seed is another export; without shuffling it is the same one."""
    template = own(tmp_path, 'label_order: shuffled\ntasks:\n  "*":\n    user: "{{ labels }}"\n')

    assert "seed" in _exporter(tmp_path, template=template).environment()  # type: ignore[attr-defined]
    assert "seed" not in _exporter(tmp_path, template="mire").environment()  # type: ignore[attr-defined]


def test_a_registry_lies_beside_the_template_that_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A template that works only from one folder is a riddle for the next person."""
    (tmp_path / "mine.yaml").write_text("name: mine\ntasks:\n  chat:\n    labels:\n      - {name: 好}\n", "utf-8")
    (tmp_path / "own.yaml").write_text(
        "name: own\nregistry: mine.yaml\ntasks:\n  chat: {answer: '{{ label }}'}\n", "utf-8"
    )
    monkeypatch.chdir("/")
    found = Template.load(str(tmp_path / "own.yaml")).registry
    assert found is not None and found.name == "mine"
