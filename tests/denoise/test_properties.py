"""What holds for any dialogue: pictures, labels, digits and the last question stay; twice is once; order is no matter."""

from __future__ import annotations

import re
import time
from functools import cache

import numpy as np
import pyarrow as pa
import pytest
from denoise_support import lines, record, run, stage
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.denoise.rule_file import load_rules
from curate.denoise.stage import DenoiseStage
from curate.records import Record, to_table, violations

FILE = load_rules("zh-ecommerce")
PARTS = [
    *(text.split(": ", 1)[-1] for rule in FILE.rules for text in rule.spares for text in text.split("\n")),
    *(text.split(": ", 1)[-1] for rule in FILE.rules for hit in rule.hits for text in hit.text.split("\n")),
    *(
        "，",
        "。",
        "？？",
        "！",
        "~",
        "\n",
        "  ",
        "　",
        " ",
        "<image>",
        "<http>",
        "\u200b",
        "亲",
        "您好",
        "谢谢",
        "好的",
    ),
    *("<im", "age>", "https://a.example.com/b?c=1", "499.00元", "13800000000", "XL", "哈哈哈", "😊", ""),
]
TEXT = st.one_of(
    st.lists(st.sampled_from(PARTS), max_size=5).map("".join),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
)
SAID = st.lists(st.tuples(st.sampled_from("uuaas"), TEXT).map(": ".join), max_size=7)


@pytest.fixture(scope="module")
def one() -> DenoiseStage:
    """The stage with every rule on, opened once."""
    return stage(on=("trailing-agent", "modal"))


@pytest.fixture(scope="module")
def usual() -> DenoiseStage:
    """The stage as it is by default."""
    return stage()


def records(dialogues: list[list[str]]) -> list[Record]:
    return [record(f"r{number}", said, label="标签（1）") for number, said in enumerate(dialogues)]


@settings(max_examples=40, deadline=None)
@given(st.lists(SAID, min_size=1, max_size=4))
def test_twice_is_once(one: DenoiseStage, dialogues: list[list[str]]) -> None:
    """A data set that changes every time it is cleaned is never done."""
    first = run(records(dialogues), one).rows
    second = run(first, one)

    assert second.rows["turns"].to_pylist() == first["turns"].to_pylist()
    assert second.ledger.num_rows == 0


@settings(max_examples=40, deadline=None)
@given(SAID)
def test_pictures_labels_and_raw_stay_and_the_record_stays_valid(usual: DenoiseStage, said: list[str]) -> None:
    """A record with a picture too few stops a training run; a changed label spoils it."""
    made = records([said])
    rows = run(made, usual).rows

    assert violations(rows) == []
    assert rows.select(["label", "raw", "images"]).equals(to_table(made).select(["label", "raw", "images"]))
    before = [line[0] for line in said for _ in range(line[3:].count("<image>"))]
    assert [line[0] for line in lines(rows.to_pylist()[0]) for _ in range(line.count("<image>"))] == before


def _query(said: list[str]) -> str | None:
    user = [line[3:] for line in said if line.startswith("u")]
    return next((text for text in reversed(user) if text.replace("<image>", "").strip()), None)


@settings(max_examples=40, deadline=None)
@given(SAID)
def test_the_last_question_is_never_emptied(usual: DenoiseStage, said: list[str]) -> None:
    """The label answers the user's last words; without them the record teaches nonsense."""
    cleaned = _query([line.replace("⏎", "\n") for line in lines(run(records([said]), usual).rows.to_pylist()[0])])
    query = _query(said)

    assert (cleaned is None) == (query is None)
    if query is not None and re.search(r"[^\W_]", query.replace("<image>", "")):
        assert re.search(r"[^\W_]", (cleaned or "").replace("<image>", ""))


FACTS = st.sampled_from(
    [
        "一台499.00元",
        "高35cm宽20cm",
        "mate60-pro的壳",
        "7-16系列",
        "比例1:8",
        "2025-11-11发货",
        "XL码170斤",
        "99~199元两款",
        "99/套",
        "1.5米床",
    ]
)
NOISE = st.sampled_from(
    [
        "亲，",
        "您好，",
        "谢谢，",
        "，感谢您的支持！",
        "，祝您生活愉快！",
        "，关注店铺有礼",
        "😊",
        "！！！",
        "  ",
        "~",
        "。欢迎光临。",
        "<http>",
        "\u200b",
        "，限时抢购中",
        "，为您转接人工客服",
    ]
)


@settings(max_examples=80, deadline=None)
@given(st.lists(NOISE, max_size=3), FACTS, st.lists(NOISE, max_size=3), st.sampled_from("ua"))
def test_prices_sizes_and_models_survive_every_rule(
    usual: DenoiseStage, before: list[str], fact: str, after: list[str], role: str
) -> None:
    """The digits of a price are why somebody asked."""
    said = [f"{role}: {''.join(before)}{fact}{''.join(after)}", "a: 好的", "u: 那这款什么时候有货呀"]
    text = "\n".join(lines(run(records([said]), usual).rows.to_pylist()[0]))

    assert re.findall(r"\d+", text) == re.findall(r"\d+", fact)


@settings(max_examples=40, deadline=None)
@given(TEXT)
def test_digits_change_only_by_the_rules_that_are_about_them(text: str) -> None:
    """Rules on characters and words touch no digit, but for links, emoticons and long numbers."""
    rules = [rule.id for rule in FILE.rules if rule.level in ("characters", "word")]
    off = tuple(rule.id for rule in FILE.rules if rule.id not in rules or rule.id in ("long-number", "url", "markup"))
    rows = run([record("r", [f"u: {text}"])], _without(off)).rows.to_pylist()

    assert re.findall(r"[0-9]", lines(rows[0])[0][3:]) == re.findall(r"[0-9]", text)


@cache
def _without(off: tuple[str, ...]) -> DenoiseStage:
    return stage(off=off)


@settings(max_examples=25, deadline=None)
@given(st.lists(SAID, min_size=2, max_size=8), st.integers(1, 7))
def test_the_result_does_not_depend_on_the_cut_of_batches(
    usual: DenoiseStage, dialogues: list[list[str]], size: int
) -> None:
    """A resumed run, another shard size or a search for a bad row cut otherwise; the bytes must be the same."""
    table = to_table(records(dialogues))
    whole = run(table, usual)
    pieces = [run(table.slice(start, size), usual) for start in range(0, len(table), size)]

    assert pa.concat_tables([piece.rows for piece in pieces]).to_pylist() == whole.rows.to_pylist()
    assert pa.concat_tables([piece.ledger for piece in pieces]).to_pylist() == whole.ledger.to_pylist()


@cache
def _slow() -> DenoiseStage:
    return stage(segmenter="jieba")


@settings(max_examples=25, deadline=None)
@given(st.lists(SAID, min_size=1, max_size=4))
def test_jieba_gives_the_same_data_set(usual: DenoiseStage, dialogues: list[list[str]]) -> None:
    """Which segmenter was installed must not decide what a model learns."""
    assert run(records(dialogues), _slow()).rows.equals(run(records(dialogues), usual).rows)


def test_rows_do_not_hear_of_each_other(usual: DenoiseStage) -> None:
    """Equal texts are looked at once; what is a query in one dialogue is none in another."""
    said = [["u: 谢谢亲", "a: 您好", "u: 谢谢亲"], ["u: 谢谢亲"], ["a: 谢谢亲", "u: 有货吗"]]
    apart = [lines(run([record("r0", one)], usual).rows.to_pylist()[0]) for one in said]

    assert [
        lines(row) for row in run([record(f"r{n}", one) for n, one in enumerate(said)], usual).rows.to_pylist()
    ] == apart


def test_a_record_that_becomes_empty_is_kept_and_coded(usual: DenoiseStage) -> None:
    """A picture whose dialogue was all noise is still a picture."""
    outcome = run([record("r", ["a: 您好", "u: <image>", "a: 祝您生活愉快！"])], usual)

    assert lines(outcome.rows.to_pylist()[0]) == ["u: <image>"]
    assert "empty_after_denoise" in outcome.ledger["code"].to_pylist()


def test_turns_of_the_system_are_not_touched(usual: DenoiseStage) -> None:
    """A prompt with a list of labels is no chat."""
    said = ["s: 您好！！！ 谢谢https://a.example.com", "u: 有货吗，想买两件"]

    assert lines(run([record("r", said)], usual).rows.to_pylist()[0])[0] == said[0]


def test_many_rows_are_worked_on_as_columns() -> None:
    """Ten thousand equal texts cost about as much as one, not ten thousand times as much."""
    looked = []
    made = stage()
    cleaner = made._dialogues._text  # type: ignore[union-attr]
    clean = cleaner.clean
    cleaner.clean = lambda texts, role, query: looked.append(len(texts)) or clean(texts, role, query)  # type: ignore[method-assign,func-returns-value]
    run([record(f"r{n}", ["u: 您好，这款有货吗", "a: 有的亲", "u: 谢谢，那我拍两件"]) for n in range(500)], made)

    assert np.sum(looked) < 30


@pytest.mark.parametrize(
    "piece",
    ["亲", "在的", "，、", " ", "哈", "1", "a.", "谢谢", "能", "人工", "1~", "?! ", "//", "<", "￥1", "0.1-", "。"],
)
def test_a_long_text_takes_no_long_time(usual: DenoiseStage, piece: str) -> None:
    """Somebody pastes ten thousand blanks; a pattern that tries all ways to match them would hang the run."""
    began = time.process_time()
    run(
        [record("r", [f"{role}: {piece * (10_000 // len(piece))}{tail}" for role in "ua" for tail in ("", "x")])], usual
    )

    assert time.process_time() - began < 5
