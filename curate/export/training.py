"""What all training exports share: records in, checked samples out, pictures beside them, and a last look."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import pyarrow as pa

from curate.dataset.files import digest
from curate.errors import RowError, RunFailed, UsageError
from curate.export import index, tokens
from curate.export.check import examine
from curate.export.check.finding import Settings
from curate.export.options import ImageMode, TrainingOptions
from curate.export.pictures import FOLDER, PictureWriter
from curate.export.sample import CODES, Sample, check, in_order, weigh
from curate.export.template import Template, Wanted
from curate.export.writers import Row, RowWriter, SplitFiles
from curate.pipeline.export import Delivery, Exporter
from curate.pipeline.stage import Context
from curate.records import SPLITS, Record, from_table

Opts = TypeVar("Opts", bound=TrainingOptions)


@dataclass
class Written:
    """What has been written: records and rows by split, and the tokens of the longest sample and answer."""

    records: Counter[str] = field(default_factory=Counter)
    rows: Counter[str] = field(default_factory=Counter)
    answered: Counter[str] = field(default_factory=Counter)
    """Records by split that have an answer."""
    longest: int = 0
    longest_answer: int = 0

    @property
    def splits(self) -> list[str]:
        """The splits that there are, in order."""
        return [split for split in SPLITS if self.records[split]]


class TrainingExporter(Exporter[Opts], Generic[Opts]):
    """Writes a file for each split, the pictures, an index and what the trainer needs beside them."""

    version: ClassVar[int] = 2
    codes: ClassVar[Mapping[str, str]] = CODES
    consumer: ClassVar[str]
    """Whose rules the finished export is held against."""
    modes: ClassVar[tuple[ImageMode, ...]] = ("copy", "link", "absolute", "embed")
    """Ways in which the format can carry pictures."""

    def __init__(self, options: Opts, context: Context) -> None:
        super().__init__(options, context)
        if options.images not in self.modes:
            raise UsageError(f"the format {self.name} carries pictures by images={', '.join(self.modes)} only")
        self.template = Template.load(options.template)
        self.coarse_fine = self.template.file.coarse_fine if options.coarse_fine is None else options.coarse_fine
        self.characters = options.ocr_characters or self.template.file.ocr_characters
        if options.rationale and not any(prompt.rationale for prompt in self.template.file.tasks.values()):
            raise UsageError(f"template {self.template.file.name} has no rationale; add one, or leave the option out")
        if self.coarse_fine and self.template.registry is None:
            raise UsageError(f"template {self.template.file.name} names no registry, which coarse-fine answers need")

    def environment(self) -> dict[str, str]:
        """Digests of template and tokenizer, the seed where labels are shuffled, how answers are written."""
        found = {"template": self.template.digest(), "answers": "path" if self.coarse_fine else "fine"}
        if self.options.tokenizer is not None:
            found["tokenizer"] = digest(tokens.load(self.options.tokenizer).to_str())
        if self.template.file.label_order == "shuffled":
            found["seed"] = str(self.context.seed)
        return found

    @abstractmethod
    def file_name(self, split: str) -> str:
        """Name of a split's file."""

    @abstractmethod
    def open_file(self, path: Path) -> RowWriter:
        """Open a split's file."""

    @abstractmethod
    def rows(self, sample: Sample) -> Iterable[Row]:
        """The rows of a sample: one, unless the format says otherwise."""

    @abstractmethod
    def companions(self, folder: Path, written: Written) -> dict[str, str]:
        """Write what the trainer needs beside the rows; give names and what they are."""

    @abstractmethod
    def next_step(self, written: Written) -> str:
        """The command that a person runs next."""

    def write(self, shards: Iterable[pa.Table], delivery: Delivery) -> dict[str, Any]:
        """Write everything; see `Exporter.write`."""
        folder, written, left_out = delivery.folder, Written(), Counter[str]()
        with ExitStack() as stack:
            files = SplitFiles(lambda split: self.open_file(folder / self.file_name(split)))
            stack.callback(files.close)
            lines = index.IndexWriter(folder)
            stack.callback(lines.close)
            for sample in self._samples(shards, delivery):
                if sample.error is not None:
                    left_out[sample.error.code] += 1
                    delivery.leave_out(sample.record.uid, sample.error.code, sample.error.detail)
                    continue
                written.records[sample.split] += 1
                written.answered[sample.split] += bool(sample.messages[-1].text)
                written.longest = max(written.longest, sample.tokens)
                written.longest_answer = max(written.longest_answer, sample.answer_tokens)
                for row in self.rows(sample):
                    lines.add(self.file_name(sample.split), files.add(sample.split, row), sample)
                    written.rows[sample.split] += 1
        if not written.records:
            raise RunFailed(f"export {self.options.title}: {_why_nothing(left_out)}")
        companions = self.companions(folder, written)
        self._last_look(delivery)
        return self._facts(folder, written, companions)

    def sample(self, record: Record) -> Sample:
        """An empty sample of a record."""
        return Sample(record, record.split or "train")

    def prepare(self, sample: Sample, pictures: PictureWriter, count: tokens.CountTokens) -> None:
        """Fill a sample: messages, checks, budget, pictures, in this order, so that nothing is written in vain.

        Raises:
            RowError: one of `codes`.
        """
        record, training = sample.record, sample.split == "train"
        wanted = Wanted(
            ocr_characters=self.characters if sample.split in self.options.ocr else None,
            rationale=self.options.rationale and training,
            answered=sample.split != "test",
            coarse_fine=self.coarse_fine,
            seed=self.context.seed,
        )
        sample.messages = self.template.messages(record, wanted)
        check(sample.messages, len(record.images), self.options)
        sample.planned = [pictures.plan(image) for image in record.images]
        weigh(sample, self.options, count)
        sample.images = [pictures.place(planned) for planned in sample.planned]

    def _samples(self, shards: Iterable[pa.Table], delivery: Delivery) -> Iterator[Sample]:
        """Prepare records in threads (Pillow frees the interpreter), give them in order."""
        pictures = PictureWriter(self.context.pictures, self.options, delivery.folder, delivery.final)
        count = tokens.counter(self.options.tokenizer)

        def prepared(record: Record) -> Sample:
            sample = self.sample(record)
            try:
                self.prepare(sample, pictures, count)
            except RowError as error:
                sample.error = error
            return sample

        workers = max(2, self.context.threads)
        with ThreadPoolExecutor(workers) as threads:
            for shard in shards:
                yield from in_order(threads, prepared, from_table(shard), 4 * workers)
                delivery.tick(shard.num_rows)

    def _last_look(self, delivery: Delivery) -> None:
        """Hold the finished export against the consumer's rules, as `curate export --check` does.

        Raises:
            RunFailed: a rule is broken, which is a bug in an exporter or in a template.
        """
        options = self.options
        settings = Settings(
            cutoff_len=options.cutoff_len,
            bounds=options.bounds,
            tokenizer=options.tokenizer,
            decode=False,
            final=delivery.final,
        )
        report = examine(delivery.folder, self.checked_as, settings)
        if report.errors:
            first = report.errors[0]
            raise RunFailed(
                f"export {options.title}: the finished export breaks {len(report.errors)} rules of {self.checked_as}; "
                f"first: {first.place}: {first.code}: {first.message}"
            )

    def _facts(self, folder: Path, written: Written, companions: dict[str, str]) -> dict[str, Any]:
        files = {self.file_name(split): f"{written.rows[split]:,} {self.noun}" for split in written.splits}
        images = len(list((folder / FOLDER).glob("*"))) if (folder / FOLDER).is_dir() else 0
        if images:
            files[f"{FOLDER}/"] = f"{images:,} pictures, upright RGB, sides in multiples of 28"
        files |= companions
        files[index.FILE] = "which line is which uid, for predictions that come back without ids"
        rows = {split: written.records[split] for split in written.splits}
        return {"rows": rows, "files": files, "next": self.next_step(written)}

    @property
    def checked_as(self) -> str:
        """Whose rules the finished export is held against."""
        return self.consumer

    @property
    def noun(self) -> str:
        """What the rows are."""
        return "conversations"

    def budget(self, written: Written) -> str:
        """How long the longest sample is, in words."""
        most = "" if self.options.tokenizer else "at most "
        return f"longest sample {most}{written.longest:,} of {self.options.cutoff_len:,} tokens"


def _why_nothing(left_out: Counter[str]) -> str:
    """Why no record is left to write, and where to read on."""
    if not left_out:
        return "there are no records to write; see what became of them with `curate ls RUN`"
    told = ", ".join(f"{code} {rows:,}" for code, rows in left_out.most_common())
    return f"every record was left out ({told}); `curate reasons {left_out.most_common(1)[0][0]}` explains"
