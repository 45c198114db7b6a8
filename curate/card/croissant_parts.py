"""The parts of Croissant that describe files and records: context, distribution, record sets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from curate.card.facts import Facts, File

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
_PLACEHOLDER = "https://github.com/mlcommons/croissant/issues/80"
"""Stands where a folder has no hash, as the community does it."""
_COUNT = "http://www.wikidata.org/entity/Q4049983"
_TYPES = {"string": "sc:Text", "double": "sc:Float", "int32": "sc:Integer", "int64": "sc:Integer", "bool": "sc:Boolean"}
_SPLITS = {"train": "cr:TrainingSplit", "val": "cr:ValidationSplit", "test": "cr:TestSplit"}
_SUFFIXES = {"image/jpeg": ("jpg", "jpeg"), "image/png": ("png",), "image/webp": ("webp",)}


def distribution(files: list[File], pictures: str | None) -> Iterator[dict[str, Any]]:
    """The files, the folder that they are in, and sets of rows and pictures in it."""
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


def split_sets(facts: Facts) -> Iterator[dict[str, Any]]:
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


def record_set(facts: Facts, files: list[File]) -> dict[str, Any]:
    """The rows as records, a field for each column that can be loaded."""
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


def picture_sets(pictures: str | None) -> list[dict[str, Any]]:
    """The pictures as a set of their own; joined to the rows they would not load."""
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
