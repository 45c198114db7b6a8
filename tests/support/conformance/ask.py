"""Asking real programs: requests and answers as JSON, verdicts in the validator's own words."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from conformance.environments import HERE, Environment
from conformance.models import tiny_model
from curate.infer.question import Loaded

Answer = dict[str, Any]


def _ask(environment: str, program: str, request: dict[str, Any], **variables: str) -> dict[str, Answer]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "request.json"
        file.write_text(json.dumps(request), "utf-8")
        printed = (
            Environment(environment)
            .make()
            .run(str(HERE / "programs" / f"{program}.py"), str(file), timeout=1500, **variables)
        )
    answers = [json.loads(line[2:]) for line in printed.splitlines() if line.startswith("@@")]
    return {answer.get("name", ""): answer for answer in answers}


def llamafactory(
    folder: Path, names: Sequence[str], cutoff_len: int, max_pixels: int, min_pixels: int, forward: bool = True
) -> dict[str, Answer]:
    """What LLaMA-Factory makes of entries of a folder's dataset_info.json, by name."""
    request = {
        "model": str(tiny_model()),
        "folder": str(folder),
        "names": list(names),
        "cutoff_len": cutoff_len,
        "max_pixels": max_pixels,
        "min_pixels": min_pixels,
        "forward": forward,
    }
    return _ask("llamafactory", "llamafactory_load", request)


def swift(folder: Path, files: Sequence[Path], max_length: int, max_pixels: int, min_pixels: int) -> dict[str, Answer]:
    """What ms-swift makes of files, by file name; paths of pictures are relative to the folder."""
    request = {
        "model": str(tiny_model(real_ids=True)),
        "files": [str(file) for file in files],
        "max_length": max_length,
        "forward": True,
    }
    answers = _ask(
        "swift",
        "swift_load",
        request,
        ROOT_IMAGE_DIR=str(folder),
        MAX_PIXELS=str(max_pixels),
        MIN_PIXELS=str(min_pixels),
        LOG_LEVEL="ERROR",
    )
    return {Path(name).name: answer for name, answer in answers.items()}


def trl(files: Sequence[Path], steps: int = 0) -> dict[str, Answer]:
    """What `datasets` and TRL make of Parquet files, by file name.

    TRL 1.16 takes any key out of a set of texts to see whether a row is a conversation (`is_conversational`). Where it
    is that of an empty completion it crashes, else it learns nothing of the row; with this seed it crashes.
    """
    request = {"model": str(tiny_model(real_ids=True)), "files": [str(file) for file in files], "steps": steps}
    answers = _ask("trl", "trl_load", request, PYTHONHASHSEED="1")
    return {Path(name).name: answer for name, answer in answers.items()}


def sizes(wanted: Sequence[tuple[int, int]], max_pixels: int, min_pixels: int) -> Answer:
    """Picture tokens of sizes: `trained` by LLaMA-Factory, `alone` by the model's processor."""
    request = {"model": str(tiny_model()), "sizes": wanted, "max_pixels": max_pixels, "min_pixels": min_pixels}
    return _ask("llamafactory", "llamafactory_sizes", request)[""]


def verdict(answer: Answer, rows: int) -> str:
    """A program's answer in the validator's words; `rows` are those of the file."""
    if "stops" in answer:
        return "stops"
    if answer.get("crashes"):
        return "crashes"
    kept = len(answer["tokens"])
    if not kept:
        return "stops"
    return "drops" if kept < rows else "accepts"


def transformers(model: Path, adapter: Path | None, questions: Sequence[Loaded], max_tokens: int) -> dict[str, Answer]:
    """What transformers (with PEFT) answers greedily to questions as they are sent to a server, by uid."""
    request = {
        "model": str(model),
        "adapter": str(adapter) if adapter else None,
        "max_tokens": max_tokens,
        "questions": [{"uid": one.question.uid, "messages": one.messages()} for one in questions],
    }
    return _ask("llamafactory", "transformers_answer", request)


def croissant(files: dict[str, Path], sets: Sequence[str]) -> dict[str, Answer]:
    """What mlcroissant says of Croissant files, by name: warnings, and the rows of record sets that it loads."""
    request = {"files": {name: str(path) for name, path in files.items()}, "sets": list(sets)}
    return _ask("croissant", "croissant_load", request)
