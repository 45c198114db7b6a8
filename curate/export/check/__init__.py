"""What a trainer or server makes of an export, told before it does: accepts, drops, stops, crashes in training."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from curate.errors import UsageError
from curate.export.check import llamafactory, swift, trl, vllm
from curate.export.check.finding import Report, Settings

CONSUMERS: dict[str, Callable[[Path, Settings], Report]] = {
    "llamafactory": llamafactory.examine,
    "swift": swift.examine,
    "trl": trl.examine,
    "vllm": vllm.examine,
}
"""Whose rules there are: LLaMA-Factory 0.9.5, ms-swift 4.6, TRL 1.16, vLLM 0.32."""


def examine(folder: Path, consumer: str, settings: Settings) -> Report:
    """Hold the files of a folder, written by whoever, against the rules of a consumer.

    Raises:
        UsageError: there is no such consumer or folder, or nothing in it that the consumer reads.
    """
    if consumer not in CONSUMERS:
        raise UsageError(f"there are no rules for '{consumer}'; there are {', '.join(CONSUMERS)}")
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}")
    report = CONSUMERS[consumer](folder, settings)
    if not report.files:
        raise UsageError(f"{folder} holds nothing that {consumer} reads; {report.wanted}")
    return report
