"""The `denoise` stage: rules over all dialogues of a batch, each distinct text cleaned once."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any, ClassVar, Literal

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from curate.denoise import segment
from curate.denoise.dialogue import DialogueCleaner, Line
from curate.denoise.ocr_lines import clean_lines
from curate.denoise.rules import LEVELS, Level, Rule, RuleFile, load_rules
from curate.denoise.text import TextCleaner
from curate.errors import UsageError
from curate.pipeline.batch import Batch
from curate.pipeline.stage import Context, Stage, StageOptions
from curate.records import IMAGE, TURN, flatten


class DenoiseOptions(StageOptions):
    """What is taken out of dialogues and of the text read in pictures."""

    use: Literal["denoise"] = "denoise"

    rules: str = "zh-ecommerce"
    """Rule file: a shipped name or a YAML file."""

    levels: tuple[Level, ...] = LEVELS
    """Only these levels."""

    on: tuple[str, ...] = ()
    """Rules to switch on that are off in the file."""

    off: tuple[str, ...] = ()
    """Rules to switch off."""

    min_words: int = Field(default=3, ge=1)
    """A turn with fewer words is emptied by the rule `short`."""

    separator: str = "，"
    """Stands between turns of the user that are merged."""

    min_score: float = Field(default=0.5, ge=0, le=1)
    """Lines read with a lower score go, where the rule `low-score` is on."""

    segmenter: segment.Name = "rjieba"
    """What cuts text into words; both give the same cuts, jieba is slower."""


class DenoiseStage(Stage[DenoiseOptions]):
    """Cleans turns and OCR lines; the current query, labels and pictures are never lost."""

    name = "denoise"
    version = 1
    Options = DenoiseOptions
    codes: ClassVar[dict[str, str]] = {
        **{rule.id: rule.why for rule in load_rules("zh-ecommerce").rules},
        "empty_after_denoise": "Nothing but pictures, or nothing at all, is left of the dialogue; the record stays.",
    }

    def __init__(self, options: DenoiseOptions, context: Context) -> None:
        super().__init__(options, context)
        self.file: RuleFile = load_rules(options.rules)
        self.rules = self._chosen()
        self.codes = {**type(self).codes, **{rule.id: rule.why for rule in self.file.rules}}  # type: ignore[misc]
        self._cleaner: DialogueCleaner | None = None

    def _chosen(self) -> list[Rule]:
        known = {rule.id for rule in self.file.rules}
        for name in (*self.options.on, *self.options.off):
            if name not in known:
                raise UsageError(
                    f"there is no rule '{name}' in {self.file.name}; there are: {', '.join(sorted(known))}"
                )
        return [
            rule
            for rule in self.file.rules
            if rule.level in self.options.levels
            and rule.id not in self.options.off
            and (rule.on or rule.id in self.options.on)
        ]

    def environment(self) -> dict[str, str]:
        """The rules' digest and the segmenter."""
        return {"rules": self.file.digest(), "segmenter": segment.signature(self.options.segmenter)}

    def open(self) -> None:
        """Load the segmenter's dictionary."""
        cut = segment.segmenter(self.options.segmenter, self.file.segmenter_words)
        ids = frozenset(rule.id for rule in self.rules if rule.level == "dialogue")
        self._cleaner = DialogueCleaner(
            TextCleaner(self.rules, cut, self.options.min_words), ids, self.options.separator
        )

    def process(self, batch: Batch) -> None:
        """Clean the turns, then the lines read in pictures."""
        hits: dict[str, Counter[int]] = defaultdict(Counter)
        self._clean_turns(batch, hits)
        if any(rule.level == "ocr" for rule in self.rules):
            self._clean_pictures(batch, hits)
        for rule in (*(rule.id for rule in self.file.rules), "empty_after_denoise"):
            rows = sorted(hits[rule])
            batch.change_many(rows, rule, "hits", [hits[rule][row] for row in rows])

    def _clean_turns(self, batch: Batch, hits: dict[str, Counter[int]]) -> None:
        assert self._cleaner is not None, "open comes before process"
        column = batch.table["turns"]
        flat, rows = flatten(column)
        roles, texts = pc.struct_field(flat, "role").to_pylist(), pc.struct_field(flat, "text").to_pylist()
        dialogues: list[list[Line]] = [[] for _ in range(len(batch))]
        for row, role, text in zip(rows.tolist(), roles, texts, strict=True):
            dialogues[row].append(Line(role, text))
        cleaned: list[list[Line]] = []
        for row, turns in enumerate(dialogues):
            new, found = self._cleaner.clean(turns)
            for rule, count in found.items():
                hits[rule][row] = count
            if new != turns and not any(turn.text.replace("<image>", "").strip() for turn in new):
                hits["empty_after_denoise"][row] = 1
            cleaned.append(new)
        if cleaned != dialogues:
            batch.set_column("turns", _turns(cleaned))

    def _clean_pictures(self, batch: Batch, hits: dict[str, Counter[int]]) -> None:
        rules = frozenset(rule.id for rule in self.rules if rule.level == "ocr")
        column = batch.table["images"]
        flat, rows = flatten(column)
        if len(flat) == 0 or pc.struct_field(flat, "ocr").null_count == len(flat):
            return
        images: list[dict[str, Any]] = flat.to_pylist()
        touched = False
        for row, image in zip(rows.tolist(), images, strict=True):
            if image["ocr"] is None:
                continue
            image["ocr"], found = clean_lines(image["ocr"], image["height"] or 0, rules, self.options.min_score)
            for rule, count in found.items():
                hits[rule][row] += count
                touched = True
        if touched:
            array = column.combine_chunks()
            batch.set_column("images", pa.ListArray.from_arrays(_offsets(array), pa.array(images, IMAGE)))


def _turns(dialogues: list[list[Line]]) -> pa.ListArray:
    offsets = [0]
    for turns in dialogues:
        offsets.append(offsets[-1] + len(turns))
    fields = [
        pa.array([turn.role for turns in dialogues for turn in turns], pa.string()),
        pa.array([turn.text for turns in dialogues for turn in turns], pa.string()),
    ]
    return pa.ListArray.from_arrays(
        pa.array(offsets, pa.int32()), pa.StructArray.from_arrays(fields, fields=list(TURN))
    )


def _offsets(array: pa.ListArray) -> pa.Array:
    """Offsets of a list column, counted from its own first value."""
    return pc.subtract(array.offsets, array.offsets[0])
