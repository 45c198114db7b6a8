"""Copies in other words: what may change, what must not, and how many there are."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from augment_support import context, perform, talk
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.augment.draw import Draw
from curate.augment.guards import Guard
from curate.augment.reorder import Reordering
from curate.augment.text import AugmentTextOptions, AugmentTextStage
from curate.augment.words import segmenter
from curate.labels.registry import Registry
from curate.pipeline.outcome import Outcome
from curate.records import Record, Turn, from_table

PIECES = st.sampled_from(
    [
        "这款",
        "我昨天",
        "今天",
        "能不能",
        "没有",
        "不",
        "3克",
        "什么时候",
        "怎么用",
        "发货",
        "商品材质",
        "调光",
        "，",
        "。",
        "吗",
        "呢",
        "请问",
        "A12",
        "<image>",
        "【新款】",
        "谢谢",
        "里面",
        "有点",
        "家里老人",
    ]
)
SENTENCES = st.lists(PIECES, min_size=1, max_size=12).map("".join)


def augment(rows: list[Record], seed: int = 0, shard: int = 100, **options: object) -> Outcome:
    stage = AugmentTextStage(AugmentTextOptions(**options), context(seed=seed))  # type: ignore[arg-type]
    return perform(stage, rows, shard)


def copies(outcome: Outcome) -> list[Record]:
    added = {entry["uid"] for entry in outcome.ledger.to_pylist() if entry["action"] == "added"}
    return [record for record in from_table(outcome.rows) if record.uid in added]


def talked(text: str, number: int = 0, role: str = "user") -> Record:
    return Record(
        f"u{number}", str(number), "dialogue_intent", (Turn(role, text), Turn("agent", "")), label="商品材质", raw=""
    )


def of(text: str, pattern: str) -> Counter[str]:
    return Counter(re.findall(pattern, text))


@settings(max_examples=150, deadline=None)
@given(text=SENTENCES, seed=st.integers(0, 3))
def test_what_decides_the_label_is_never_touched(text: str, seed: int) -> None:
    """A copy whose number, negation, model name, bracket or label word changed teaches something wrong."""
    record = Record("u", "s", "dialogue_intent", (Turn("agent", text), Turn("user", "x")), label="商品材质", raw="")
    stage = AugmentTextStage(AugmentTextOptions(), context(seed=seed))
    stage.open()
    for copy, _ in stage.variants(record, 3):
        after = copy.turns[0].text
        for pattern in (r"[0-9A-Za-z]+", r"<image>", r"【[^】]*】", "材质", "调光", "没有|不|没", "吗"):
            if pattern == "没有|不|没":
                # 能不能 may become 可不可以, 有没有 is among no pieces: what is negated stays negated
                assert sum(of(text, "没有|不(?!能)|没").values()) == sum(of(after, "没有|不(?!能|可)|没").values())
            else:
                assert of(text, pattern) == of(after, pattern), (text, after)


@settings(max_examples=200, deadline=None)
@given(text=SENTENCES)
def test_a_move_keeps_every_character_and_the_question_at_its_end(text: str) -> None:
    """Reordering that loses a word, or leaves 吗 in the middle of a sentence, makes no sentence of a customer."""
    for _, moved in Reordering(segmenter(frozenset())).moves(text):
        assert Counter(moved) == Counter(text)
        assert moved[-1] == text[-1] or text[-1] not in "吗呢吧"


@pytest.mark.parametrize(
    ("text", "moved"),
    [
        ("昨晚贴的，今天起气泡了", "今天起气泡了，昨晚贴的"),
        ("我昨天买的这款", "昨天我买的这款"),
        ("这款灯很亮，可以退吗", None),
        ("如果不合适，我要退", None),
        ("明天这个快递到吗", None),
    ],
)
def test_clauses_and_times_move_where_that_is_chinese(text: str, moved: str | None) -> None:
    """Examples that a person read."""
    found = [after for _, after in Reordering(segmenter(frozenset())).moves(text)]
    assert found == ([moved] if moved else [])


def test_a_copy_names_its_parent_and_its_edits() -> None:
    """Whoever doubts a copy must see what was done to which record."""
    outcome = augment([talk(n) for n in range(5)], per_record=2)
    ledger = {entry["uid"]: entry for entry in outcome.ledger.to_pylist() if entry["action"] == "added"}
    made = copies(outcome)
    assert len(made) == 10
    for copy in made:
        entry = ledger[copy.uid]
        assert entry["related_uid"] == copy.parent
        assert re.fullmatch(r"((synonym|reorder|delete) \d+:\d+[^;]*(; )?)+", entry["detail"])
        assert entry["value"] == len(entry["detail"].split("; "))


def test_no_two_texts_are_the_same() -> None:
    """A text that stands twice in a training set counts twice, and leaks into validation where it is split again."""
    outcome = augment([talk(n) for n in range(5)], per_record=10)
    texts = [(record.turns) for record in from_table(outcome.rows)]
    assert len(texts) == len(set(texts))


def test_too_few_different_texts_are_told() -> None:
    """Silence would look as if every record had its copies."""
    outcome = augment([talked("3.5 A12 <http>")], per_record=4)
    assert [entry["code"] for entry in outcome.ledger.to_pylist()] == ["text_copies_missing"]


def test_rare_labels_get_more_copies_and_frequent_ones_none() -> None:
    """Rebalancing must level labels, not multiply the imbalance."""
    rows = [talk(n * 5) for n in range(8)] + [talk(1), talk(6)]
    outcome = augment(rows, target_per_label=8, most_per_record=5)
    counts = Counter(record.label for record in from_table(outcome.rows))
    assert counts == {"商品材质": 8, "用法用量": 8}


def test_no_record_gets_more_copies_than_the_cap() -> None:
    """Fifty copies of one talk teach that one talk."""
    assert len(copies(augment([talk(3)], target_per_label=100, most_per_record=4))) == 4


@pytest.mark.parametrize(("changes", "number"), [({"split": "val"}, 0), ({"split": None}, 1), ({"parent": "x"}, 0)])
def test_only_originals_that_train_are_copied(changes: dict[str, object], number: int) -> None:
    """A copy of a validation record in training is a leak; a copy of a copy drifts away from what people say."""
    assert len(copies(augment([talk(0, **changes)]))) == number


def test_the_answer_to_learn_is_left_as_it_is() -> None:
    """In a chat without label the agent's last turn is what is trained on."""
    turns = (Turn("user", "请问什么时候能寄出"), Turn("agent", "亲，您好，我们马上发货哦"))
    record = Record("u", "s", "chat", turns, raw="")
    assert {copy.turns[1].text for copy in copies(augment([record], per_record=8))} <= {turns[1].text}


def test_labels_of_the_data_are_protected_where_no_registry_is() -> None:
    """A dataset of one's own has competitors among its labels too."""
    stage = AugmentTextStage(AugmentTextOptions(per_record=8, roles=("user",)), context().__class__(context().pictures))
    rows = [
        Record("u1", "1", "t", (Turn("user", "这个质量怎么样"),), label="质量", raw=""),
        Record("u2", "2", "t", (Turn("user", "里面的价格和质量怎么样"),), label="价格", raw=""),
    ]
    for copy in copies(perform(stage, rows)):
        assert "质量" in copy.turns[0].text


@settings(max_examples=15, deadline=None)
@given(st.permutations(range(10)), st.integers(1, 11))
def test_order_and_shards_do_not_matter(order: list[int], shard: int) -> None:
    """The same data must give the same copies, however it is stored."""
    rows = [talk(n) for n in range(10)]
    alike = {copy.uid: copy.turns for copy in copies(augment(rows, target_per_label=4))}
    assert {
        copy.uid: copy.turns for copy in copies(augment([rows[n] for n in order], shard=shard, target_per_label=4))
    } == alike


def test_another_seed_gives_other_copies() -> None:
    """Else a second run could not add anything."""
    rows = [talk(n) for n in range(5)]
    assert [copy.turns for copy in copies(augment(rows, seed=1))] != [
        copy.turns for copy in copies(augment(rows, seed=2))
    ]


def test_swap_and_typo_make_mistakes_only_when_asked() -> None:
    """Typing mistakes are an option, not a surprise."""
    outcome = augment([talk(n) for n in range(5)], operations=("swap", "typo"), per_record=2)
    told = " ".join(entry["detail"] or "" for entry in outcome.ledger.to_pylist())
    assert {word for word in ("swap", "typo", "synonym", "delete") if word in told} == {"swap", "typo"}


def test_a_draw_is_the_same_on_every_machine() -> None:
    """Golden numbers: where they change, every published seed means something else."""
    draw = Draw(0, "a", "augment-text", 1)
    assert [draw.below(100) for _ in range(4)] == [71, 56, 19, 10]
    assert Draw(1).order([1, 2, 3, 4, 5]) == [3, 1, 4, 5, 2]


def test_every_label_of_the_task_is_guarded() -> None:
    """The words of competitors would move a record towards another label."""
    labels = Registry.load("mire").labels("dialogue_intent")
    guard = Guard(segmenter(frozenset()), labels, ())
    assert (
        guard.speaks_of_labels("这是什么材质")
        and guard.speaks_of_labels("怎么控制")
        and not guard.speaks_of_labels("你好")
    )
