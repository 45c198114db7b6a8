"""Tokens of a training sample, estimated from above, so that nothing is cut in the middle of a picture."""

from __future__ import annotations

import re
from collections.abc import Sequence

from curate.export.template import Message
from curate.export.vision import Size
from curate.records import PLACEHOLDER

_HAN = re.compile("[\u4e00-\u9fff]")
_MESSAGE_OVERHEAD = 8
"""Tokens around a message in ChatML: <|im_start|>, role, newline, <|im_end|>, newline; rounded up."""

_SYSTEM_OVERHEAD = 16
"""Tokens of the default system message that trainers add."""


def text_tokens(text: str) -> int:
    """Tokens of a text at most: a byte-level BPE never needs more tokens than bytes.

    Qwen's vocabulary holds every common Han character in at most two tokens, so those count two, not three.
    """
    han = len(_HAN.findall(text))
    return len(text.encode("utf-8")) - han


def sample_tokens(messages: Sequence[Message], sizes: Sequence[Size]) -> tuple[int, int]:
    """Tokens of text (at most) and of pictures (exactly, with the two marks around each)."""
    text = sum(text_tokens(message.text.replace(PLACEHOLDER, "")) + _MESSAGE_OVERHEAD for message in messages)
    return text + _SYSTEM_OVERHEAD, sum(size.tokens + 2 for size in sizes)
