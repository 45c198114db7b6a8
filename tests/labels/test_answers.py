"""What a model answered, as a label: every odd answer that was seen, and none of them by chance."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.labels.answers import STEPS, Answer, parse_answer
from curate.labels.registry import Label, Registry, Task

MIRE = Registry.load("mire")
SCENE, INTENT = MIRE.tasks["image_scene"], MIRE.tasks["dialogue_intent"]


@pytest.mark.parametrize(
    ("text", "label", "step"),
    [
        ("商品材质", "商品材质", "exact"),
        ('"商品材质"', "商品材质", "stripped"),
        ("商品材质。", "商品材质", "stripped"),
        (" 商品材质.\n", "商品材质", "stripped"),
        ('["气泡"]', "气泡", "stripped"),
        ('{"label": "气泡"}', "气泡", "json"),
        ('好的，{"理由": "用户说贴膜起泡了", "所属类别": "气泡"}', "气泡", "json"),
        ("<结论>气泡</结论>", "气泡", "named"),
        ("图像里是贴膜，图像标籤：气泡", "气泡", "named"),
        ("买家咨询商品是否好用", "是否好用", "description"),
        ("用户想知道适用季节是什么", "适用季节", "contained"),
        ("版本款型的区别", "版本款型区别", "nearest"),
    ],
)
def test_intents_are_found(text: str, label: str, step: str) -> None:
    """If this fails, a right answer counts as wrong because of a full stop, or the step told is not the one taken."""
    assert parse_answer(text, INTENT) == Answer(label, step)


@pytest.mark.parametrize(
    ("text", "label", "step"),
    [
        ("实物拍摄（含售后）", "实物拍摄(含售后)", "alias"),
        ("“下单过程中出现异常(显示购买失败浮窗)”", "下单过程中出现异常（显示购买失败浮窗）", "stripped"),
        ("各种非淘宝、菜鸟APP的截图", "外部APP截图", "description"),
        ("个人信息页面", "其他类别图片", "fallback"),
        ("", "其他类别图片", "fallback"),
        ("我不知道", "其他类别图片", "fallback"),
        ("退款页面或者退货页面", "其他类别图片", "fallback"),
        (str(list(SCENE.names))[:100], "其他类别图片", "fallback"),
    ],
)
def test_scenes_are_found(text: str, label: str, step: str) -> None:
    """If this fails, a label with brackets is torn, or a label that must not be answered gets through."""
    assert parse_answer(text, SCENE) == Answer(label, step)


def test_a_group_before_the_label_is_taken_off() -> None:
    """If this fails, models trained on coarse-fine answers score zero."""
    assert parse_answer("物流页面-物流页面-物流列表页面", SCENE).label == "物流页面-物流列表页面"
    task = Task(labels=(Label(name="材质", coarse="商品信息"), Label(name="用法", coarse="使用")))
    assert parse_answer("商品信息-材质", task) == Answer("材质", "coarse_fine")
    assert parse_answer("使用：用法。", task) == Answer("用法", "coarse_fine")


def test_without_a_fallback_the_answer_is_unusable() -> None:
    """If this fails, nonsense becomes some label, silently."""
    assert parse_answer("???", Task(labels=(Label(name="材质"),))) == Answer(None, "unusable")


@given(st.text(max_size=60))
def test_any_text_has_an_answer_that_may_be_given(text: str) -> None:
    """If this fails, one odd answer stops the evaluation of ten thousand."""
    answer = parse_answer(text, SCENE)
    assert answer.label in SCENE.allowed and answer.step in STEPS


@pytest.mark.parametrize("task", [SCENE, INTENT])
def test_every_label_means_itself(task: Task) -> None:
    """If this fails, a correct answer is turned into another label."""
    assert [parse_answer(name, task) for name in task.allowed] == [Answer(name, "exact") for name in task.allowed]
