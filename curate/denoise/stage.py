"""The stage `denoise`: cleans the turns of dialogues and the lines read in pictures, and says what it did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, field_validator

from curate.denoise import boilerplate, segment
from curate.denoise.dialogue import ROLES, DialogueCleaner, Hits, Turns
from curate.denoise.keep import LEVELS, Level
from curate.denoise.ocr_lines import LineCleaner
from curate.denoise.rule_file import RuleFile, load_rules
from curate.denoise.rules import Rule
from curate.denoise.sieve import says
from curate.denoise.text import Settings, TextCleaner
from curate.errors import UsageError
from curate.pipeline.batch import Batch
from curate.pipeline.stage import Context, Stage, StageOptions
from curate.records import PLACEHOLDER, TURN, flatten

EMPTY = "empty_after_denoise"


class DenoiseOptions(StageOptions):
    """What is taken out of dialogues and of the text read in pictures."""

    use: Literal["denoise"] = "denoise"

    rules: str = "zh-ecommerce"
    """Rule file: a shipped name (zh-ecommerce, zh-general, en-general) or a YAML file."""

    levels: tuple[Level, ...] = LEVELS
    """Only these levels."""

    on: tuple[str, ...] = ()
    """Rules to switch on that are off in the file."""

    off: tuple[str, ...] = ()
    """Rules to switch off."""

    min_words: int = Field(default=3, ge=1, le=1000)
    """A turn with fewer words is emptied by the rule `short`."""

    unit: Literal["word", "char"] = "word"
    """What `min_words` counts: words, or letters, digits and Han characters."""

    min_digits: int = Field(default=11, ge=2, le=1000)
    """A run of this many digits is replaced by the rule `long-number`."""

    separator: str = "，"
    """Stands between turns of the user that are merged; a line break is "\\n"."""

    min_score: float = Field(default=0.5, ge=0, le=1)
    """Lines read with a lower score go, where the rule `low-score` is on."""

    boilerplate_share: float = Field(default=0.2, gt=0, le=1)
    """The rule `boilerplate` takes lines that stand in at least this share of the training pictures with text …"""

    boilerplate_documents: int = Field(default=20, ge=2)
    """… and in at least this many of them …"""

    boilerplate_lift: float = Field(default=2.0, ge=1)
    """… unless some label is more than this many times as frequent among the pictures with the line."""

    segmenter: segment.Name = "rjieba"
    """What cuts text into words; both give the same cuts, jieba is slower."""

    @field_validator("separator")
    @classmethod
    def _stands_for_no_picture(cls, separator: str) -> str:
        if PLACEHOLDER in separator:
            raise ValueError(f"a separator cannot hold {PLACEHOLDER}, which stands for a picture")
        return separator

    def settings(self, file: RuleFile) -> Settings:
        """What the rules on texts need to know."""
        return Settings(self.min_words, self.unit, self.min_digits, file.script())


class _Codes(Mapping[str, str]):
    """Codes of a rule file; it is read when somebody asks."""

    def __init__(self, rules: str) -> None:
        self._rules = rules

    def _all(self) -> dict[str, str]:
        return _codes(load_rules(self._rules))

    def __getitem__(self, code: str) -> str:
        return self._all()[code]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())


def _codes(file: RuleFile) -> dict[str, str]:
    """Each rule with what it does, and what is no rule."""
    empty = "Nothing but pictures, or nothing at all, is left of the dialogue; the record stays."
    return {**{rule.id: rule.what for rule in file.rules}, EMPTY: empty}


class DenoiseStage(Stage[DenoiseOptions]):
    """Cleans turns and OCR lines; the current query, labels and pictures are never lost."""

    name = "denoise"
    version = 2
    Options = DenoiseOptions
    codes: ClassVar[Mapping[str, str]] = _Codes("zh-ecommerce")

    def __init__(self, options: DenoiseOptions, context: Context) -> None:
        super().__init__(options, context)
        self.file: RuleFile = load_rules(options.rules)
        self.rules = chosen(self.file, options)
        self.codes = _codes(self.file)  # type: ignore[misc]
        self.surveys = any(rule.id == "boilerplate" for rule in self.rules)  # type: ignore[misc]
        self._numbers = {rule.id: number for number, rule in enumerate(self.file.rules)}
        self.cut: segment.Cut | None = None
        """Cuts texts into words; set by `open` where a rule needs it."""
        self._dialogues: DialogueCleaner | None = None

    def environment(self) -> dict[str, str]:
        """The rules' digest and the segmenter."""
        return {"rules": self.file.digest(), "segmenter": segment.signature(self.options.segmenter)}

    def open(self) -> None:
        """Load the segmenter's dictionary, where a rule cuts words."""
        cuts = any(rule.kind == "word" or rule.id == "short" for rule in self.rules)
        self.cut = self.file.cut(self.options.segmenter) if cuts else None
        settings = self.options.settings(self.file)
        texts = TextCleaner(self.rules, self.cut or segment.at_spaces, settings, self.file.keep, self._numbers)
        on_dialogues = {rule.id: self._numbers[rule.id] for rule in self.rules if rule.level == "dialogue"}
        self._dialogues = DialogueCleaner(texts, on_dialogues, self.options.separator)

    def survey(self, batch: Batch) -> pa.Table:
        """Count the lines of the training split, for the rule `boilerplate`."""
        return boilerplate.survey(batch.table)

    def decide(self, survey: pa.Table) -> pa.Table:
        """Say which lines are boilerplate."""
        options = self.options
        return boilerplate.decide(
            survey,
            share=options.boilerplate_share,
            documents=options.boilerplate_documents,
            lift=options.boilerplate_lift,
        )

    def process(self, batch: Batch) -> None:
        """Clean the turns, then the lines read in pictures."""
        hits = Hits()
        emptied = self._clean_turns(batch, hits)
        on_lines = [rule for rule in self.rules if rule.level == "ocr"]
        if on_lines:
            self._clean_pictures(batch, on_lines, hits)
        table = hits.by_rule(len(self.file.rules), len(batch))
        for rule, counts in zip(self.file.rules, table, strict=True):
            rows = np.flatnonzero(counts)
            if len(rows):
                batch.change_many(rows, rule.id, "hits", counts[rows])
        if len(emptied):
            batch.change_many(emptied, EMPTY, "hits", np.ones(len(emptied)))

    def _clean_turns(self, batch: Batch, hits: Hits) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """Clean the turns; give the rows in which nothing is left that was there before."""
        assert self._dialogues is not None, "open comes before process"
        flat, rows = flatten(batch.table["turns"])
        texts = pc.struct_field(flat, "text").dictionary_encode()
        roles = np.asarray(pc.index_in(pc.struct_field(flat, "role"), pa.array(ROLES)), dtype=np.int64)
        before = Turns(rows, roles, np.asarray(texts.indices, dtype=np.int64))
        distinct, turns, found = self._dialogues.clean(texts.dictionary, before, len(batch))
        hits.rows += found.rows
        hits.rules += found.rules
        hits.counts += found.counts
        if not found.rows:
            return np.zeros(0, dtype=np.int64)
        batch.set_column("turns", _turns(distinct, turns, len(batch)))
        speaks = says(pc.replace_substring(distinct, PLACEHOLDER, "")).to_numpy(zero_copy_only=False)
        had = np.bincount(before.rows, weights=speaks[before.codes], minlength=len(batch))
        has = np.bincount(turns.rows, weights=speaks[turns.codes], minlength=len(batch))
        return np.flatnonzero((had > 0) & (has == 0))

    def _clean_pictures(self, batch: Batch, rules: list[Rule], hits: Hits) -> None:
        array = batch.table["images"].combine_chunks()
        flat, rows = flatten(array)
        if len(flat) == 0 or pc.struct_field(flat, "ocr").null_count == len(flat):
            return
        learnt = frozenset(self.verdict["text"].to_pylist()) if self.verdict is not None else frozenset[str]()
        cleaner = LineCleaner(rules, self.file.keep, self.options.min_score, learnt)
        images, pictures, fates = cleaner.clean(flat)
        if len(pictures) == 0:
            return
        numbers = np.array([self._numbers[rule.id] for rule in rules], dtype=np.int64)
        hits.add(rows[pictures], numbers[fates])
        offsets = pc.subtract(array.offsets, array.offsets[0])
        batch.set_column("images", pa.ListArray.from_arrays(offsets, images, mask=pc.is_null(array)))


def chosen(file: RuleFile, options: DenoiseOptions) -> list[Rule]:
    """The rules of a file that are on.

    Raises:
        UsageError: an option names a rule that there is not.
    """
    known = {rule.id for rule in file.rules}
    for name in (*options.on, *options.off):
        if name not in known:
            raise UsageError(f"there is no rule '{name}' in {file.name}; there are: {', '.join(sorted(known))}")
    return [
        rule
        for rule in file.rules
        if rule.level in options.levels and rule.id not in options.off and (rule.on or rule.id in options.on)
    ]


def _turns(texts: pa.Array, turns: Turns, rows: int) -> pa.ListArray:
    """The turns as a column of records."""
    offsets = np.concatenate([[0], np.cumsum(np.bincount(turns.rows, minlength=rows))]).astype(np.int32)
    said = texts.take(pa.array(turns.codes))
    roles = pa.array(ROLES, pa.string()).take(pa.array(turns.roles))
    return pa.ListArray.from_arrays(pa.array(offsets), pa.StructArray.from_arrays([roles, said], fields=list(TURN)))
