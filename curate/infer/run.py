"""One run of questions: ask what is not answered yet, parse every answer, write one table."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

import curate
from curate.dataset.files import read_json, write_json
from curate.dataset.lock import exclusive
from curate.dataset.predictions import FILE, REPORT
from curate.dataset.shards import write_table
from curate.errors import OutputError
from curate.infer.bookkeeping import Bookkeeping, Engine
from curate.infer.journal import Journal, Reply
from curate.infer.options import AskOptions
from curate.infer.question import Question
from curate.infer.votes import decide
from curate.labels.registry import Registry
from curate.pipeline.progress import Progress
from curate.pipeline.stop import StopSignal

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
        ("votes", pa.int32()),
        ("agreeing", pa.int32()),
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
to the allowed labels (then they are shares among those, not how sure the model is that it is right), else `text`. Of
`votes` answers that were had, `agreeing` give the label that was predicted: `answer` is the first of these,
`confidence` their mean; tokens and seconds are those of all."""


@dataclass(frozen=True)
class Inference:
    """What asking came to."""

    rows: int
    answered: int
    known: int
    """Answers that had been given before this run, of `rows` times the votes of a row."""
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
            progress.start(f"ask {engine.options.model}", len(questions) * engine.options.votes, "answers", "")
            facts = engine.ask(list(questions), books, stop)
            rows = [_row(question, books.replies(question), registry) for question in questions]
        finally:
            journal.close()
        write_table(out / FILE, pa.Table.from_pylist(rows, schema=SCHEMA))
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
        write_json(out / REPORT, value)
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
    known = read_json(out / REPORT)
    if isinstance(known, dict):
        if known.get("about") != about:
            raise OutputError(f"{out} holds answers to other questions ({known.get('about')}); choose another folder")
    elif any(out.iterdir()):
        raise OutputError(f"{out} is not empty and no run of curate infer; choose another folder")
    else:
        write_json(out / REPORT, {"about": about})


def _row(question: Question, replies: Sequence[Reply], registry: Registry | None) -> dict[str, Any]:
    decided = decide(replies, registry.tasks.get(question.task) if registry else None)
    reply = decided.reply
    held = reply.answer in question.choices
    return {
        "uid": question.uid,
        "source_id": question.source_id,
        "task": question.task,
        "label": question.label,
        "answer": reply.answer,
        "predicted": decided.label,
        "step": decided.step,
        "confidence": decided.confidence,
        "confidence_of": None if decided.confidence is None else "choices" if held else "text",
        "votes": decided.votes,
        "agreeing": decided.agreeing,
        "finish": reply.finish,
        "calls": max(one.calls for one in replies),
        "prompt_tokens": sum(one.tokens_in for one in replies),
        "output_tokens": sum(one.tokens_out for one in replies),
        "seconds": round(sum(one.seconds for one in replies), 4),
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
