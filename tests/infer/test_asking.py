"""Whatever a server does, every row is answered or failed with a code, within its budget, and never asked twice."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from stub_server import Script, Stub, completion, refusal, serving

from curate.errors import RunFailed, UsageError
from curate.infer import patience
from curate.infer.ask import ServerEngine
from curate.infer.options import AskOptions
from curate.infer.question import Question, Turn
from curate.infer.run import Inference, infer
from curate.labels.registry import Registry

INTENTS = Registry.load("mire").tasks["dialogue_intent"].allowed


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses of milliseconds, so that tests of trouble are quick."""
    monkeypatch.setattr(patience, "FIRST", 0.005)
    monkeypatch.setattr(patience, "LONGEST", 0.05)


def questions(number: int, choices: tuple[str, ...] = INTENTS) -> list[Question]:
    return [
        Question(f"u{n}", f"s{n}", "dialogue_intent", None, (Turn("user", f"question {n}"),), (), choices)
        for n in range(number)
    ]


def ask(stub: Stub, out: Path, number: int = 40, **changes: Any) -> Inference:
    options = AskOptions(**{"model": "tiny", "timeout": 5.0, **changes})
    return infer(questions(number), out, ServerEngine(stub.url, options), Registry.load("mire"))


def table(out: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(out / "predictions.parquet").to_pylist()
    return rows


def test_every_row_is_answered_once_with_one_of_its_labels(tmp_path: Path) -> None:
    """If this fails, nothing works."""
    with serving(Stub()) as stub:
        result = ask(stub, tmp_path)
    rows = table(tmp_path)
    assert (result.rows, result.answered, result.codes) == (40, 40, {})
    assert [row["uid"] for row in rows] == [f"u{n}" for n in range(40)]
    assert all(row["predicted"] == row["answer"] and row["predicted"] in INTENTS for row in rows)
    assert all(
        row["step"] == "exact" and row["confidence_of"] == "choices" and 0 < row["confidence"] < 1 for row in rows
    )
    assert set(stub.answered.values()) == {1} and {row["calls"] for row in rows} == {1}


def test_a_second_run_asks_nothing(tmp_path: Path) -> None:
    """If this fails, running a command again costs all of its calls again."""
    with serving(Stub()) as stub:
        first = ask(stub, tmp_path)
        rows = table(tmp_path)
        second = ask(stub, tmp_path)
        assert (first.known, second.known, second.tokens_out) == (0, 40, 0)
        assert table(tmp_path) == rows
        assert ask(stub, tmp_path, max_tokens=32).known == 0
    assert set(stub.answered.values()) == {2}


TROUBLES: dict[str, Script] = {
    "429 twice": lambda request, seen: refusal(429) if seen < 2 else None,
    "500 once": lambda request, seen: refusal(500) if seen < 1 else None,
    "503 for some": lambda request, seen: (
        refusal(503) if hash(str(request["messages"])) % 3 == 0 and seen < 3 else None
    ),
    "garbage": lambda request, seen: (200, b"<html>oops</html>", 0) if seen < 1 else None,
    "half a body": lambda request, seen: (0, json.dumps(completion(request)).encode(), 0) if seen < 1 else None,
    "no text": lambda request, seen: (200, b'{"choices": [{"message": {"content": null}}]}', 0) if seen < 1 else None,
    "odd usage": lambda request, seen: (
        (200, b'{"choices": [{"message": {"content": "a"}}], "usage": [1]}', 0) if seen < 1 else None
    ),
    "odd logprobs": lambda request, seen: (
        (200, b'{"choices": [{"message": {"content": "a"}, "logprobs": "x"}]}', 0) if seen < 1 else None
    ),
    "silence": lambda request, seen: (200, b"{}", 60) if seen < 1 else None,
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_trouble_costs_time_and_no_row(tmp_path: Path, trouble: str) -> None:
    """If this fails, one hiccup of the server loses answers, or answers a row twice."""
    timeout = 0.5 if trouble == "silence" else 5.0
    with serving(Stub(TROUBLES[trouble])) as stub:
        result = ask(stub, tmp_path, timeout=timeout, concurrency=8)
    assert (result.answered, result.codes) == (40, {})
    assert set(stub.answered.values()) == {1}


def test_a_server_that_dies_and_comes_back_answers_all(tmp_path: Path) -> None:
    """If this fails, a restart of the server in the night ends the run."""
    first = Stub(latency=0.05)
    with serving(first) as stub:
        port = stub.port

        def restart() -> None:
            time.sleep(0.3)
            subprocess.run(["true"], check=True)

        result: list[Inference] = []
        worker = threading.Thread(target=lambda: result.append(ask(stub, tmp_path, concurrency=4, retries=1000)))
        worker.start()
        restart()
    time.sleep(0.3)
    with serving(Stub(port=port)) as second:
        worker.join(60)
    assert result[0].answered == 40
    assert set((first.answered + second.answered).values()) <= {1, 2}  # an answer on its way when the server died


def test_the_budget_of_calls_holds(tmp_path: Path) -> None:
    """If this fails, a submission breaks the challenge's rule of three calls."""
    with serving(Stub(lambda request, seen: (200, b"garbage", 0))) as stub:
        result = ask(stub, tmp_path, number=5, max_tokens=20)
        assert (result.answered, result.codes) == (0, {"budget_calls": 5})
        again = ask(stub, tmp_path, number=5, max_tokens=20)
    assert again.codes == {"budget_calls": 5}
    assert set(stub.seen.values()) == {3}
    assert {row["calls"] for row in table(tmp_path)} == {3}


def test_the_budget_of_tokens_holds(tmp_path: Path) -> None:
    """If this fails, a row's output exceeds the challenge's hundred tokens."""
    with serving(Stub(lambda request, seen: (200, b"garbage", 0))) as stub:
        result = ask(stub, tmp_path, number=2, max_tokens=60, max_output_tokens=100, max_calls=9)
    assert result.codes == {"budget_tokens": 2}
    assert [body["max_tokens"] for body in stub.bodies if "question 0" in str(body)] == [60, 40]


def test_a_refused_row_fails_alone(tmp_path: Path) -> None:
    """If this fails, one picture too large stops the run, or is asked again and again."""

    def script(request: dict[str, Any], seen: int) -> Any:
        return refusal(400, "Input length (5076) exceeds") if "question 7" in str(request["messages"]) else None

    with serving(Stub(script)) as stub:
        result = ask(stub, tmp_path, number=10)
    assert (result.answered, result.codes) == (9, {"rejected": 1})
    assert table(tmp_path)[7]["detail"] == "400: Input length (5076) exceeds"
    assert stub.seen["question 7"] == 1 and table(tmp_path)[7]["calls"] == 0


def test_a_picture_that_is_gone_costs_its_row(tmp_path: Path) -> None:
    """If this fails, one file that was moved away stops the run."""
    asked = questions(3)
    turn = Turn("user", "<image>question 1")
    asked[1] = Question("u1", "s1", "dialogue_intent", None, (turn,), (tmp_path / "gone.jpg",), INTENTS)
    with serving(Stub()) as stub:
        found = infer(asked, tmp_path / "out", ServerEngine(stub.url, AskOptions(model="tiny")))
    assert (found.answered, found.codes) == (2, {"image_missing": 1})


def test_pictures_stand_where_their_placeholders_stood(tmp_path: Path) -> None:
    """If this fails, the model sees the pictures of a dialogue in another order than it was trained on."""
    for name in ("one.png", "two.jpg"):
        (tmp_path / name).write_bytes(name.encode())
    turns = (Turn("system", "be brief"), Turn("user", '<image>\nfirst "picture-0"\n<image>second'))
    question = Question("u", "s", "t", None, turns, (tmp_path / "one.png", tmp_path / "two.jpg"))
    body = json.loads(b"".join(question.load().body({"model": "m"})))
    assert body["model"] == "m" and body["messages"][0] == {"role": "system", "content": "be brief"}
    parts = body["messages"][1]["content"]
    assert [part["type"] for part in parts] == ["image_url", "text", "image_url", "text"]
    assert parts[0]["image_url"]["url"] == "data:image/png;base64,b25lLnBuZw=="
    assert parts[2]["image_url"]["url"] == "data:image/jpeg;base64,dHdvLmpwZw=="
    assert parts[1]["text"] == '\nfirst "picture-0"\n'


def test_an_old_server_is_asked_in_its_own_words(tmp_path: Path) -> None:
    """If this fails, vLLM before 0.12 ignores the labels without a word."""
    with serving(Stub(version="0.11.2")) as stub:
        ask(stub, tmp_path, number=1)
    assert stub.bodies[0]["guided_choice"] == list(INTENTS) and "structured_outputs" not in stub.bodies[0]


def test_a_server_that_ignores_the_labels_is_noticed(tmp_path: Path) -> None:
    """If this fails, unconstrained text is taken for one of the labels."""

    def script(request: dict[str, Any], seen: int) -> Any:
        return 200, json.dumps(completion(request, "应该是气泡吧")).encode(), 0

    with serving(Stub(script)) as stub:
        result = ask(stub, tmp_path, number=3)
    assert result.notes == ["3 answers are none of the labels that the server was told to choose from"]
    assert {(row["predicted"], row["step"], row["confidence_of"]) for row in table(tmp_path)} == {
        ("气泡", "contained", "text")
    }


@pytest.mark.parametrize(
    ("stub", "words"),
    [
        (Stub(models=("other", "third")), "has no model 'tiny'; it has other, third"),
        (Stub(key="secret"), "put its key into CURATE_API_KEY"),
        (Stub(max_length=5), "start it with --max-model-len"),
    ],
)
def test_what_cannot_work_is_said_before_anything_is_asked(tmp_path: Path, stub: Stub, words: str) -> None:
    """If this fails, ten thousand rows fail one by one for one reason."""
    with serving(stub), pytest.raises(UsageError, match=words):
        ask(stub, tmp_path)
    assert not stub.seen


@pytest.mark.parametrize("url", ["file:///etc/passwd", "nothing", "http://127.0.0.1:99999"])
def test_an_address_that_is_none_is_told(tmp_path: Path, url: str) -> None:
    """`there is no server` sends a person to start one, at an address at which none can be."""
    with pytest.raises(UsageError, match="is not an address; write http://HOST:PORT"):
        infer(questions(1), tmp_path, ServerEngine(url, AskOptions(model="tiny")), Registry.load("mire"))


def test_without_a_server_the_way_to_one_is_named(tmp_path: Path) -> None:
    """If this fails, a wrong port ends in a stack trace."""
    with pytest.raises(UsageError, match=r"there is no server at .*curate serve"):
        infer(questions(1), tmp_path, ServerEngine("http://127.0.0.1:9", AskOptions(model="tiny")))


def test_the_key_is_sent_and_kept_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails, a key lands in a file that is shared with the data."""
    monkeypatch.setenv("CURATE_API_KEY", "s3cr3t")
    with serving(Stub(key="s3cr3t")) as stub:
        assert ask(stub, tmp_path, number=2).answered == 2
    assert all(b"s3cr3t" not in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_a_server_that_is_gone_ends_the_run_with_what_there_is(tmp_path: Path) -> None:
    """If this fails, a run against a dead server never ends, or forgets what it had."""
    with serving(Stub()) as stub:
        ask(stub, tmp_path, number=10)
        with pytest.raises(RunFailed, match="the same command goes on"):
            stub.script = lambda request, seen: refusal(500)
            ask(stub, tmp_path, number=40, give_up=0.2, retries=1000)
        stub.script = lambda request, seen: None
        assert ask(stub, tmp_path, number=40).known == 10


ASK = """
import sys
sys.path[:0] = {paths!r}
from pathlib import Path
from test_asking import questions
from curate.infer.ask import ServerEngine
from curate.infer.options import AskOptions
from curate.infer.run import infer
if __name__ == "__main__":
    infer(questions(300), Path({out!r}), ServerEngine({url!r}, AskOptions(model="tiny", concurrency=4)))
"""


@pytest.mark.parametrize("moment", [0.3, 0.8])
def test_a_killed_run_asks_no_answered_row_again(tmp_path: Path, moment: float) -> None:
    """If this fails, kill -9 costs the calls of all rows that were answered already."""
    log = tmp_path / "log"
    with serving(Stub(latency=0.02, log=log)) as stub:
        script = tmp_path / "ask.py"
        paths = [str(Path(__file__).parent), *(path for path in sys.path if path)]
        script.write_text(ASK.format(paths=paths, out=str(tmp_path / "out"), url=stub.url))
        killed = subprocess.Popen([sys.executable, script])
        deadline = time.monotonic() + 60
        while not stub.answered:
            assert killed.poll() is None and time.monotonic() < deadline
            time.sleep(0.01)
        time.sleep(moment)
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        before = len(stub.answered)
        assert 0 < before < 300
        assert subprocess.run([sys.executable, script], check=False).returncode == 0
    assert len(stub.answered) == 300
    twice = [text for text, times in stub.answered.items() if times > 1]
    assert len(twice) <= 4, "only what was on its way when the run was killed may be asked again"
    assert max(stub.seen.values()) <= 3
