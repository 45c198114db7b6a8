"""Two-level labels: there, back, checked, and rolled up."""

from __future__ import annotations

from pathlib import Path

import pytest
from augment_support import context, perform, talk

from curate.errors import RowError, UsageError
from curate.labels.hierarchy import answers, at_level, coarse_of, fine, path_of, roll_up
from curate.labels.registry import Registry
from curate.labels.suggest import suggest
from curate.pipeline.outcome import Outcome
from curate.records import Record, Turn, from_table
from curate.select.label import LabelOptions, LabelStage

MIRE = Registry.load("mire")
INTENTS, SCENES = MIRE.tasks["dialogue_intent"], MIRE.tasks["image_scene"]


@pytest.mark.parametrize(
    "task", [INTENTS, SCENES, *Registry.load("jddc").tasks.values(), *Registry.load("feedback").tasks.values()]
)
def test_every_label_comes_back_from_its_path(task: object) -> None:
    """Scoring is on fine labels: an answer that cannot be mapped back is lost."""
    for label in task.labels:  # type: ignore[attr-defined]
        assert fine(task, path_of(label)) == label.name  # type: ignore[arg-type]
        assert at_level(task, path_of(label), "coarse") == coarse_of(label)  # type: ignore[arg-type]
        for alias in label.aliases:
            assert fine(task, alias) == label.name  # type: ignore[arg-type]


def test_the_groups_of_the_paper_hold_their_labels() -> None:
    """EcomMIR names four labels with their groups."""
    assert at_level(INTENTS, "是否好用", "path") == "商品信息咨询-是否好用"
    assert at_level(INTENTS, "是否会生锈", "coarse") == "商品信息咨询"
    assert {at_level(INTENTS, name, "coarse") for name in ("能否调光", "控制方式")} == {"功能使用咨询"}


def test_every_intent_has_a_group_and_no_path_is_ambiguous() -> None:
    """Else half of the answers would have one level and half two."""
    assert all(label.coarse for label in INTENTS.labels)
    for task in (INTENTS, SCENES):
        assert len({path_of(label) for label in task.labels}) == len(task.labels)


def test_a_label_that_holds_its_group_in_its_name_is_its_own_path() -> None:
    """物流页面-物流页面-物流列表页面 is nobody's label."""
    assert at_level(SCENES, "物流页面-物流列表页面", "path") == "物流页面-物流列表页面"
    assert at_level(SCENES, "购物车页面", "path") == "购物车页面"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("功能使用咨询-商品材质", "label_path_inconsistent"),
        ("不存在-商品材质", "unknown_label"),
        ("商品材质 ", "unknown_label"),
        ("商品信息咨询", "unknown_label"),
    ],
)
def test_a_path_that_is_none_is_refused(answer: str, code: str) -> None:
    """A model that mixes two levels has not understood the question; that must not score."""
    with pytest.raises(RowError) as caught:
        fine(INTENTS, answer)
    assert caught.value.code == code


def test_metrics_roll_up_to_groups() -> None:
    """Mistakes within a group disappear, mistakes between groups and made-up answers stay."""
    gold = ["能否调光", "控制方式", "商品材质", "气泡"]
    told = ["控制方式", "功能使用咨询-控制方式", "单品推荐", "不知道"]
    assert sum(a == b for a, b in zip(gold, told, strict=True)) == 0
    assert [a == b for a, b in zip(roll_up(INTENTS, gold), roll_up(INTENTS, told), strict=True)] == [
        True,
        True,
        False,
        False,
    ]


def test_a_dataset_may_carry_every_form_of_its_labels() -> None:
    """The engine checks labels after every stage; a path is one."""
    assert {"能否调光", "功能使用咨询-能否调光", "功能使用咨询"} <= set(answers(INTENTS))


def written(rows: list[Record], **options: object) -> Outcome:
    return perform(LabelStage(LabelOptions(**options), context()), rows)  # type: ignore[arg-type]


def scene(label: str | None, task: str = "image_scene") -> Record:
    return Record("u", "s", task, (Turn("user", "x"),), label=label, raw="")


def test_there_and_back_again() -> None:
    """Paths for training, fine labels for scoring, without loss."""
    rows = [talk(n) for n in range(5)]
    paths = list(from_table(written(rows, level="path").rows))
    assert [record.label for record in paths][:2] == ["商品信息咨询-商品材质", "功能使用咨询-用法用量"]
    assert list(from_table(written(paths, level="fine").rows)) == rows


@pytest.mark.parametrize(
    ("label", "result"),
    [
        ("下单过程中出现异常(显示购买失败浮窗)", "下单过程中出现异常（显示购买失败浮窗）"),
        ("购物车页面", "购物车页面"),
        (None, None),
    ],
)
def test_aliases_become_labels(label: str | None, result: str | None) -> None:
    """Scoring is an exact match, brackets included."""
    (record,) = from_table(written([scene(label)]).rows)
    assert record.label == result


@pytest.mark.parametrize(
    ("label", "options", "code"),
    [
        ("购物车页", {}, "unknown_label"),
        ("功能使用咨询-商品材质", {"task": "dialogue_intent"}, "label_path_inconsistent"),
        ("商品信息咨询", {"task": "dialogue_intent", "level": "path"}, "label_not_fine"),
    ],
)
def test_a_bad_label_fails_its_row_with_what_is_near(label: str, options: dict[str, object], code: str) -> None:
    """Nothing is trimmed or guessed."""
    outcome = written([scene(label)], **options)
    (entry,) = outcome.ledger.to_pylist()
    assert (entry["action"], entry["code"]) == ("failed", code)
    assert entry["detail"]


def test_a_label_that_no_model_may_answer_can_go() -> None:
    """Two scenes of MIRE must not be predicted."""
    rows = [scene("个人信息页面")]
    assert written(rows).counts.kept == 1
    assert written(rows, not_allowed="drop").counts.codes == {"dropped": {"label_not_allowed": 1}}


def test_a_label_tells_its_task_where_the_source_does_not() -> None:
    """A folder of pictures has a task of its own; its labels know better."""
    (record,) = from_table(written([scene("购物车页面", "image")]).rows)
    assert record.task == "image_scene"


def test_a_task_that_the_registry_does_not_have_is_told_before_the_first_row() -> None:
    """Not once for each row."""
    with pytest.raises(UsageError, match="has no task 'scene'; it has image_scene, dialogue_intent"):
        LabelStage(LabelOptions(task="scene"), context()).environment()


def test_jddc_has_the_fifteen_categories_of_the_paper() -> None:
    """Eight screenshots and seven photos."""
    labels = Registry.load("jddc").tasks["image_category"].labels
    assert [sum(label.coarse == group for label in labels) for group in ("截图", "实拍")] == [8, 7]
    assert all(label.aliases and label.description for label in labels)


def test_suggestions_put_like_labels_together_and_follow_confusion(tmp_path: Path) -> None:
    """A person edits faster than a person invents."""
    groups = suggest(INTENTS, 10)
    assert sorted(label for group in groups for label in group) == sorted(INTENTS.names)
    assert any({"单品推荐", "套装推荐"} <= set(group) for group in groups)
    mixed = suggest(INTENTS, 10, [("气泡", "发货数量")] * 30)
    assert any({"气泡", "发货数量"} <= set(group) for group in mixed)
    assert not any({"气泡", "发货数量"} <= set(group) for group in groups)
