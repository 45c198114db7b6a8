"""Where rows come from and what was done to them, as a run's manifests tell it; nothing in it names a machine."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from curate.card.facts import Licence, Lineage, Step
from curate.card.numbers import share
from curate.dataset.dataset import Dataset, steps
from curate.dataset.files import digest, read_json
from curate.dataset.tokens import tokenizer_file
from curate.pipeline.manifest import Manifest

_NAMES = ("LICENSE", "LICENCE", "COPYING", "NOTICE")
_TITLE = 120


def lineage(data: Dataset, synthetic: int, rows: int) -> Lineage:
    """Tell the steps up to the one that was opened; none for plain files."""
    run: Any = read_json(data.run / "run.json") if data.run else None
    source = (run or {}).get("input") or {}
    told, manifests = _steps(data)
    return Lineage(
        recipe=((run or {}).get("recipe") or {}).get("name"),
        source_format=source.get("format"),
        source_fingerprint=source.get("fingerprint"),
        steps=told,
        manifests=manifests,
        synthetic=synthetic,
        synthetic_share=share(synthetic, rows),
    )


def _steps(data: Dataset) -> tuple[list[Step], str | None]:
    """The steps, and one hash over what each of them says of itself and of its shards."""
    told: list[Step] = []
    outputs: list[list[str]] = []
    for folder in steps(data.run) if data.run else []:
        manifest = Manifest.read(folder)
        if manifest is not None:
            told.append(_step(folder.name, manifest))
            outputs.append(manifest.outputs)
        if folder == data.step:
            break
    if not told:
        return [], None
    return told, digest({"steps": [step.model_dump(mode="json") for step in told], "outputs": outputs})


def has_registry(data: Dataset) -> bool:
    """Whether the source was read with a label registry, so that every label is one that somebody declared."""
    manifest = Manifest.read(data.run / "00-ingest") if data.run else None
    return bool(manifest and manifest.signature.get("labels"))


def _step(name: str, manifest: Manifest) -> Step:
    signature, counts = manifest.signature, manifest.counts
    return Step(
        step=name,
        stage=str(signature.get("stage", "")),
        version=int(signature.get("version", 0)),
        options=_portable(signature.get("options") or {}),
        environment={key: str(_portable(value)) for key, value in (signature.get("environment") or {}).items()},
        seed=signature.get("seed"),
        rows_in=counts.rows_in,
        changed=counts.changed,
        dropped=counts.dropped,
        failed=counts.failed,
        added=counts.added,
        rows_out=counts.rows_out,
        reasons={action: dict(sorted(codes.items())) for action, codes in sorted(counts.codes.items())},
    )


def _portable(value: Any) -> Any:
    """Leave of absolute paths the last part only: folders and users of a machine are nobody's business."""
    if isinstance(value, Mapping):
        return {key: _portable(below) for key, below in value.items()}
    if isinstance(value, (list, tuple)):
        return [_portable(below) for below in value]
    return Path(value).name if isinstance(value, str) and Path(value).is_absolute() else value


def licences(data: Dataset) -> list[Licence]:
    """List the licence files beside the source and its pictures."""
    run: Any = read_json(data.run / "run.json") if data.run else None
    path = ((run or {}).get("recipe") or {}).get("input", {}).get("path")
    places = [Path(path) if Path(path).is_dir() else Path(path).parent] if path else []
    if data.pictures.root is not None:
        places.append(data.pictures.root)
    if not data.run:
        places.append(data.folder if data.folder.is_dir() else data.folder.parent)
    found: dict[str, Licence] = {}
    for place in dict.fromkeys(place.resolve() for place in places):
        for file in sorted(place.glob("*")) if place.is_dir() else []:
            if file.is_file() and file.name.upper().startswith(_NAMES):
                content = file.read_bytes()
                found[file.name] = Licence(
                    file=file.name, sha256=hashlib.sha256(content).hexdigest(), title=_title(content)
                )
    return list(found.values())


def tokenizer_of(data: Dataset) -> Path | None:
    """The tokenizer that the run's exports count with; None where they have none, or it is gone."""
    run: Any = read_json(data.run / "run.json") if data.run else None
    named = (one.get("tokenizer") for one in ((run or {}).get("recipe") or {}).get("exports") or ())
    return next((Path(one) for one in named if one and tokenizer_file(Path(one)).is_file()), None)


def _title(content: bytes) -> str:
    lines = (line.strip("# \t\r") for line in content[:4096].decode("utf-8", "replace").splitlines())
    return next((line for line in lines if line), "")[:_TITLE]
