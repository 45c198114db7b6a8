"""Cleaning dialogues, column-wise: every distinct text is looked at once, turns are numbers.

A batch of dialogues is three columns side by side: the row that a turn belongs to, its role, and the number of its text
in a table of distinct texts. Rules on whole dialogues work on these numbers; only turns that are merged make new texts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curate.denoise.cleaned import CleanTexts
from curate.denoise.sieve import says
from curate.denoise.text import TextCleaner
from curate.records import PLACEHOLDER

Numbers: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]

USER, AGENT, SYSTEM = range(3)
ROLES = ("user", "agent", "system")
"""Roles by number."""

MAX_ROUNDS = 32
"""Rounds after which a dialogue is left as it is; only rules that undo each other ever get there."""

_ENDS = tuple("，,。.！!？?~～；;：:、…\n")


@dataclass
class Turns:
    """The turns of a batch: row, role and text number of each, in order."""

    rows: Numbers
    roles: Numbers
    codes: Numbers

    def where(self, stay: Flags) -> Turns:
        """The turns that stay."""
        return Turns(self.rows[stay], self.roles[stay], self.codes[stay])


@dataclass
class Hits:
    """How often each rule hit each row: rows, rules and counts, in pieces side by side."""

    rows: list[Numbers] = field(default_factory=list)
    rules: list[Numbers] = field(default_factory=list)
    counts: list[Numbers] = field(default_factory=list)

    def add(self, rows: Numbers, rules: Numbers | int, counts: Numbers | int = 1) -> None:
        """Note hits; a number stands for all rows."""
        self.rows.append(rows)
        self.rules.append(np.broadcast_to(np.asarray(rules, dtype=np.int64), rows.shape))
        self.counts.append(np.broadcast_to(np.asarray(counts, dtype=np.int64), rows.shape))

    def by_rule(self, rules: int, rows: int) -> Numbers:
        """Hits as a table of rules x rows."""
        table = np.zeros((rules, rows), dtype=np.int64)
        if self.rows:
            places = (np.concatenate(self.rules), np.concatenate(self.rows))
            np.add.at(table, places, np.concatenate(self.counts))
        return table


class _Texts:
    """The distinct texts of a batch by number, and what the rules on dialogues need to know of them."""

    def __init__(self, texts: pa.Array) -> None:
        self.column = texts
        self._facts = _facts(texts)
        self._clean: dict[tuple[int, bool], Flags] = {}

    def numbers(self, texts: Sequence[str]) -> Numbers:
        """The number of each text; new ones are put at the end."""
        wanted = pa.array(texts, pa.string())
        found = pc.index_in(wanted, self.column)
        if found.null_count:
            new = pc.unique(wanted.filter(pc.is_null(found)))
            behind = pc.add(pc.index_in(wanted, new), len(self.column))
            self.column = pa.concat_arrays([self.column, new])
            self._facts = np.concatenate([self._facts, _facts(new)])
            found = pc.coalesce(found, behind)
        return np.asarray(found, dtype=np.int64)

    def clean(self, kind: tuple[int, bool]) -> Flags:
        """Whether each text came out of cleaning as a text of this kind, so that cleaning it again changes nothing."""
        known = self._clean.get(kind, np.zeros(0, dtype=bool))
        if len(known) < len(self.column):
            known = np.concatenate([known, np.zeros(len(self.column) - len(known), dtype=bool)])
            self._clean[kind] = known
        return known

    def empty(self, codes: Numbers) -> Flags:
        """Whether nothing but blanks is left."""
        return _column(self._facts, 0, codes)

    def speaks(self, codes: Numbers) -> Flags:
        """Whether there is more than pictures."""
        return _column(self._facts, 1, codes)

    def shows(self, codes: Numbers) -> Flags:
        """Whether there is a picture."""
        return _column(self._facts, 2, codes)


def _column(facts: Flags, number: int, codes: Numbers) -> Flags:
    chosen: Flags = facts[codes, number]
    return chosen


def _facts(texts: pa.Array) -> Flags:
    shows = pc.match_substring(texts, PLACEHOLDER)
    rest = pc.replace_substring(texts, PLACEHOLDER, "") if pc.any(shows).as_py() else texts
    columns = [pc.invert(says(texts)), says(rest), shows]
    return np.stack([column.to_numpy(zero_copy_only=False) for column in columns], axis=1)


class DialogueCleaner:
    """Cleans the turns of dialogues.

    Args:
        text: Cleans single texts.
        rules: Number of each dialogue rule that is on, by id.
        separator: Stands between merged turns of the user.
    """

    def __init__(self, text: TextCleaner, rules: dict[str, int], separator: str) -> None:
        self._text = text
        self._rules = rules
        self._separator = separator

    def clean(self, texts: pa.Array, turns: Turns, rows: int) -> tuple[pa.Array, Turns, Hits]:
        """Clean dialogues until nothing changes.

        Args:
            texts: The distinct texts.
            turns: The turns.
            rows: Number of dialogues.

        Returns:
            The texts, with new ones at the end; the turns; how often each rule hit which dialogue.
        """
        table, hits = _Texts(texts), Hits()
        for _ in range(MAX_ROUNDS):
            before = turns
            turns = self._on_turns(table, self._on_texts(table, turns, rows, hits), rows, hits)
            if np.array_equal(turns.rows, before.rows) and np.array_equal(turns.codes, before.codes):
                break
        return table.column, turns, hits

    def _on_texts(self, table: _Texts, turns: Turns, rows: int, hits: Hits) -> Turns:
        query = current_queries(turns, table.speaks(turns.codes), rows)
        codes = turns.codes.copy()
        for role in (USER, AGENT):
            for is_query in (False, True):
                kind = (role, is_query)
                chosen = np.flatnonzero((turns.roles == role) & (query == is_query) & ~table.clean(kind)[turns.codes])
                if len(chosen):
                    codes[chosen] = self._cleaned(table, turns, chosen, kind, hits)
                    table.clean(kind)[codes[chosen]] = True
        return Turns(turns.rows, turns.roles, codes)

    def _cleaned(self, table: _Texts, turns: Turns, chosen: Numbers, kind: tuple[int, bool], hits: Hits) -> Numbers:
        """Clean the texts of some turns of one kind; give their new numbers."""
        distinct, places = np.unique(turns.codes[chosen], return_inverse=True)
        places = places.reshape(-1)
        cleaned = self._text.clean(table.column.take(pa.array(distinct)), ROLES[kind[0]], kind[1])
        if not cleaned.changed:
            return turns.codes[chosen]
        distinct[cleaned.changed] = table.numbers(cleaned.texts)
        _spread(cleaned, places, turns.rows[chosen], hits)
        return distinct[places]

    def _on_turns(self, table: _Texts, turns: Turns, rows: int, hits: Hits) -> Turns:
        for rule, role in (("empty-agent", AGENT), ("empty-user", USER)):
            if rule in self._rules:
                turns = self._without(turns, (turns.roles == role) & table.empty(turns.codes), rule, hits)
        if "repeated-agent" in self._rules:
            turns = self._without(turns, _repeated(table, turns), "repeated-agent", hits)
        if "trailing-agent" in self._rules:
            turns = self._without(turns, _trailing(table, turns, rows), "trailing-agent", hits)
        return self._merged(table, turns, hits) if "merge-user" in self._rules else turns

    def _without(self, turns: Turns, gone: Flags, rule: str, hits: Hits) -> Turns:
        if not gone.any():
            return turns
        hits.add(turns.rows[gone], self._rules[rule])
        return turns.where(~gone)

    def _merged(self, table: _Texts, turns: Turns, hits: Hits) -> Turns:
        """Merge turns of the user that stand side by side."""
        user = turns.roles == USER
        follows = np.zeros(len(user), dtype=bool)
        follows[1:] = user[1:] & user[:-1] & (turns.rows[1:] == turns.rows[:-1])
        if not follows.any():
            return turns
        hits.add(turns.rows[follows], self._rules["merge-user"])
        starts = np.flatnonzero(~follows)
        ends = np.append(starts[1:], len(follows))
        several = ends - starts > 1
        said = turns.codes.tolist()
        spans = zip(starts[several].tolist(), ends[several].tolist(), strict=True)
        groups = [tuple(said[start:end]) for start, end in spans]
        distinct = list(dict.fromkeys(groups))
        used = sorted({code for group in distinct for code in group})
        texts = dict(zip(used, table.column.take(pa.array(used, pa.int64())).to_pylist(), strict=True))
        made = table.numbers([self._joined([texts[code] for code in group]) for group in distinct]).tolist()
        number = dict(zip(distinct, made, strict=True))
        codes = turns.codes.copy()
        codes[starts[several]] = [number[group] for group in groups]
        return Turns(turns.rows, turns.roles, codes).where(~follows)

    def _joined(self, texts: Sequence[str]) -> str:
        """Join texts of the user; a picture stays on a line of its own."""
        whole = texts[0]
        for text in texts[1:]:
            if not whole.strip() or not text.strip():
                whole = whole if whole.strip() else text
            elif whole.endswith(PLACEHOLDER) or text.startswith(PLACEHOLDER):
                whole = f"{whole}\n{text}"
            else:
                whole = f"{whole}{'' if whole.endswith(_ENDS) else self._separator}{text}"
        return whole


def _spread(cleaned: CleanTexts, places: Numbers, rows: Numbers, hits: Hits) -> None:
    """Hits of distinct texts become hits of the rows that have them."""
    order = np.argsort(places, kind="stable")
    starts = np.searchsorted(places[order], cleaned.numbers, side="left")
    lengths = np.searchsorted(places[order], cleaned.numbers, side="right") - starts
    within = np.arange(int(lengths.sum())) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    turns = order[np.repeat(starts, lengths) + within]
    hits.add(rows[turns], np.repeat(cleaned.rules, lengths), np.repeat(cleaned.counts, lengths))


def current_queries(turns: Turns, speaks: Flags, rows: int) -> Flags:
    """Mark each dialogue's current query: the user's last turn that is not only pictures, which its label answers."""
    places = np.flatnonzero((turns.roles == USER) & speaks)
    last = np.full(rows, -1, dtype=np.int64)
    last[turns.rows[places]] = places  # of equal rows the last one stays
    query = np.zeros(len(turns.rows), dtype=bool)
    query[last[last >= 0]] = True
    return query


def _repeated(table: _Texts, turns: Turns) -> Flags:
    """Replies of the agent that the same dialogue has already; those with pictures are no repetition."""
    gone = np.zeros(len(turns.rows), dtype=bool)
    agent = np.flatnonzero((turns.roles == AGENT) & ~table.empty(turns.codes) & ~table.shows(turns.codes))
    keys = turns.rows[agent] * len(table.column) + turns.codes[agent]
    _, first = np.unique(keys, return_index=True)
    gone[agent] = True
    gone[agent[first]] = False
    return gone


def _trailing(table: _Texts, turns: Turns, rows: int) -> Flags:
    """Replies behind the user's last word, which a model would not have when it must answer."""
    places = np.arange(len(turns.rows))
    last = np.full(rows, len(places), dtype=np.int64)
    user = turns.roles == USER
    last[turns.rows[user]] = places[user]
    behind: Flags = (turns.roles == AGENT) & (places > last[turns.rows])
    return behind & ~table.shows(turns.codes)
