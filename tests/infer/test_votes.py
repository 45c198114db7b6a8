"""Several answers of one row: most of them decide, and the budget holds for all of them together."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from stub_server import Answer, Script, Stub, completion, refusal, serving

from curate.cli.main import invoke
from curate.infer.ask import ServerEngine
from curate.infer.journal import Reply
from curate.infer.options import AskOptions
from curate.infer.question import Question, Turn
from curate.infer.run import Inference, infer
from curate.infer.votes import decide
from curate.labels.registry import Registry

REGISTRY = Registry.load("feedback")
TASK = REGISTRY.tasks["feedback"]


def says(*answers: str) -> Script:
    """A model that says another thing for each seed."""

    def script(request: dict[str, Any], seen: int) -> Answer:
        return 200, json.dumps(completion(request, answers[request["seed"]])).encode(), 0

    return script


def ask(stub: Stub, out: Path, rows: int = 3, **options: Any) -> Inference:
    asked = [
        Question(f"u{n}", f"s{n}", "feedback", None, (Turn("user", f"说 {n}"),), (), TASK.allowed) for n in range(rows)
    ]
    with serving(stub):
        engine = ServerEngine(
            stub.url, AskOptions(**{"model": "tiny", "temperature": 0.7, "max_tokens": 20, **options})
        )
        return infer(asked, out, engine, REGISTRY)


def table(out: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(out / "predictions.parquet").to_pylist()
    return rows


def test_most_answers_decide(tmp_path: Path) -> None:
    """If this fails, three calls are paid for and the first one decides."""
    stub = Stub(says("负面", "正面", "好评"))
    found = ask(stub, tmp_path, votes=3)
    assert (found.answered, found.known) == (3, 0)
    for row in table(tmp_path):
        assert (row["predicted"], row["answer"], row["step"]) == ("正面", "正面", "exact")
        assert (row["votes"], row["agreeing"], row["calls"]) == (3, 2, 3)
        assert row["output_tokens"] == 9  # each word of two letters, and the mark that ends it
    assert Counter(body["seed"] for body in stub.bodies) == {0: 3, 1: 3, 2: 3}


def test_more_votes_later_ask_only_for_those(tmp_path: Path) -> None:
    """If this fails, a second thought costs all answers again."""
    ask(Stub(says("负面", "正面", "正面")), tmp_path, votes=1)
    later = Stub(says("负面", "正面", "正面"))
    assert ask(later, tmp_path, votes=3).known == 3
    assert Counter(body["seed"] for body in later.bodies) == {1: 3, 2: 3}
    assert {(row["predicted"], row["calls"]) for row in table(tmp_path)} == {("正面", 3)}
    again = Stub(says())
    assert ask(again, tmp_path, votes=3).known == 9 and again.bodies == []


def test_votes_stay_within_the_budget(tmp_path: Path) -> None:
    """If this fails, voting breaks the challenge's rule of three calls and a hundred tokens."""

    def script(request: dict[str, Any], seen: int) -> Answer | None:
        return (200, b"garbage", 0) if seen == 0 else says("正面", "正面", "正面")(request, seen)

    stub = Stub(script)
    found = ask(stub, tmp_path, votes=3, max_output_tokens=100, max_tokens=60)
    assert found.codes == {}
    assert set(stub.seen.values()) == {3}
    (votes,) = {(row["votes"], row["agreeing"], row["calls"]) for row in table(tmp_path)}
    assert votes == (2, 2, 3)
    granted = {body["messages"][0]["content"]: [] for body in stub.bodies}
    for body in stub.bodies:
        granted[body["messages"][0]["content"]].append(body["max_tokens"])
    assert set(map(tuple, granted.values())) == {
        (60, 40, 37)
    }  # the one that went astray counts with all it was granted


def test_a_row_fails_only_without_any_answer(tmp_path: Path) -> None:
    """If this fails, one refused vote of three costs the row."""

    def script(request: dict[str, Any], seen: int) -> Answer:
        return refusal(400, "no") if request["seed"] == 1 else says("正面", "", "负面")(request, seen)

    assert ask(Stub(script), tmp_path, votes=3).codes == {}
    assert {(row["predicted"], row["votes"], row["agreeing"]) for row in table(tmp_path)} == {("正面", 2, 1)}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"votes": 4, "temperature": 1}, "4 votes are more than max_calls allows \\(3\\)"),
        ({"votes": 2}, "several votes need a temperature above 0"),
    ],
)
def test_votes_that_make_no_sense_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: dict[str, float], words: str
) -> None:
    """If this fails, the same answer is paid for three times, or rows fail for their budget."""
    with pytest.raises(ValidationError, match=words):
        AskOptions(model="m", **options)  # type: ignore[arg-type]
    flags = [text for name, value in options.items() for text in (f"--{name}", str(value))]
    assert invoke(["infer", str(tmp_path), str(tmp_path / "out"), "--server", "http://x", "--model", "m", *flags]) == 2
    assert words.replace("\\", "") in capsys.readouterr().err


@given(st.lists(st.sampled_from(["正面", "负面", "好评", "胡说", None]), min_size=1, max_size=7))
def test_a_decision_is_what_most_answers_say(said: list[str | None]) -> None:
    """If this fails, a label that fewer answers gave wins, or a count is not that of the answers."""
    task = TASK.model_copy(update={"fallback": None})
    decided = decide([Reply(answer, logprob=-0.1, code=None if answer else "rejected") for answer in said], task)
    meant = Counter(task.canonical[answer] for answer in said if answer in task.canonical)
    assert decided.votes == sum(answer is not None for answer in said)
    assert meant[decided.label or ""] == max(meant.values(), default=0)
    if meant:
        assert decided.agreeing == meant[decided.label or ""]
        assert task.canonical[decided.reply.answer or ""] == decided.label
