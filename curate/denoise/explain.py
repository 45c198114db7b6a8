"""What the rules did to a dataset: how often each hit, which never did, and an example from the data of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from curate.denoise.keep import Level
from curate.denoise.ocr_lines import LineCleaner
from curate.denoise.rules import Rule
from curate.denoise.segment import at_spaces
from curate.denoise.stage import DenoiseStage
from curate.denoise.text import TextCleaner
from curate.pipeline.batch import Batch
from curate.pipeline.source import Position, Source
from curate.records import IMAGE

_LOOKED_AT = 20
"""Records of one shard in which an example for a rule is looked for."""


class Passed(NamedTuple):
    """Records before and behind the stage, and what the ledger says of them."""

    before: pa.Table
    after: pa.Table
    ledger: pa.Table
    unread: Mapping[str, int] = MappingProxyType({})
    """Records that the source set aside, by code."""


def passed_in_memory(stage: DenoiseStage, source: Source, record: str = "") -> Iterator[Passed]:
    """Pass a source through an opened stage, shard by shard, and write nothing.

    Args:
        stage: The stage.
        source: Where the records are.
        record: Only the records whose uid or source id begins so.
    """
    if stage.surveys and stage.verdict is None:
        surveys = [stage.survey(Batch(rows, stage.name, stage.codes)) for rows, _ in _rows(source)]
        stage.verdict = stage.decide(pa.concat_tables(surveys) if surveys else pa.table({}))
    for rows, unread in _rows(source):
        if record:
            begins = (pc.starts_with(rows[name], record) for name in ("uid", "source_id"))
            rows = rows.filter(pc.or_(*begins)).combine_chunks()
        batch = Batch(rows, stage.name, stage.codes)
        stage.process(batch)
        outcome = batch.outcome()
        yield Passed(rows, outcome.rows, outcome.ledger, unread)


def _rows(source: Source) -> Iterator[tuple[pa.Table, dict[str, int]]]:
    for shard in source.shards(Position(), ()):
        outcome = shard.batch.outcome()
        yield outcome.rows, outcome.counts.codes.get("failed", {})


def passed_on_disk(before: Path, after: Path) -> Iterator[Passed]:
    """Read back what a run did, from the folders of the step before and of the stage's own step."""
    for path in sorted((after / "ledger").glob("part-*.parquet")):
        yield Passed(
            pq.read_table(before / "rows" / path.name), pq.read_table(after / "rows" / path.name), pq.read_table(path)
        )


class Example(NamedTuple):
    """What a rule did to one text of the data."""

    record: str
    """Source id of the record."""
    before: str
    after: str


@dataclass
class Told:
    """What one rule did."""

    id: str
    level: Level
    on: bool
    what: str
    rows: int = 0
    hits: int = 0
    example: Example | None = None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**vars(self), "example": self.example._asdict() if self.example else None}


class Explanation:
    """Adds up what an opened stage did.

    Args:
        stage: The stage.
    """

    def __init__(self, stage: DenoiseStage) -> None:
        on = {rule.id for rule in stage.rules}
        self.rules = {rule.id: Told(rule.id, rule.level, rule.id in on, rule.what) for rule in stage.file.rules}
        self.rows = 0
        self._stage = stage
        self._alone = {rule.id: self._cleaner(rule) for rule in stage.rules}

    def _cleaner(self, rule: Rule) -> TextCleaner | LineCleaner | None:
        """What applies one rule alone; None for rules on whole dialogues."""
        options, file = self._stage.options, self._stage.file
        if rule.level == "ocr":
            verdict = self._stage.verdict
            learnt = frozenset(verdict["text"].to_pylist()) if verdict is not None else frozenset[str]()
            return LineCleaner([rule], file.keep, options.min_score, learnt)
        if rule.level == "dialogue":
            return None
        cut = self._stage.cut or at_spaces
        return TextCleaner([rule], cut, options.settings(file), file.keep)

    def add(self, passed: Passed) -> None:
        """Add a shard."""
        self.rows += passed.before.num_rows
        told = passed.ledger.filter(pc.equal(passed.ledger["action"], "changed"))
        sums = told.group_by("code").aggregate([("value", "sum"), ("value", "count")])
        for row in sums.to_pylist():
            rule = self.rules.get(row["code"])
            if rule is None:
                continue
            rule.rows += row["value_count"]
            rule.hits += int(row["value_sum"])
            if rule.example is None:
                uids = told.filter(pc.equal(told["code"], rule.id))["uid"].slice(0, _LOOKED_AT)
                rule.example = self._example(rule.id, passed.before.filter(pc.is_in(passed.before["uid"], uids)))

    def _example(self, rule: str, records: pa.Table) -> Example | None:
        cleaner = self._alone.get(rule)
        for row in records.select(["source_id", "turns", "images"]).to_pylist():
            if cleaner is None:
                return Example(row["source_id"], "", "")
            for before, after in self._changes(cleaner, row):
                if before != after:
                    return Example(row["source_id"], before, after)
        return None

    def _changes(self, cleaner: TextCleaner | LineCleaner, row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        if isinstance(cleaner, LineCleaner):
            for image in row["images"]:
                yield _lines(image), _lines(cleaner.clean(pa.array([image], IMAGE))[0].to_pylist()[0])
            return
        for turn in row["turns"]:
            cleaned = cleaner.clean(pa.array([turn["text"]], pa.string()), turn["role"], False)
            yield turn["text"], cleaned.texts[0] if cleaned.changed else turn["text"]

    def never_hit(self) -> list[str]:
        """Rules that are on and hit nothing."""
        return [rule.id for rule in self.rules.values() if rule.on and not rule.hits]

    def off(self) -> list[str]:
        """Rules that are off."""
        return [rule.id for rule in self.rules.values() if not rule.on]


def _lines(image: Mapping[str, Any]) -> str:
    return "\n".join(line["text"] for line in (image["ocr"] or {}).get("lines") or ())
