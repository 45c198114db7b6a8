"""What a real vLLM server said, replayed to the client byte for byte; `record.py` wrote it down."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from conformance.record import COMPLETIONS, RECORDED
from stub_server import Answer, Stub, serving

from curate.errors import UsageError
from curate.infer.ask import ServerEngine
from curate.infer.options import AskOptions
from curate.infer.question import Question, Turn
from curate.infer.run import Inference, infer

COMPLETED = [name for name, one in RECORDED.items() if one.path == COMPLETIONS and one.status == 200]
REFUSED = [name for name, one in RECORDED.items() if one.path == COMPLETIONS and one.status == 400]


def replay(name: str, out: Path) -> tuple[Inference, dict[str, Any]]:
    """Ask one question, which is answered with a recording; give the result and the question's row."""

    def script(request: dict[str, Any], seen: int) -> Answer:
        return RECORDED[name].status, json.dumps(RECORDED[name].response).encode(), 0

    asked = Question("u", "s", "colour", None, (Turn("user", "?"),), (), ("红色", "绿色"))
    with serving(Stub(script)) as stub:
        found = infer([asked], out, ServerEngine(stub.url, AskOptions(model="tiny", max_tokens=32)))
    return found, pq.read_table(out / "predictions.parquet").to_pylist()[0]


def test_there_are_recordings_of_everything_that_matters() -> None:
    """If this fails, the tests below may be about nothing."""
    assert {"free", "held", "adapter", "cut", "ignored"} == set(COMPLETED)
    assert {"too_many_images", "too_long", "no_picture", "part_type", "no_choice"} == set(REFUSED)


@pytest.mark.parametrize("name", COMPLETED)
def test_answers_are_read_as_the_server_meant_them(tmp_path: Path, name: str) -> None:
    """If this fails, answers, tokens or confidences of the real server are lost or wrong."""
    said = RECORDED[name].response
    (choice,) = said["choices"]
    found, row = replay(name, tmp_path)
    assert (row["answer"], row["finish"]) == (choice["message"]["content"], choice["finish_reason"])
    assert (row["prompt_tokens"], row["output_tokens"]) == (
        said["usage"]["prompt_tokens"],
        said["usage"]["completion_tokens"],
    )
    logprobs = [token["logprob"] for token in choice["logprobs"]["content"]]
    assert row["confidence"] == pytest.approx(math.exp(sum(logprobs)))
    assert row["confidence_of"] == ("choices" if row["answer"] in ("红色", "绿色") else "text")
    assert any("cut off" in note for note in found.notes) == (name == "cut")


@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_is_the_row_s_and_says_why(tmp_path: Path, name: str) -> None:
    """If this fails, a row that the server will never take is asked again, or nobody learns why it failed."""
    found, row = replay(name, tmp_path)
    assert found.codes == {"rejected": 1}
    assert row["detail"].removeprefix("400: ")[:200] == RECORDED[name].response["error"]["message"][:200]


def test_a_model_that_is_gone_ends_the_run(tmp_path: Path) -> None:
    """If this fails, an adapter that was unloaded costs every row a call."""

    def script(request: dict[str, Any], seen: int) -> Answer:
        return 404, json.dumps(RECORDED["no_model"].response).encode(), 0

    asked = Question("u", "s", "colour", None, (Turn("user", "?"),), ())
    with (
        serving(Stub(script, models=("nobody",))) as stub,
        pytest.raises(UsageError, match="has no model 'nobody' any"),
    ):
        infer([asked], tmp_path, ServerEngine(stub.url, AskOptions(model="nobody")))
