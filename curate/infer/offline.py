"""vLLM inside this process, without a server: for machines where the model is at hand."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from curate.errors import Interrupted, MissingExtra, RowError, UsageError
from curate.infer.bookkeeping import Bookkeeping
from curate.infer.journal import Reply
from curate.infer.options import AskOptions
from curate.infer.question import Loaded, Question
from curate.pipeline.stop import StopSignal

QUIET = {
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
    "HF_HUB_OFFLINE": "1",
    "VLLM_LOGGING_LEVEL": "WARNING",
    "VLLM_LOGGING_STREAM": "ext://sys.stderr",  # stdout is for results
}
"""What keeps vLLM from sending or fetching anything; set before it is imported, unless somebody set it."""


class _Call(NamedTuple):
    """One answer that is wanted."""

    loaded: Loaded
    vote: int
    granted: int
    """Output tokens that it may take."""


class OfflineEngine:
    """A model that vLLM runs in this process.

    Args:
        options: How it is asked; `model` is a folder, `concurrency` the rows that are given at a time.
        adapter: Folder of a LoRA adapter.
        settings: More arguments of `vllm.LLM`, such as dtype or max_model_len.

    Raises:
        MissingExtra: vllm is not installed.
        UsageError: the model's folder is not there.
    """

    name = "vllm"

    def __init__(self, options: AskOptions, adapter: Path | None = None, **settings: Any) -> None:
        if importlib.util.find_spec("vllm") is None:
            raise MissingExtra("--engine vllm", "vllm")
        for folder in (Path(options.model), adapter):
            if folder is not None and not folder.is_dir():
                raise UsageError(f"{folder} is not a folder with a model on this machine; curate fetches none")
        self.options = options
        self._adapter = adapter
        self._settings = settings

    def ask(self, questions: list[Question], books: Bookkeeping, stop: StopSignal) -> dict[str, object]:
        """Ask, a group of rows at a time, first one vote of all rows, then the next; see `Engine.ask`."""
        model: Any = None
        for vote in range(self.options.votes):
            waiting = self._waiting(questions, books, vote)
            while group := list(islice(waiting, self.options.concurrency)):
                if stop.requested:
                    raise Interrupted(stop.signal_number)
                model = model or self._load(questions)
                self._ask_group(model, group, books)
        if stop.requested:
            raise Interrupted(stop.signal_number)
        return {"version": _vllm().__version__}

    def _waiting(self, questions: Sequence[Question], books: Bookkeeping, vote: int) -> Iterator[_Call]:
        """What is not answered yet, each with the output tokens that it may take."""
        for question in questions:
            try:
                loaded = question.load()
                if not books.is_answered(loaded, vote):
                    yield _Call(loaded, vote, books.granted(question))
            except OSError as error:
                books.unreadable(question, error)
            except RowError as error:
                books.failed(question, error, vote)

    def _load(self, questions: Sequence[Question]) -> Any:
        pictures = max(len(question.images) for question in questions)
        lora = {"enable_lora": True, "max_lora_rank": self._rank()} if self._adapter else {}
        settings = {"limit_mm_per_prompt": {"image": pictures, "video": 0}, "seed": self.options.seed, **lora}
        return _vllm().LLM(self.options.model, **{**settings, **self._settings})

    def _rank(self) -> int:
        from curate.infer.serve import lora_rank

        assert self._adapter is not None, "only with an adapter there is a rank"
        return lora_rank(self._adapter)

    def _ask_group(self, model: Any, group: Sequence[_Call], books: Bookkeeping) -> None:
        """Ask some rows together; where vLLM refuses them, find the one to blame by asking one by one."""
        calls = [books.asking(one.loaded.question, one.granted) for one in group]
        try:
            outputs = model.chat(
                [one.loaded.messages() for one in group],
                [self._sampling(one) for one in group],
                lora_request=self._lora(),
                use_tqdm=False,
            )
        except (ValueError, TypeError) as error:  # what vLLM raises for a prompt that it cannot take
            for call in calls:
                books.journal.not_reached(call)
            if len(group) == 1:
                books.failed(group[0].loaded.question, RowError("rejected", str(error)[:300]), group[0].vote)
                return
            for one in group:
                self._ask_group(model, [one], books)
            return
        for one, call, output in zip(group, calls, outputs, strict=True):
            (said,) = output.outputs
            books.journal.used(call, len(said.token_ids))
            reply = Reply(
                said.text,
                said.finish_reason,
                said.cumulative_logprob,
                len(output.prompt_token_ids),
                len(said.token_ids),
            )
            books.answered(one.loaded.question, reply, one.vote)

    def _sampling(self, call: _Call) -> Any:
        from vllm.sampling_params import SamplingParams, StructuredOutputsParams

        options, choices = self.options, call.loaded.question.choices
        held = options.constrain == "auto" and choices
        return SamplingParams(
            temperature=options.temperature,
            seed=options.seed + call.vote,
            max_tokens=call.granted,
            logprobs=0,
            structured_outputs=StructuredOutputsParams(choice=list(choices)) if held else None,
        )

    def _lora(self) -> Any:
        if self._adapter is None:
            return None
        from vllm.lora.request import LoRARequest

        return LoRARequest(self._adapter.name, 1, str(self._adapter))


def _vllm() -> Any:
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    import vllm

    return vllm
