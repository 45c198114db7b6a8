"""The `sharegpt` export: a training set that LLaMA-Factory and ms-swift read as it is."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Literal

import pyarrow as pa
from PIL import Image as Pillow
from pydantic import Field

from curate.dataset.decode import decode
from curate.dataset.files import write_bytes, write_json
from curate.dataset.pictures import CODES as PICTURE_CODES
from curate.dataset.shards import write_table
from curate.errors import RowError, RunFailed
from curate.export import llamafactory
from curate.export.budget import sample_tokens
from curate.export.template import CODES as TEMPLATE_CODES
from curate.export.template import Message, Template
from curate.export.vision import MIN_PIXELS, Size, encode, fit, prepare
from curate.pipeline.export import Delivery, Exporter, ExportOptions
from curate.pipeline.stage import Context
from curate.records import PLACEHOLDER, SPLITS, Record, from_table

_ROLES = {"user": "human", "assistant": "gpt"}


class ShareGptOptions(ExportOptions):
    """How a ShareGPT training set is written."""

    use: Literal["sharegpt"] = "sharegpt"

    template: str = "plain"
    """Prompt template: `mire`, `plain`, or a YAML file of your own."""

    ocr: tuple[Literal["train", "val", "test"], ...] = ("train", "val", "test")
    """Splits that get the text read in their pictures; `[train]` and `[]` give the other conditions of LLM-IR."""

    ocr_characters: int = Field(default=600, ge=1)
    """Characters of one picture's text at most."""

    max_pixels: int = Field(default=589_824, ge=MIN_PIXELS)
    """Largest picture area; the default is LLaMA-Factory's `image_max_pixels` (768 x 768)."""

    quality: int = Field(default=95, ge=50, le=100)
    """JPEG quality of pictures that had to be changed."""

    cutoff_len: int = Field(default=4096, ge=64)
    """Longest sample in tokens; a longer one is left out, because a trainer would cut it in the middle of a picture."""

    dataset_name: str = Field(default="curate", pattern=r"^[A-Za-z0-9_-]+$")
    """Prefix of the names in dataset_info.json."""


@dataclass
class _Sample:
    """A record on its way: its messages and the pictures that belong to it, or why it is left out."""

    record: Record
    split: str
    messages: list[Message] = field(default_factory=list)
    images: list[str] = field(default_factory=list)
    text_tokens: int = 0
    image_tokens: int = 0
    error: RowError | None = None

    def row(self, system: bool) -> dict[str, Any]:
        """The row as trainers read it; every row has the same keys."""
        turns = [{"from": _ROLES[one.role], "value": one.text} for one in self.messages if one.role != "system"]
        row: dict[str, Any] = {"id": self.record.source_id, "conversations": turns}
        if system:
            row["system"] = next((one.text for one in self.messages if one.role == "system"), "")
        return {**row, "images": self.images}


class ShareGptExporter(Exporter[ShareGptOptions]):
    """Writes `train.json` (and val, test), the pictures, `dataset_info.json`, a training YAML and an index."""

    name = "sharegpt"
    version = 1
    Options = ShareGptOptions
    codes = {
        **TEMPLATE_CODES,
        **PICTURE_CODES,
        "image_aspect": "The picture is more than 200 times as long as wide, which the model's processor refuses.",
        "image_count_mismatch": "The number of <image> in the finished prompt is not the number of pictures.",
        "over_token_budget": "The sample has more tokens than cutoff_len; the detail has the numbers.",
        "special_token": "The text holds a special token of the chat template, such as <|im_end|>, and would break.",
    }

    def __init__(self, options: ShareGptOptions, context: Context) -> None:
        super().__init__(options, context)
        self.template = Template.load(options.template)

    def environment(self) -> dict[str, str]:
        """The template's digest."""
        return {"template": self.template.digest()}

    def write(self, shards: Iterable[pa.Table], delivery: Delivery) -> dict[str, Any]:
        """Write everything; see `Exporter.write`."""
        system = (
            any(prompt.system is not None for prompt in self.template.file.tasks.values())
            or "*" in self.template.file.tasks
        )
        rows: Counter[str] = Counter()
        index: list[dict[str, Any]] = []
        with ExitStack() as stack:
            files = _SplitFiles(delivery.folder, stack)
            for sample in self._samples(shards, delivery):
                if sample.error is not None:
                    delivery.leave_out(sample.record.uid, sample.error.code, sample.error.detail)
                    continue
                line = files.add(sample.split, sample.row(system))
                rows[sample.split] += 1
                index.append(_index_row(sample, line))
        if not rows:
            raise RunFailed(
                f"export {self.options.title}: every record was left out; see the reasons with `curate why`"
            )
        schema = pa.schema(
            [
                ("file", pa.string()),
                ("line", pa.int64()),
                ("uid", pa.string()),
                ("source_id", pa.string()),
                ("label", pa.string()),
                ("text_tokens", pa.int64()),
                ("image_tokens", pa.int64()),
            ]
        )
        write_table(delivery.folder / "index.parquet", pa.Table.from_pylist(index, schema=schema))
        splits = [split for split in SPLITS if rows[split]]
        write_json(
            delivery.folder / "dataset_info.json", llamafactory.dataset_info(self.options.dataset_name, splits, system)
        )
        write_bytes(
            delivery.folder / "train_lora.yaml",
            llamafactory.training_yaml(
                self.options.dataset_name, splits, self.options.max_pixels, MIN_PIXELS, self.options.cutoff_len
            ).encode(),
        )
        return self._facts(delivery.folder, splits, rows, index)

    def _samples(self, shards: Iterable[pa.Table], delivery: Delivery) -> Iterator[_Sample]:
        """Prepare records in threads (Pillow frees the interpreter), give them in order."""
        pictures = _PictureWriter(self, delivery.folder / "images")
        with ThreadPoolExecutor(max(2, self.context.threads)) as threads:
            for shard in shards:
                yield from threads.map(lambda record: self._sample(record, pictures), from_table(shard))
                delivery.tick(shard.num_rows)

    def _sample(self, record: Record, pictures: _PictureWriter) -> _Sample:
        sample = _Sample(record, record.split or "train")
        try:
            characters = self.options.ocr_characters if sample.split in self.options.ocr else None
            sample.messages = self.template.messages(record, characters)
            _check(sample.messages, len(record.images))
            sizes = [fit(image.width or 1, image.height or 1, self.options.max_pixels) for image in record.images]
            sample.text_tokens, sample.image_tokens = sample_tokens(sample.messages, sizes)
            total = sample.text_tokens + sample.image_tokens
            if total > self.options.cutoff_len:
                raise RowError(
                    "over_token_budget",
                    f"at most {sample.text_tokens} of text + {sample.image_tokens} of pictures = {total} tokens, "
                    f"cutoff_len is {self.options.cutoff_len}; "
                    "raise cutoff_len, or lower max_pixels or ocr_characters",
                )
            sample.images = [
                pictures.write(image.path, image.sha256 or "", size)
                for image, size in zip(record.images, sizes, strict=True)
            ]
        except RowError as error:
            sample.error = error
        return sample

    def _facts(
        self, folder: Path, splits: list[str], rows: Counter[str], index: list[dict[str, Any]]
    ) -> dict[str, Any]:
        files = {f"{split}.json": f"{rows[split]:,} conversations" for split in splits}
        images = len(list((folder / "images").glob("*"))) if (folder / "images").is_dir() else 0
        longest = max(row["text_tokens"] + row["image_tokens"] for row in index)
        files["images/"] = f"{images:,} pictures, upright RGB, sides in multiples of 28"
        files["dataset_info.json"] = "for LLaMA-Factory: " + ", ".join(
            f"{self.options.dataset_name}_{split}" for split in splits
        )
        files["train_lora.yaml"] = (
            f"LoRA training of Qwen2-VL; longest sample at most {longest:,} of {self.options.cutoff_len:,} tokens"
        )
        files["index.parquet"] = "which line is which uid, for predictions that come back without ids"
        command = "llamafactory-cli train train_lora.yaml   (in the export's folder)"
        return {"rows": {split: rows[split] for split in splits}, "files": files, "next": command}


class _SplitFiles:
    """JSON arrays, one for each split, written row by row."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder = folder
        self._stack = stack
        self._open: dict[str, BinaryIO] = {}
        self._lines: Counter[str] = Counter()

    def add(self, split: str, row: dict[str, Any]) -> int:
        """Write a row; give its number in its file, from 0."""
        if split not in self._open:
            stream = open(self._folder / f"{split}.json", "wb")  # noqa: SIM115  closed by the stack
            self._stack.callback(_close, stream)
            stream.write(b"[\n")
            self._open[split] = stream
        number = self._lines[split]
        text = json.dumps(row, ensure_ascii=False)
        self._open[split].write(((",\n" if number else "") + text).encode("utf-8"))
        self._lines[split] += 1
        return number


def _close(stream: BinaryIO) -> None:
    stream.write(b"\n]\n")
    stream.close()


class _PictureWriter:
    """Writes each distinct picture once, under a name that its content and its size decide."""

    def __init__(self, exporter: ShareGptExporter, folder: Path) -> None:
        self._store = exporter.context.pictures
        self._options = exporter.options
        self._folder = folder

    def write(self, path: str, sha256: str, size: Size) -> str:
        """Give the picture's path relative to the export.

        Raises:
            RowError: the picture cannot be read, or is not the one that was ingested.
        """
        stem = f"{sha256[:20]}-{size.width}x{size.height}"
        for suffix in (".jpg", ".png"):
            if (self._folder / (stem + suffix)).exists():
                return f"images/{stem}{suffix}"
        data = self._store.read(path, sha256 or None)
        with Pillow.open(io.BytesIO(data)) as header:
            as_it_is = (
                header.format in ("JPEG", "PNG") and header.mode == "RGB" and header.size == (size.width, size.height)
            )
            as_it_is = as_it_is and header.getexif().get(0x0112, 1) == 1
            suffix = ".png" if as_it_is and header.format == "PNG" else ".jpg"
        picture = Pillow.fromarray(decode(data))
        encoded = data if as_it_is else encode(prepare(picture, self._options.max_pixels), self._options.quality)
        write_bytes(self._folder / (stem + suffix), encoded, sync=False)
        return f"images/{stem}{suffix}"


def _check(messages: list[Message], images: int) -> None:
    """The trainer's own rules: placeholders fit pictures and stand in the user's text only, no special tokens."""
    in_user = sum(message.text.count(PLACEHOLDER) for message in messages if message.role == "user")
    elsewhere = sum(message.text.count(PLACEHOLDER) for message in messages if message.role != "user")
    if in_user != images or elsewhere:
        raise RowError(
            "image_count_mismatch", f"{in_user} in the user's text, {elsewhere} elsewhere, {images} pictures"
        )
    for message in messages:
        if "<|" in message.text and "|>" in message.text:
            raise RowError("special_token")


def _index_row(sample: _Sample, line: int) -> dict[str, Any]:
    return {
        "file": f"{sample.split}.json",
        "line": line,
        "uid": sample.record.uid,
        "source_id": sample.record.source_id,
        "label": sample.record.label,
        "text_tokens": sample.text_tokens,
        "image_tokens": sample.image_tokens,
    }
