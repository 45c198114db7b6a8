"""The `regions` export: what OCR read, as questions about regions of pictures, in both directions."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal

import jinja2
from pydantic import Field
from ruamel.yaml import YAML

from curate.dataset.files import digest
from curate.errors import RowError
from curate.export import llamafactory, msswift, region_text
from curate.export.dialogue import Message, harmless
from curate.export.options import ImageMode, TrainingOptions
from curate.export.pictures import PictureWriter, Planned
from curate.export.region_text import Box, Form
from curate.export.sample import CODES, Sample, check, weigh
from curate.export.sharegpt import ROLES
from curate.export.tokens import CountTokens
from curate.export.training import TrainingExporter, Written
from curate.export.writers import JsonArray, Row, RowWriter
from curate.pipeline.export import ExportOptions
from curate.records import PLACEHOLDER, Record

_QUESTIONS = Path(__file__).parent / "region_questions.yaml"
_RESERVED = ("<bbox>", "<ref-object>")
"""ms-swift's own placeholders; a line that says one of them is left alone."""


class RegionsOptions(TrainingOptions):
    """How region instructions are written. The template's prompts are not used."""

    use: Literal["regions"] = "regions"
    """Which export format this is."""

    form: Form = "qwen2vl"
    """`qwen2vl` and `chatspot`: boxes as text, in ShareGPT rows; `swift`: ms-swift's `objects`, in pixels."""

    language: Literal["zh", "en"] = "zh"
    """Language of the questions."""

    lines_per_image: int = Field(default=4, ge=1)
    """Lines of one picture at most; drawn by the seed where there are more."""

    min_score: float = Field(default=0.8, ge=0, le=1)
    """Confidence of OCR from which a line is used."""


@dataclass(frozen=True)
class _Question:
    """One question about one region."""

    picture: int
    line: int
    kind: Literal["read", "find"]
    text: str
    box: Box


@dataclass
class _Regions(Sample):
    """A sample of many questions."""

    asked: list[tuple[_Question, list[Message]]] = field(default_factory=list)


class RegionsExporter(TrainingExporter[RegionsOptions]):
    """A line of text gives a question what a region says and, where it stands there once, one where it is."""

    name: ClassVar[str] = "regions"
    consumer: ClassVar[str] = "llamafactory"
    modes: ClassVar[tuple[ImageMode, ...]] = ("copy", "link", "absolute")
    Options: ClassVar[type[ExportOptions]] = RegionsOptions
    codes: ClassVar[Mapping[str, str]] = {
        **CODES,
        "not_read": "No picture of the record has been read; run the stage ocr first.",
        "no_regions": "No line of text in the record's pictures is sure enough to ask about.",
    }

    @property
    def checked_as(self) -> str:
        """ms-swift's form is held against ms-swift's rules."""
        return "swift" if self.options.form == "swift" else self.consumer

    @cached_property
    def _questions(self) -> dict[str, jinja2.Template]:
        texts = YAML(typ="safe").load(_QUESTIONS.read_text("utf-8"))[self.options.language]
        return {kind: jinja2.Template(text, undefined=jinja2.StrictUndefined) for kind, text in texts.items()}

    def environment(self) -> dict[str, str]:
        """The questions' digest, and the seed that lines are drawn by."""
        return {
            **super().environment(),
            "questions": digest(_QUESTIONS.read_text("utf-8")),
            "seed": str(self.context.seed),
        }

    def file_name(self, split: str) -> str:
        """JSON."""
        return f"{split}.json"

    def open_file(self, path: Path) -> RowWriter:
        """Open a split's file."""
        return JsonArray(path)

    @property
    def noun(self) -> str:
        """What the rows are."""
        return "questions about regions"

    def sample(self, record: Record) -> Sample:
        """A sample that holds questions."""
        return _Regions(record, record.split or "train")

    def prepare(self, sample: Sample, pictures: PictureWriter, count: CountTokens) -> None:
        """Draw the lines, write the questions, check each of them; see the base class."""
        assert isinstance(sample, _Regions)
        record = sample.record
        if all(image.ocr is None for image in record.images):
            raise RowError("not_read")
        sample.planned = [pictures.plan(image) for image in record.images]
        for question in self._draw(record, sample.planned):
            messages = self._asked(question, sample.planned[question.picture])
            check(messages, 1, self.options, marks=self.options.form == "qwen2vl")
            one = Sample(record, sample.split, messages, [sample.planned[question.picture]])
            weigh(one, self.options, count)
            sample.asked.append((question, messages))
            if one.tokens > sample.tokens:
                sample.text_tokens, sample.image_tokens = one.text_tokens, one.image_tokens
            sample.answer_tokens = max(sample.answer_tokens, one.answer_tokens)
        if not sample.asked:
            raise RowError("no_regions")
        sample.messages = sample.asked[-1][1]
        sample.images = [pictures.place(planned) for planned in sample.planned]

    def _draw(self, record: Record, planned: list[Planned]) -> Iterator[_Question]:
        for number, image in enumerate(record.images):
            lines = image.ocr.lines if image.ocr else ()
            times = Counter(line.text.strip() for line in lines)
            usable = []
            for place, line in enumerate(lines):
                box = region_text.from_polygon(line.polygon, planned[number].original)
                text = harmless(line.text.strip())
                if text and box and line.score >= self.options.min_score and not any(one in text for one in _RESERVED):
                    usable.append((place, text, box, times[line.text.strip()] == 1))
            if len(usable) > self.options.lines_per_image:
                draw = random.Random(f"{self.context.seed} {record.uid} {number}")  # noqa: S311  no secret is drawn
                usable = sorted(draw.sample(usable, self.options.lines_per_image), key=lambda one: one[0])
            for place, text, box, unique in usable:
                yield _Question(number, place, "read", text, box)
                if unique:
                    yield _Question(number, place, "find", text, box)

    def _asked(self, question: _Question, planned: Planned) -> list[Message]:
        region = region_text.written(question.box, planned.original, self.options.form)
        named = "<ref-object>" if self.options.form == "swift" else question.text
        asked = self._questions[question.kind].render(region=region, text=named)
        answer = question.text if question.kind == "read" else region
        return [Message("user", f"{PLACEHOLDER}{asked}"), Message("assistant", answer)]

    def rows(self, sample: Sample) -> Iterable[Row]:
        """A row for each question."""
        assert isinstance(sample, _Regions)
        for question, messages in sample.asked:
            image = sample.images[question.picture]
            row: dict[str, Any] = {
                "id": f"{sample.record.source_id}#{question.picture}-{question.line}-{question.kind}"
            }
            if self.options.form == "swift":
                row["messages"] = [{"role": one.role, "content": one.text} for one in messages]
            else:
                row["conversations"] = [{"from": ROLES[one.role], "value": one.text} for one in messages]
            row["images"] = [image.path]
            if self.options.form == "swift":
                ref = [question.text] if question.kind == "find" else []
                row["objects"] = {"ref": ref, "bbox": [question.box.scaled(image.original, image.size)]}
            yield row

    def companions(self, folder: Path, written: Written) -> dict[str, str]:
        """What the trainer of the form needs."""
        files = {split: self.file_name(split) for split in written.splits}
        if self.options.form == "swift":
            return msswift.write(folder, self.options, files) if "train" in files else {}
        entries = {split: llamafactory.entry(name, "sharegpt", llamafactory.SHAREGPT) for split, name in files.items()}
        return llamafactory.write(folder, self.options, entries, self.budget(written), written.longest_answer)

    def next_step(self, written: Written) -> str:
        """Train."""
        if self.options.form == "swift":
            return msswift.next_step(written.splits)
        return llamafactory.next_step(written.splits)
