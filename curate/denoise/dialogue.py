"""Cleaning a dialogue as a whole: empty turns, repeated replies, turns of one speaker in a row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from curate.denoise.text import TextCleaner
from curate.records import PLACEHOLDER

_ENDS = tuple("，,。.！!？?~～；;：:、…\n")


class Line(NamedTuple):
    """One turn while it is worked on."""

    role: str
    text: str


def current_query(turns: Sequence[Line]) -> int | None:
    """The last turn of the user that is not only pictures: what the record is about, and what its label answers."""
    for number in range(len(turns) - 1, -1, -1):
        if turns[number].role == "user" and turns[number].text.replace(PLACEHOLDER, "").strip():
            return number
    return None


class DialogueCleaner:
    """Cleans the turns of one dialogue.

    Args:
        text: Cleans single texts.
        rules: Ids of the dialogue rules that are on.
        separator: Stands between merged turns of the user.
    """

    def __init__(self, text: TextCleaner, rules: frozenset[str], separator: str) -> None:
        self._text = text
        self._rules = rules
        self._separator = separator
        self._known: dict[tuple[str, str, bool], tuple[str, tuple[tuple[str, int], ...]]] = {}

    def clean(self, turns: Sequence[Line]) -> tuple[list[Line], Counter[str]]:
        """Clean a dialogue until nothing changes; give its turns and how often each rule hit."""
        hits: Counter[str] = Counter()
        now = list(turns)
        while True:
            before = now
            now = self._turns(self._texts(before, hits), hits)
            if now == before:
                return now, hits

    def _texts(self, turns: Sequence[Line], hits: Counter[str]) -> list[Line]:
        query = current_query(turns)
        cleaned = []
        for number, turn in enumerate(turns):
            key = (turn.text, turn.role, number == query)
            if key not in self._known:
                if len(self._known) > 200_000:
                    self._known.clear()  # bounds memory; most texts of real shops repeat long before that
                self._known[key] = self._text.clean(*key)
            text, found = self._known[key]
            hits.update(dict(found))
            cleaned.append(Line(turn.role, text))
        return cleaned

    def _turns(self, turns: list[Line], hits: Counter[str]) -> list[Line]:
        for role in ("agent", "user"):
            if f"empty-{role}" in self._rules:
                turns = self._without(
                    turns,
                    [n for n, t in enumerate(turns) if t.role == role and not t.text.strip()],
                    f"empty-{role}",
                    hits,
                )
        if "repeated-agent" in self._rules:
            turns = self._without(turns, _repeated(turns), "repeated-agent", hits)
        if "trailing-agent" in self._rules:
            turns = self._without(turns, _trailing(turns), "trailing-agent", hits)
        return self._merge(turns, hits) if "merge-user" in self._rules else turns

    def _without(self, turns: list[Line], gone: list[int], rule: str, hits: Counter[str]) -> list[Line]:
        if gone:
            hits[rule] += len(gone)
        return [turn for number, turn in enumerate(turns) if number not in set(gone)]

    def _merge(self, turns: list[Line], hits: Counter[str]) -> list[Line]:
        merged: list[Line] = []
        for turn in turns:
            if merged and turn.role == "user" == merged[-1].role:
                merged[-1] = Line("user", self._joined(merged[-1].text, turn.text))
                hits["merge-user"] += 1
            else:
                merged.append(turn)
        return merged

    def _joined(self, first: str, second: str) -> str:
        """Join two texts of the user; a picture stays on a line of its own."""
        if first.endswith(PLACEHOLDER) or second.startswith(PLACEHOLDER):
            return f"{first}\n{second}"
        return f"{first}{'' if first.endswith(_ENDS) else self._separator}{second}"


def _repeated(turns: Sequence[Line]) -> list[int]:
    seen: set[str] = set()
    found = []
    for number, turn in enumerate(turns):
        if turn.role == "agent" and turn.text and PLACEHOLDER not in turn.text:
            if turn.text in seen:
                found.append(number)
            seen.add(turn.text)
    return found


def _trailing(turns: Sequence[Line]) -> list[int]:
    """Replies behind the user's last word, which a model would not have when it must answer."""
    last = max((number for number, turn in enumerate(turns) if turn.role == "user"), default=len(turns))
    return [n for n in range(last + 1, len(turns)) if PLACEHOLDER not in turns[n].text]
