"""Export, train, serve, infer, evaluate: with LLaMA-Factory and vLLM themselves, by the commands that curate prints."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from conformance import ask
from conformance.chain import requests
from conformance.chain.way import ADAPTER, KEY, LABELS, MODEL, Way, curate, go, served
from conformance.environments import Environment
from conformance.record import COMPLETIONS, RECORDED, TOKENIZE, record, shape
from conformance.record import ask as send
from conformance.serving import VARIABLES

from curate.export.check import examine
from curate.export.check.finding import Settings
from curate.infer.question import Question, read_questions

pytestmark = pytest.mark.conformance

ROOT = Path(__file__).parents[2]
FAR_ABOVE_CHANCE = 0.8
"""Weighted F1; chance is a quarter for colours, a third for wishes."""


@pytest.fixture(scope="module")
def way(tmp_path_factory: pytest.TempPathFactory) -> Way:
    """A model and an adapter, trained on exports of curate."""
    return go(tmp_path_factory.mktemp("way"))


@pytest.fixture(scope="module")
def url(way: Way) -> Iterator[str]:
    """A vLLM server with both, started as `curate serve` says."""
    with served(way) as address:
        yield address


@pytest.fixture(scope="module")
def answered(way: Way, url: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """What the server answers: model and adapter, held to the labels and not."""
    folder = tmp_path_factory.mktemp("answers")
    asked = {
        "held": (way.run, MODEL, "auto"),
        "free": (way.run, MODEL, "off"),
        "turned": (way.turned, ADAPTER, "auto"),
        "turned free": (way.turned, ADAPTER, "off"),
    }
    for name, (run, model, constrain) in asked.items():
        options = ("--labels", LABELS, "--constrain", constrain, "--concurrency", 8, "--max-tokens", 16)
        told = curate("infer", run, folder / name, "--server", url, "--model", model, *options)
        assert (told["answered"], told["codes"], told["notes"]) == (told["rows"], {}, [])
    return {name: folder / name for name in asked}


def table(folder: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(folder / "predictions.parquet").to_pylist()
    return rows


def answers(folder: Path) -> dict[str, str]:
    """What was answered, by source id: the two runs have the same rows."""
    return {row["source_id"]: row["answer"] for row in table(folder)}


@pytest.mark.parametrize("name", ["held", "free"])
def test_a_model_trained_on_our_export_scores_far_above_chance(way: Way, answered: dict[str, Path], name: str) -> None:
    """If this fails, something between export and score loses what the model has learned."""
    score = curate("evaluate", way.run, answered[name], "--split", "test", "--labels", LABELS)
    assert score["overall"]["coverage"] == 1
    assert {task: part["f1"] > FAR_ABOVE_CHANCE for task, part in score["tasks"].items()} == {
        "colour": True,
        "wish": True,
    }


def test_an_adapter_is_asked_by_its_name(way: Way, answered: dict[str, Path]) -> None:
    """If this fails, the base model answers in the adapter's name, and nobody sees it but by the score."""
    right = curate("evaluate", way.turned, answered["turned"], "--split", "test", "--labels", LABELS)
    base = curate("evaluate", way.turned, answered["held"], "--split", "test", "--labels", LABELS)
    assert right["overall"]["f1"] > FAR_ABOVE_CHANCE
    assert base["overall"]["f1"] < 1 - FAR_ABOVE_CHANCE


def questions(run: Path) -> list[Question]:
    return read_questions(run / "exports" / "sharegpt", "test", {})


@pytest.mark.parametrize(("name", "adapter"), [("free", False), ("turned free", True)])
def test_transformers_answers_the_same(way: Way, answered: dict[str, Path], name: str, adapter: bool) -> None:
    """If this fails, the server sees another prompt or other pixels than the model was trained on."""
    run = way.turned if adapter else way.run
    loaded = [question.load() for question in questions(run)]
    said = ask.transformers(way.model, way.adapter if adapter else None, loaded, 16)
    rows = table(answered[name])
    assert {row["uid"]: row["answer"] for row in rows} == {uid: one["answer"] for uid, one in said.items()}
    sure = {row["uid"]: math.log(row["confidence"]) for row in rows}
    assert sure == pytest.approx({uid: one["logprob"] for uid, one in said.items()}, abs=1e-3)


@pytest.mark.parametrize(("name", "more"), [("held", False), ("turned free", True)])
def test_vllm_without_a_server_answers_the_same(
    way: Way, answered: dict[str, Path], tmp_path: Path, name: str, more: bool
) -> None:
    """If this fails, `--engine vllm` is another model than the same one behind a server."""
    run = way.turned if more else way.run
    environment = Environment("vllm").make()
    command = ["-m", "curate.cli.main", "infer", str(run), str(tmp_path / "out"), "--engine", "vllm", "--json"]
    command += ["--model", str(way.model), "--labels", str(LABELS), "--max-tokens", "16"]
    command += ["--constrain", "off" if "free" in name else "auto", "--concurrency", "64"]
    command += ["--adapter", str(way.adapter)] if more else []
    for setting in ("dtype=float32", "enforce_eager=true", "max_model_len=256", "max_num_seqs=8"):
        command += ["--llm", setting]
    once = {**VARIABLES, "PYTHONPATH": str(ROOT), "VLLM_ENABLE_V1_MULTIPROCESSING": "0"}
    told = json.loads(environment.run(*command, timeout=900, **once))
    assert (told["answered"], told["codes"], told["notes"]) == (told["rows"], {}, [])
    offline, served = table(tmp_path / "out"), table(answered[name])
    columns = ("uid", "answer", "predicted", "step", "confidence_of", "finish", "prompt_tokens", "output_tokens")
    assert [[row[name] for name in columns] for row in offline] == [[row[name] for name in columns] for row in served]
    assert [row["confidence"] for row in offline] == pytest.approx([row["confidence"] for row in served], abs=1e-4)


def test_the_server_still_answers_as_was_recorded(url: str) -> None:
    """If this fails, the fast tests talk to a server that is not there any more; `record.py` writes its answers anew."""
    now = {exchange.name: exchange for exchange in record(url)}
    assert {name: one.status for name, one in now.items()} == {name: one.status for name, one in RECORDED.items()}
    for name, recorded in RECORDED.items():
        if recorded.status == 200:
            assert shape(now[name].response) == shape(recorded.response), name
        else:
            assert now[name].response == recorded.response, name


def test_verdicts_on_requests_are_the_server_s(way: Way, url: str) -> None:
    """If this fails, `curate export --check --for vllm` lets requests pass that are refused, or warns of good ones."""
    folder = way.folder / "requests"
    sent = requests.write(folder)
    length = send(f"{url}/v1/models", None, KEY)[1]["data"][0]["max_model_len"]
    report = examine(folder, "vllm", Settings(cutoff_len=length, tokenizer=way.model, images_per_row=1))
    ours = {file.name.partition(".")[0]: file for file in report.files}
    theirs, counts = {}, {}
    for name, messages in sent.items():
        body = {"model": MODEL, "messages": messages}
        status, _ = send(url + COMPLETIONS, {**body, "max_tokens": 4}, KEY)
        theirs[name] = "accepts" if status == 200 else "drops"
        if status == 200:
            counts[name] = send(url + TOKENIZE, body, KEY)[1]["count"]
    assert {name: "accepts" if file.kept else "drops" for name, file in ours.items()} == theirs
    answers = {name: ours[name].longest - counts[name] for name in counts}
    assert all(1 <= rest <= 9 for rest in answers.values()), (
        "what we count more is the answer, and the mark that ends it"
    )
