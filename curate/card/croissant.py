"""Croissant 1.1 with the vocabulary of responsible AI, as plain data. `mlcroissant` only validates it, in tests.

The forms were tried with mlcroissant 1.1.1: the context needs `https://schema.org/` (mlcommons/croissant#1018), both
`conformsTo`, lists of structs expanded to sub-fields, and polygons as lists of numbers, for `cr:BoundingBox` in a list
cannot be loaded. What a person has not answered is left out, never filled with "N/A".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from curate.card.facts import Facts, File
from curate.card.hub import spdx_url

CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    **{
        name: f"cr:{name}"
        for name in (
            "annotation", "arrayShape", "citeAs", "column", "containedIn", "equivalentProperty", "excludes", "extract",
            "field", "fileProperty", "fileObject", "fileSet", "format", "includes", "isArray", "isLiveDataset",
            "jsonPath", "key", "md5", "parentField", "path", "recordSet", "references", "regex", "readLines",
            "repeated", "replace", "samplingRate", "sdVersion", "separator", "source", "subField", "transform",
            "unArchive", "value",
        )
    },
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "prov": "http://www.w3.org/ns/prov#",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
}  # fmt: skip
CONFORMS = ["http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0"]
_PLACEHOLDER = "https://github.com/mlcommons/croissant/issues/80"
"""Stands where a folder has no hash, as the community does it."""
_COUNT = "http://www.wikidata.org/entity/Q4049983"
_TYPES = {"string": "sc:Text", "double": "sc:Float", "int32": "sc:Integer", "int64": "sc:Integer", "bool": "sc:Boolean"}
_SPLITS = {"train": "cr:TrainingSplit", "val": "cr:ValidationSplit", "test": "cr:TestSplit"}
_ANSWERED = ("description", "url", "version")
_SUFFIXES = {"image/jpeg": ("jpg", "jpeg"), "image/png": ("png",), "image/webp": ("webp",)}


def croissant(
    facts: Facts,
    metadata: Mapping[str, Any],
    answers: Mapping[str, str],
    files: list[File] | None = None,
    pictures: str | None = None,
) -> dict[str, Any]:
    """Write a dataset down as Croissant.

    Args:
        facts: What was measured.
        metadata: The front matter of the card.
        answers: What a person answered, by question.
        files: The Parquet files where they are not those that were measured (a copy for the Hub).
        pictures: Folder of the pictures beside them; None where they are elsewhere.
    """
    found = files if files is not None else facts.files
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "name": facts.dataset,
        **_about(metadata, answers),
        "conformsTo": CONFORMS,
        "isLiveDataset": False,
        **_responsible(facts, answers),
        **_provenance(facts),
        "distribution": list(_distribution(found, pictures)),
        "recordSet": [*_split_sets(facts), _records(facts, found), *_picture_sets(pictures)],
    }


def required(document: Mapping[str, Any]) -> list[str]:
    """Properties that Croissant 1.1 requires and the document lacks; mlcroissant says nothing of most of them."""
    names = ("name", "description", "license", "url", "creator", "datePublished", "distribution")
    return [name for name in names if not document.get(name)]


def _about(metadata: Mapping[str, Any], answers: Mapping[str, str]) -> dict[str, Any]:
    told: dict[str, Any] = {key: answers[key] for key in _ANSWERED if key in answers}
    licence = metadata.get("license")
    urls = [
        spdx_url(str(one)) or metadata.get("license_link") or str(one)
        for one in (licence if isinstance(licence, list) else [licence] if licence else [])
    ]
    told |= {"license": urls[0] if len(urls) == 1 else urls} if urls else {}
    told |= {"datePublished": answers["published"]} if "published" in answers else {}
    told |= {"citeAs": answers["citation"]} if "citation" in answers else {}
    told |= {"creator": list(_creators(answers["creators"]))} if "creators" in answers else {}
    told |= {"alternateName": metadata["pretty_name"]} if metadata.get("pretty_name") else {}
    language = metadata.get("language")
    told |= {"inLanguage": language if isinstance(language, list) else [language]} if language else {}
    told |= {"keywords": metadata["tags"]} if metadata.get("tags") else {}
    return told


def _creators(answer: str) -> Iterator[dict[str, str]]:
    """One creator a line: `Name <address>`, with or without a list's dash."""
    for line in answer.splitlines():
        name, _, address = line.strip().lstrip("-* ").partition("<")
        if name.strip():
            url = address.rstrip("> ").strip()
            yield {"@type": "Organization", "name": name.strip(), **({"url": url} if "://" in url else {})}


def _responsible(facts: Facts, answers: Mapping[str, str]) -> dict[str, Any]:
    """The properties of the RAI vocabulary; the two that have a measured part begin with it."""
    told: dict[str, Any] = {f"rai:{key[4:]}": answer for key, answer in answers.items() if key.startswith("rai.")}
    safety = facts.safety
    kinds: dict[str, int] = {}
    for found in safety.found.values():
        for kind, number in found.items():
            kinds[kind] = kinds.get(kind, 0) + number
    scan = ", ".join(f"{kind} {number}" for kind, number in sorted(kinds.items())) or "nothing found"
    measured = f"Scan by patterns ({safety.rules}): {scan}."
    answer = told.get("rai:personalSensitiveInformation")
    told["rai:personalSensitiveInformation"] = [measured, answer] if answer else [measured]
    told["rai:hasSyntheticData"] = facts.lineage.synthetic > 0
    if facts.lineage.steps:
        told["rai:dataPreprocessingProtocol"] = [
            f"{step.step}: {step.rows_in} in, {step.dropped} dropped, {step.failed} failed, {step.changed} changed, "
            f"{step.added} added, {step.rows_out} out"
            for step in facts.lineage.steps
        ]
    if facts.ocr.engines:
        told["rai:machineAnnotationTools"] = list(facts.ocr.engines)
    return dict(sorted(told.items()))


def _provenance(facts: Facts) -> dict[str, Any]:
    lineage = facts.lineage
    told: dict[str, Any] = {}
    if lineage.source_fingerprint:
        source = {"@type": "prov:Entity", "@id": f"urn:curate:source:{lineage.source_fingerprint}"}
        told["prov:wasDerivedFrom"] = [{**source, "prov:label": f"source ({lineage.source_format})"}]
    if lineage.steps:
        told["prov:wasGeneratedBy"] = [
            {
                "@type": "prov:Activity",
                "@id": f"urn:curate:step:{step.step}",
                "prov:label": step.stage,
                "description": f"{step.stage} version {step.version}, {step.rows_in} in, {step.rows_out} out",
                "prov:wasAssociatedWith": {"@type": "prov:SoftwareAgent", "prov:label": f"curate {facts.curate}"},
            }
            for step in lineage.steps
        ]
    return told


def _distribution(files: list[File], pictures: str | None) -> Iterator[dict[str, Any]]:
    for file in files:
        yield {
            "@type": "cr:FileObject",
            "@id": file.path,
            "name": file.path,
            "contentUrl": file.path,
            "contentSize": f"{file.bytes} B",
            "encodingFormat": "application/x-parquet",
            "sha256": file.sha256,
        }
    yield {
        "@type": "cr:FileObject",
        "@id": "repository",
        "name": "repository",
        "description": "The folder that these files are in.",
        "contentUrl": ".",
        "encodingFormat": "git+https",
        "sha256": _PLACEHOLDER,
    }
    yield {
        "@type": "cr:FileSet",
        "@id": "rows",
        "containedIn": {"@id": "repository"},
        "encodingFormat": "application/x-parquet",
        "includes": [file.path for file in files] if len(files) != 1 else files[0].path,
    }
    if pictures:
        yield {
            "@type": "cr:FileSet",
            "@id": "pictures",
            "containedIn": {"@id": "repository"},
            "encodingFormat": "image/jpeg",
            "includes": [f"{pictures}/*.{suffix}" for suffixes in _SUFFIXES.values() for suffix in suffixes],
        }


def _split_sets(facts: Facts) -> Iterator[dict[str, Any]]:
    """The splits as a set of their own; a dataset that was not split has none."""
    named = [split.name for split in facts.splits if split.name]
    if not named:
        return
    yield {
        "@type": "cr:RecordSet",
        "@id": "splits",
        "name": "splits",
        "dataType": "cr:Split",
        "key": {"@id": "splits/name"},
        "field": [
            {"@type": "cr:Field", "@id": "splits/name", "name": "name", "dataType": "sc:Text"},
            {"@type": "cr:Field", "@id": "splits/url", "name": "url", "dataType": "sc:URL"},
        ],
        "data": [{"splits/name": name, "splits/url": _SPLITS[name]} for name in named],
    }


def _records(facts: Facts, files: list[File]) -> dict[str, Any]:
    tops = [column for column in facts.columns if "[" not in column.path and "." not in column.path]
    fields = [field for column in tops if (field := _field(facts, column.path, column.type)) is not None]
    rows = sum(file.rows for file in files)
    return {
        "@type": "cr:RecordSet",
        "@id": "records",
        "name": "records",
        "key": {"@id": "records/uid"},
        "annotation": [
            {"@type": "cr:Field", "@id": "records/count", "name": "records/count", "value": rows, "dataType": _COUNT}
        ],
        "field": fields,
    }


def _field(facts: Facts, name: str, kind: str) -> dict[str, Any] | None:
    """A column as a field; lists of structs are expanded, for they cannot be loaded as one text."""
    head = {"@type": "cr:Field", "@id": f"records/{name}", "name": name}
    if kind in _TYPES:
        split = name == "split" and any(one.name for one in facts.splits)
        extra = {"references": {"field": {"@id": "splits/name"}}} if split else {}
        return {**head, "dataType": _TYPES[kind], "source": _source(name), **extra}
    below = [
        (column.path.split("[].", 1)[1], column.type)
        for column in facts.columns
        if column.path.startswith(f"{name}[].") and column.path.count("[]") == 1
    ]
    plain = [(path, kind) for path, kind in below if kind in _TYPES]
    if not plain:
        return None
    fields = [
        {
            "@type": "cr:Field",
            "@id": f"records/{name}/{path.replace('.', '/')}",
            "name": path.replace(".", "/"),
            "dataType": _TYPES[kind],
            "source": {**_source(name), "transform": {"jsonPath": path}},
        }
        for path, kind in plain
    ]
    return {**head, "isArray": True, "arrayShape": "-1", "subField": fields}


def _source(column: str) -> dict[str, Any]:
    return {"fileSet": {"@id": "rows"}, "extract": {"column": column}}


def _picture_sets(pictures: str | None) -> list[dict[str, Any]]:
    if not pictures:
        return []
    source = {"fileSet": {"@id": "pictures"}}
    fields = [
        {
            "@type": "cr:Field",
            "@id": f"pictures/{name}",
            "name": name,
            "dataType": kind,
            "source": {**source, "extract": {"fileProperty": what}},
        }
        for name, kind, what in (("file", "sc:Text", "filename"), ("content", "sc:ImageObject", "content"))
    ]
    return [
        {
            "@type": "cr:RecordSet",
            "@id": "pictures-set",
            "name": "pictures",
            "key": {"@id": "pictures/file"},
            "field": fields,
        }
    ]
