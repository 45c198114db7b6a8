"""Says whether a card still tells the truth, and whether it tells enough."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from curate.card.answers import answers, metadata
from curate.card.blocks import blocks
from curate.card.card import as_json
from curate.card.croissant import croissant, required
from curate.card.facts import Facts
from curate.card.finding import Finding, data
from curate.card.hub import check_metadata
from curate.card.layout import CardError, Layout, parse
from curate.card.measure import current_fingerprint
from curate.card.merge import body_hash
from curate.card.place import Place, read, read_facts
from curate.dataset.dataset import Dataset

PURPOSES = ("internal", "hub", "neurips")


def check(place: Place, dataset: Dataset | None, purpose: str = "internal", hub: Path | None = None) -> list[Finding]:
    """Check a card; errors first.

    Args:
        place: Where it is.
        dataset: What it is of; None where nobody here has the data (a card of a public source).
        purpose: What it must hold: one of `PURPOSES`.
        hub: A folder in the layout of the Hub; None for none.
    """
    name = place.card.name
    try:
        layout = parse(read(place.card), name)
        values = metadata(layout, name)
    except CardError as error:
        return [Finding("error", name, str(error))]
    facts = read_facts(place)
    found = check_metadata(layout, name, facts, hub)
    told = answers(layout)
    if dataset is not None:
        found += _facts(place, layout, values, facts, dataset)
    if facts is not None:
        found += _croissant(place, facts, values, told, purpose)
    found += _complete(values, told, purpose, facts)
    return sorted(found, key=lambda finding: finding.level != "error")


def _facts(
    place: Place, layout: Layout, values: Mapping[str, Any], facts: Facts | None, dataset: Dataset
) -> list[Finding]:
    """The card, the facts and the data must be of one state."""
    if facts is None:
        return [Finding("error", place.facts.name, "is missing or damaged; run `curate card` again")]
    found = []
    now = current_fingerprint(dataset)
    stated = (values.get("curate") or {}).get("fingerprint")
    if not now == facts.fingerprint == stated:
        found.append(
            Finding(
                "error",
                "fingerprint",
                f"the card is of {_short(stated)}, the data are {_short(now)}; run `curate card`",
            )
        )
    told = (len(answers(layout)), len(layout.questions))
    for block in layout.blocks:
        body = layout.inside(block).strip("\n")
        if block.id in facts.blocks and body_hash(body) != facts.blocks[block.id]:
            found.append(Finding("error", f"block {block.id}", "was edited by hand; run `curate card` and choose"))
        elif block.id == "badge" and body != blocks(facts, told)["badge"]:
            found.append(Finding("warning", "block badge", "counts other answers than there are; run `curate card`"))
    return found


def _short(fingerprint: object) -> str:
    return str(fingerprint)[:19]


def _croissant(
    place: Place, facts: Facts, values: Mapping[str, Any], told: Mapping[str, str], purpose: str
) -> list[Finding]:
    document = croissant(facts, values, told)
    found = []
    try:
        if place.croissant.read_text("utf-8") != as_json(document):
            found.append(
                Finding("error", place.croissant.name, "is not what card and facts say; run `curate card` again")
            )
    except (OSError, UnicodeDecodeError):
        found.append(Finding("error", place.croissant.name, "is missing; run `curate card` again"))
    if data("requirements.yaml")[purpose]["croissant"]:
        found += [Finding("error", "croissant", f"{name} is required and missing") for name in required(document)]
        found += [
            Finding("warning", "croissant", f"{name} is not known of plain files; make the card of the run instead")
            for name in ("prov:wasDerivedFrom", "prov:wasGeneratedBy")
            if name not in document
        ]
    broken = any(finding.level == "error" for finding in found)
    if not broken and importlib.util.find_spec("mlcroissant") is not None:
        found += validate(place.croissant)
    return found


def validate(path: Path) -> list[Finding]:
    """Ask mlcroissant, which loads no data and needs no network, what it makes of a file."""
    import mlcroissant

    try:
        issues = mlcroissant.Dataset(str(path)).metadata.ctx.issues
    except mlcroissant.ValidationError as error:
        return [Finding("error", path.name, str(error))]
    return [Finding("warning", path.name, str(text)) for text in sorted(issues.warnings)]


def _complete(values: Mapping[str, Any], told: Mapping[str, str], purpose: str, facts: Facts | None) -> list[Finding]:
    wanted = data("requirements.yaml")[purpose]
    found = [
        Finding("error", key, f"is missing at the head of the card, and `{purpose}` requires it")
        for key in wanted["keys"]
        if not values.get(key)
    ]
    found += [
        Finding("error", question, f"is not answered, and `{purpose}` requires it")
        for question in wanted["answers"]
        if question not in told
    ]
    listed = facts.licences if facts else []
    if listed and not values.get("license"):
        names = ", ".join(f"{one.file} ({one.title})" for one in listed)
        found.append(Finding("warning", "license", f"beside the source lies {names}"))
    return found
