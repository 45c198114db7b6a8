"""How LLaMA-Factory 0.9.5 cuts a conversation to `cutoff_len` (data/processor/supervised.py)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from curate.export.chatml import Turn, pads


@dataclass(frozen=True)
class Cut:
    """What is left of a conversation."""

    pads: int
    """Picture tokens that are left."""
    labels: int
    """Tokens that the loss is taken of."""
    tokens: int
    """All tokens that are left."""
    whole: bool
    """Whether nothing was cut."""


def cut(turns: Sequence[Turn], cutoff: int) -> Cut:
    """Cut the turns as the trainer does: it goes on turn by turn until the budget is used up."""
    used = left_pads = labels = 0
    whole = True
    for turn in turns:
        if used >= cutoff:
            return Cut(left_pads, labels, used, False)
        source, target = _shares(turn.source_tokens, turn.target_tokens, cutoff - used)
        whole = whole and source == turn.source_tokens and target == turn.target_tokens
        left_pads += pads(turn.source, source) + pads(turn.target, target)
        labels += target
        used += source + target
    return Cut(left_pads, labels, used, whole)


def _shares(source: int, target: int, cutoff: int) -> tuple[int, int]:
    """How many tokens of a question and of its answer are kept: `infer_seqlen` of processor_utils.py."""
    if target * 2 < cutoff:
        most = cutoff
    elif source * 2 < cutoff:
        most = cutoff - source
    else:
        most = int(cutoff * (target / (source + target)))
    kept = min(most, target)
    return min(max(cutoff - kept, 0), source), kept
