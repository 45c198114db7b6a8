"""Croissant 1.1 with the vocabulary of responsible AI, as plain data. `mlcroissant` only validates it, in tests.

The forms were tried with mlcroissant 1.1.1: the context needs `https://schema.org/` (mlcommons/croissant#1018), both
`conformsTo`, lists of structs expanded to sub-fields, and polygons as lists of numbers, for `cr:BoundingBox` in a list
cannot be loaded. What a person has not answered is left out, never filled with "N/A".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from curate.card.croissant_parts import CONTEXT, distribution, picture_sets, record_set, split_sets
from curate.card.facts import Facts, File
from curate.card.hub import spdx_url

CONFORMS = ["http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0"]
_ANSWERED = ("description", "url", "version")


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
        "distribution": list(distribution(found, pictures)),
        "recordSet": [*split_sets(facts), record_set(facts, found), *picture_sets(pictures)],
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
