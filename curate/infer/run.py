"""One run of questions: ask what is not answered yet, parse every answer, write one table."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

import curate
from curate.dataset.files import read_json, write_json
from curate.dataset.shards import write_table
from curate.errors import OutputError
from curate.infer.bookkeeping import Bookkeeping, Engine
from curate.infer.journal import Journal, Reply
from curate.infer.options import AskOptions
from curate.infer.question import Question
from curate.labels.answers import parse_answer
from curate.labels.registry import Registry
from curate.pipeline.lock import exclusive
from curate.pipeline.progress import Progress
from curate.pipeline.stop import StopSignal

TABLE = "predictions.parquet"
FILE = "infer.json"

SCHEMA = pa.schema(
    [
        ("uid", pa.string()),
        ("source_id", pa.string()),
        ("task", pa.string()),
        ("label", pa.string()),
        ("answer", pa.string()),
        ("predicted", pa.string()),
        ("step", pa.string()),
        ("confidence", pa.float64()),
        ("confidence_of", pa.string()),
        ("finish", pa.string()),
        ("calls", pa.int32()),
        ("prompt_tokens", pa.int32()),
        ("output_tokens", pa.int32()),
        ("seconds", pa.float64()),
        ("code", pa.string()),
        ("detail", pa.string()),
    ]
)
"""`label` is the right answer where it is known, `predicted` the label found in `answer` by `step`. `confidence` is the
product of the answer's token probabilities; `confidence_of` says among what: `choices` where the server held the answer
to the allowed labels (then they are shares among those, not how sure the model is that it is right), else `text`."""


@dataclass(frozen=True)
class Inference:
    """What asking came to."""

    rows: int
    answered: int
    known: int
    """Of them those that had been answered before this run."""
    codes: dict[str, int]
    """Rows without an answer by reason."""
    steps: dict[str, int]
    """Rows by the step that found the label."""
    tokens_out: int
    seconds: float
    notes: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Give what `infer.json` and `--json` say."""
        return dict(vars(self))


def infer(
    questions: Sequence[Question],
    out: Path,
    engine: Engine,
    registry: Registry | None = None,
    progress: Progress | None = None,
    about: Mapping[str, str] | None = None,
) -> Inference:
    """Ask a model all questions and write `predictions.parquet`.

    Args:
        questions: What to ask.
        out: The folder of the run; one that holds answers already is continued.
        engine: What answers.
        registry: Labels, to find them in the answers.
        progress: Hears how it goes.
        about: What the questions are of (export, split); a folder with answers to others is refused.

    Raises:
        OutputError: the folder holds answers to other questions, or cannot be used.
        UsageError: the engine does not have the model, refuses us, or cannot take the questions.
        RunFailed: it answers nothing any more; what was answered is kept.
        Interrupted: somebody asked to stop; the same call continues.
    """
    progress = progress or Progress()
    started = time.monotonic()
    _claim(out, dict(about or {}))
    with StopSignal() as stop, exclusive(out):
        stop.on_request = lambda: progress.note("finishing what is under way; Ctrl-C again to stop at once")
        journal = Journal(out)
        books = Bookkeeping(engine.options, journal, progress, engine.name)
        try:
            progress.start(f"ask {engine.options.model}", len(questions), "rows", "")
            facts = engine.ask(list(questions), books, stop)
            rows = [_row(question, books.reply(question), registry) for question in questions]
        finally:
            journal.close()
        write_table(out / TABLE, pa.Table.from_pylist(rows, schema=SCHEMA))
        result = Inference(
            rows=len(rows),
            answered=sum(row["code"] is None for row in rows),
            known=books.tally.known,
            codes=dict(Counter(row["code"] for row in rows if row["code"])),
            steps=dict(Counter(row["step"] for row in rows if row["step"])),
            tokens_out=books.tally.tokens_out,
            seconds=time.monotonic() - started,
            notes=_notes(rows, questions, engine.options),
        )
        value = {"about": dict(about or {}), "curate": curate.__version__, "engine": engine.name, "model": facts}
        value |= {"options": engine.options.model_dump(), **result.as_dict()}
        write_json(out / FILE, value)
    return result


def _claim(out: Path, about: dict[str, str]) -> None:
    """Make the folder, or make sure that it is a run of the same questions.

    Raises:
        OutputError: it is not, or cannot be made.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make the folder {out}: {error.strerror}") from error
    known = read_json(out / FILE)
    if isinstance(known, dict):
        if known.get("about") != about:
            raise OutputError(f"{out} holds answers to other questions ({known.get('about')}); choose another folder")
    elif any(out.iterdir()):
        raise OutputError(f"{out} is not empty and no run of curate infer; choose another folder")
    else:
        write_json(out / FILE, {"about": about})


def _row(question: Question, reply: Reply, registry: Registry | None) -> dict[str, Any]:
    predicted, step = reply.answer, None
    task = registry.tasks.get(question.task) if registry else None
    if reply.answer is not None and task is not None:
        predicted, step = parse_answer(reply.answer, task)
    held = reply.answer in question.choices
    confidence = math.exp(reply.logprob) if reply.logprob is not None else None
    return {
        "uid": question.uid,
        "source_id": question.source_id,
        "task": question.task,
        "label": question.label,
        "answer": reply.answer,
        "predicted": predicted,
        "step": step,
        "confidence": confidence,
        "confidence_of": None if confidence is None else "choices" if held else "text",
        "finish": reply.finish,
        "calls": reply.calls,
        "prompt_tokens": reply.tokens_in,
        "output_tokens": reply.tokens_out,
        "seconds": round(reply.seconds, 4),
        "code": reply.code,
        "detail": reply.detail,
    }


def _notes(rows: Sequence[dict[str, Any]], questions: Sequence[Question], options: AskOptions) -> list[str]:
    notes = []
    if options.constrain == "auto":
        loose = sum(
            bool(question.choices) and row["answer"] is not None and row["answer"] not in question.choices
            for question, row in zip(questions, rows, strict=True)
        )
        if loose:
            notes.append(f"{loose} answers are none of the labels that the server was told to choose from")
    cut = sum(row["finish"] == "length" for row in rows)
    if cut:
        notes.append(f"{cut} answers were cut off at their last token; raise --max-tokens")
    return notes
