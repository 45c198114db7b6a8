"""Everything that `pip install curate` brings, extras too, may be used in a product that is not published."""

from __future__ import annotations

import re
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from ruamel.yaml import YAML

RULES: dict[str, Any] = YAML(typ="safe").load((Path(__file__).parent / "licences.yaml").read_text("utf-8"))
NAMES = {said.lower(): name for name, rule in RULES["allowed"].items() for said in (name, *(rule.get("said_as") or ()))}
_TITLE = "GNU AFFERO GENERAL PUBLIC LICENSE"
"""Stands so in the text of the AGPL alone; the GPL mentions it in small letters."""


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def required(root: str) -> dict[str, Distribution]:
    """What is installed of all that a distribution requires, with every extra of its own, over any number of steps."""
    own = frozenset(distribution(root).metadata.get_all("Provides-Extra") or ())
    found: dict[str, Distribution] = {}
    asked: set[tuple[str, frozenset[str]]] = set()
    waiting = [(root, own)]
    while waiting:
        name, extras = waiting.pop()
        if (normal(name), extras) in asked:
            continue
        asked.add((normal(name), extras))
        try:
            one = distribution(name)
        except PackageNotFoundError:
            continue  # of an extra, or of another system
        found[normal(name)] = one
        for text in one.requires or ():
            need = Requirement(text)
            if need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in (*extras, "")):
                waiting.append((need.name, frozenset(need.extras)))
    return found


def told(one: Distribution) -> str:
    """What a distribution says of its licence: an SPDX expression, else classifiers, else its field `License`."""
    known = RULES["looked_up"].get(normal(one.metadata["Name"]))
    if known:
        return str(known["licence"])
    if expression := one.metadata.get("License-Expression"):
        return str(expression)
    classifiers = [
        text.rpartition(" :: ")[2]
        for text in one.metadata.get_all("Classifier") or ()
        if text.startswith("License ::") and not text.endswith("OSI Approved")
    ]
    field = (one.metadata.get("License") or "").strip().split("\n")[0].strip()
    return " AND ".join(classifiers) or field


def objection(licence: str) -> str | None:
    """Why a licence is not taken; None where it is. Of alternatives (OR) one is enough, of parts (AND) all count."""
    if not licence:
        return "it does not say"
    unknown: list[str] = []
    for part in re.split(r"\s+AND\s+", licence.strip()):
        choices = [choice.strip(" ()") for choice in re.split(r"\s+OR\s+", part)]
        if part.lower() not in NAMES and not any(choice.lower() in NAMES for choice in choices):
            unknown.append(part)
    return ", ".join(unknown) or None


def test_no_licence_of_what_is_installed_is_unknown_or_binds_its_user() -> None:
    """A company that uses curate would have to publish its own programs, or ask a lawyer first."""
    found = required("curate")
    assert {"pyarrow", "rapidocr", "albumentations", "ruamel-yaml"} <= set(found)

    assert {name: why for name, one in found.items() if (why := objection(told(one)))} == {}


def test_no_package_ships_the_text_of_the_agpl() -> None:
    """Metadata can be wrong; the text that comes with a package is what a court reads."""
    guilty = [
        f"{name}: {file}"
        for name, one in required("curate").items()
        if name != "curate"  # in a checkout its files are the sources, this file among them
        for file in one.files or ()
        if re.search(r"licen[cs]e|copying|notice", file.name, re.IGNORECASE)
        and (path := Path(str(one.locate_file(file)))).is_file()
        and _TITLE in path.read_text("utf-8", "replace")
    ]
    assert guilty == []


@pytest.mark.parametrize(
    ("licence", "why"),
    [
        ("MIT", None),
        ("Apache-2.0 AND MIT", None),
        ("MPL-2.0 AND (Apache-2.0 OR MIT)", None),
        ("MIT OR GPL-3.0-only", None),
        ("AGPL-3.0-only", "AGPL-3.0-only"),
        ("MIT AND AGPL-3.0-or-later", "AGPL-3.0-or-later"),
        ("GNU Affero General Public License v3", "GNU Affero General Public License v3"),
        ("GPL-2.0-only", "GPL-2.0-only"),
        ("Proprietary", "Proprietary"),
        ("", "it does not say"),
    ],
)
def test_a_licence_is_judged_by_all_of_its_parts(licence: str, why: str | None) -> None:
    """A check that lets everything through is worse than none."""
    assert objection(licence) == why


def test_every_allowed_licence_says_why() -> None:
    """Who adds one must have thought about it."""
    assert all(rule["why"] for rule in RULES["allowed"].values())
    assert all({"licence", "where"} <= set(one) for one in RULES["looked_up"].values())
