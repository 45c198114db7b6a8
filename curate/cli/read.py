"""`curate ocr --text` and `--preview`: reading pictures for a person, without a dataset."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from curate.cli.output import Output, printable, spare
from curate.cli.single import Given

if TYPE_CHECKING:
    from curate.dataset.pictures import PictureStore
    from curate.ocr.cache import Reading
    from curate.ocr.reader import Source
    from curate.ocr.stage import OcrStage
    from curate.pipeline.source import InputOptions

FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
"""Formats of a preview, by suffix."""

_GROUP = 16
"""Records whose pictures are read before their text is printed."""


@dataclass(frozen=True)
class _Bad:
    """A picture, or a record with all its pictures, that cannot be read."""

    path: str
    code: str
    detail: str


def read(out: Output, stage: Mapping[str, Any], preview: Path | None, given: Given) -> int:
    """Read the pictures of a source and print their text, or draw the preview of one; give the exit code.

    Raises:
        UsageError: options do not go together, or the source cannot be read.
    """
    given.writes_nothing("--text and --preview")
    source = given.source
    if preview is not None:
        _check_preview(source, preview)
    recipe = given.recipe("ocr", [stage])
    if preview is not None or _is_picture(source):
        store, groups = _one_picture(source)
        single = True
    else:
        store, groups = _pictures(recipe.input)
        single = False
    reader = _open(recipe.stages[0], store)
    failed = seen = False
    pictures: list[dict[str, Any]] = []
    for item, result in _results(reader, groups):
        seen = True
        entry: dict[str, Any] = {"path": str(source) if single else item.path}
        if isinstance(result, _Bad):
            failed = True
            entry |= {"code": result.code, "detail": result.detail}
            if not out.as_json:
                click.echo(f"error: {printable(_sentence(entry))}", err=True)
        else:
            entry |= _facts(result)
            if preview is not None:
                _draw(store.read(item.path), result, preview)
                entry["preview"] = str(preview)
            _print(out, entry, header=not single)
        if out.as_json:
            pictures.append(entry)
    if out.as_json:
        out.json({"engine": reader.environment()["engine"], "pictures": pictures})
    elif preview is not None and not failed:
        out.talk(f"drawn: {preview}")
    if not seen:
        out.talk(f"no record of {source} names a picture")
    return int(failed)


def _check_preview(source: Path, preview: Path) -> None:
    if preview.suffix.lower() not in FORMATS:
        raise click.UsageError(f"--preview {preview}: the name must end in {', '.join(FORMATS)}")
    if source.is_dir():
        raise click.UsageError(f"{source} is a folder; --preview draws one picture (--text reads a folder)")
    spare("--preview", preview, source)


def _is_picture(path: Path) -> bool:
    from curate.ingest.folder import SUFFIXES

    return path.suffix.lower() in SUFFIXES and not path.is_dir()


def _one_picture(path: Path) -> tuple[PictureStore, Iterator[list[Source | _Bad]]]:
    import os

    from curate.dataset.pictures import PictureStore
    from curate.ocr.reader import Source

    real = Path(os.path.realpath(path))
    return PictureStore(real.parent, real.parent), iter([[Source(real.name)]])


def _pictures(options: InputOptions) -> tuple[PictureStore, Iterator[list[Source | _Bad]]]:
    """The pictures of a folder, a dataset or a file, each once and in order; and what is wrong with its records."""
    from curate.dataset.pictures import PictureStore
    from curate.pipeline import registry

    source = registry.load(registry.OPEN_SOURCE)(options.model_copy(update={"shard_rows": _GROUP}))
    root = source.image_root
    return PictureStore(root, root or Path(), source.made_folders), _groups(source)


def _groups(source: Any) -> Iterator[list[Source | _Bad]]:
    from curate.ocr.reader import Source
    from curate.pipeline.source import Position

    seen: set[Source] = set()
    for shard in source.shards(Position(), ()):
        outcome = shard.batch.outcome()
        reasons = {entry["uid"]: entry for entry in outcome.ledger.to_pylist() if entry["action"] == "failed"}
        group: list[Source | _Bad] = []
        for row in outcome.failed.select(["uid", "source_id", "images"]).to_pylist():
            reason = reasons[row["uid"]]
            paths = ", ".join(image["path"] for image in row["images"] or [])
            group.append(_Bad(paths or row["source_id"] or row["uid"], reason["code"], reason["detail"] or ""))
        for images in outcome.rows["images"].to_pylist():
            found = [Source(image["path"], image["sha256"]) for image in images or []]
            group += [one for one in dict.fromkeys(found) if one not in seen]
            seen.update(found)
        yield group


def _open(options: Any, store: PictureStore) -> OcrStage:
    from curate.dataset.remote import cache_folder
    from curate.ocr.stage import OcrStage
    from curate.pipeline.machine import processors
    from curate.pipeline.stage import Context

    stage = OcrStage(options, Context(store, cache=cache_folder(), threads=processors()))
    stage.open()
    return stage


def _results(reader: OcrStage, groups: Iterator[list[Source | _Bad]]) -> Iterator[tuple[Source | _Bad, Reading | _Bad]]:
    """What was read in each picture, in the order of the source."""
    from curate.errors import RowError

    for group in groups:
        good = [item for item in group if not isinstance(item, _Bad)]
        results = dict(reader.read(good))
        for item in group:
            if isinstance(item, _Bad):
                yield item, item
                continue
            result = results[item]
            yield item, _Bad(item.path, result.code, result.detail) if isinstance(result, RowError) else result


def _facts(reading: Reading) -> dict[str, Any]:
    return {
        "width": reading.width,
        "height": reading.height,
        "text": "\n".join(line.text for line in reading.lines),
        "lines": [asdict(line) for line in reading.lines],
    }


def _print(out: Output, entry: Mapping[str, Any], *, header: bool) -> None:
    if out.as_json:
        return
    text = printable(entry["text"])
    if header:
        text = f"== {printable(entry['path'])} ==\n{text}\n" if text else f"== {printable(entry['path'])} ==\n"
    if text:
        out.stdout.print(text, soft_wrap=True)  # a line that was read stays one line, however narrow the terminal


def _sentence(entry: Mapping[str, Any]) -> str:
    """One line: which picture, the code, and what is wrong."""
    from curate.ocr.stage import OcrStage
    from curate.pipeline import registry

    meaning = {**registry.ingest_codes(), **OcrStage.codes}.get(entry["code"], "")
    detail = f" ({entry['detail']})" if entry["detail"] else ""
    return f"{entry['path']}: {entry['code']}: {meaning}{detail}"


def _draw(data: bytes, reading: Reading, preview: Path) -> None:
    """Write the annotated picture.

    Raises:
        OutputError: it cannot be written, or is too large for the format.
    """
    from curate.dataset.decode import decode
    from curate.dataset.files import write_bytes
    from curate.errors import OutputError
    from curate.ocr.annotate import annotate

    sheet = annotate(decode(data, reading.width * reading.height), reading.lines)
    stream = io.BytesIO()
    try:
        sheet.save(stream, FORMATS[preview.suffix.lower()], quality=90)
    except (OSError, ValueError) as error:
        size = f"{sheet.width} x {sheet.height}"
        raise OutputError(f"cannot write {preview}: {size} pixels are too much for this format; use .png") from error
    write_bytes(preview, stream.getvalue())
