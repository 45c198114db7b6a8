"""Checks a card's metadata as the Hugging Face Hub reads it, without the network (its own validator needs it)."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from curate.card import front_matter
from curate.card.facts import Facts
from curate.card.finding import Finding, data
from curate.card.layout import CardError, Layout

_LISTS = ("language", "tags", "task_categories", "annotations_creators", "language_creators", "multilinguality")


def size_category(rows: int) -> str:
    """The Hub's bucket of a number of rows."""
    for power, name in enumerate(data("hub.yaml")["size_categories"]):
        if rows < 1000 * 10**power:
            return str(name)
    return "n>1T"


def licence_id(spdx: str) -> str | None:
    """The Hub's id of a licence that was written as SPDX has it (`CC-BY-4.0`); None where the Hub has none."""
    known = {"odbl-1.0": "odbl", "odc-by-1.0": "odc-by", "pddl-1.0": "pddl"}
    name = spdx.lower()
    name = known.get(name, name)
    return name if name in data("hub.yaml")["licenses"] else None


def spdx_url(licence: str) -> str | None:
    """The page of a licence at spdx.org, where Croissant wants a URL; None for families and what SPDX does not have."""
    known = {"odbl": "ODbL-1.0", "odc-by": "ODC-By-1.0", "pddl": "PDDL-1.0", "mit": "MIT", "isc": "ISC", "zlib": "Zlib"}
    if licence in known:
        return f"https://spdx.org/licenses/{known[licence]}.html"
    if licence.startswith(("cc-", "cc0-")):
        return f"https://spdx.org/licenses/{licence.upper()}.html"
    names = {"apache-2.0": "Apache-2.0", "bsd-2-clause": "BSD-2-Clause", "bsd-3-clause": "BSD-3-Clause"}
    names |= {f"cdla-{kind.lower()}": f"CDLA-{kind}" for kind in ("Permissive-1.0", "Permissive-2.0", "Sharing-1.0")}
    return f"https://spdx.org/licenses/{names[licence]}.html" if licence in names else None


def check_metadata(layout: Layout, name: str, facts: Facts | None, folder: Path | None) -> list[Finding]:
    """Check the front matter.

    Args:
        layout: The card.
        name: What messages call it.
        facts: What was measured; None where the card is of a dataset that nobody measured.
        folder: A folder in the layout of the Hub, where the files of `configs` are looked for; None for none.
    """
    start, end = layout.front or (0, 0)
    lines = layout.lines[start:end]
    try:
        values = front_matter.load(lines, name)
        as_hub = front_matter.load(lines, name, (1, 1))
    except CardError as error:
        return [Finding("error", "front matter", str(error))]
    found = [
        Finding("error", key, f"the Hub reads {as_hub.get(key)!r}, YAML 1.2 reads {value!r}; put it in quotes")
        for key, value in values.items()
        if as_hub.get(key) != value
    ]
    found += _licence(values)
    for key in _LISTS:
        found += _listed(key, values.get(key))
    found += _size(values, facts)
    found += _configs(values, folder)
    if "dataset_info" in values:
        found.append(
            Finding("warning", "dataset_info", "sizes in it that are not exact make `load_dataset` fail; leave it out")
        )
    return found


def _licence(values: Mapping[str, Any]) -> Iterator[Finding]:
    given = values.get("license")
    for licence in given if isinstance(given, list) else [given] if given is not None else []:
        if licence == "other":
            missing = [key for key in ("license_name", "license_link") if not values.get(key)]
            if missing:
                yield Finding("error", "license", f"`other` needs {' and '.join(missing)}")
        elif licence not in data("hub.yaml")["licenses"]:
            mapped = licence_id(str(licence))
            hint = f"write '{mapped}'" if mapped else "use `other` with license_name and license_link"
            yield Finding("error", "license", f"'{licence}' is not a licence id of the Hub; {hint}")


def _listed(key: str, given: Any) -> Iterator[Finding]:
    if given is None:
        return
    items: Sequence[Any] = given if isinstance(given, list) else [given]
    known = data("hub.yaml")
    allowed = {"language": known["languages"], "task_categories": [*known["tasks"], *known["hidden_tasks"]]}
    for item in items:
        if not isinstance(item, str):
            yield Finding("error", key, f"{item!r} is no text; put it in quotes")
        elif key != "tags" and item not in allowed.get(key, known.get(key, [])):
            listed = allowed.get(key, known.get(key, []))
            near = difflib.get_close_matches(item, listed, n=1)
            level: Any = "warning" if key in ("task_categories", "language") else "error"
            hint = (
                f"did you mean '{near[0]}'?"
                if near
                else f"the list of {known['date']} has: {', '.join(listed[:8])}{', …' if len(listed) > 8 else ''}"
            )
            yield Finding(level, key, f"'{item}' is not on the Hub's list; {hint}")
    if key == "task_categories" and items and all(item in known["hidden_tasks"] for item in items):
        yield Finding("warning", key, "all of these are hidden in the Hub's filters of datasets; add a visible one")


def _size(values: Mapping[str, Any], facts: Facts | None) -> Iterator[Finding]:
    given = values.get("size_categories")
    if facts is not None and given is not None and given != [size_category(facts.rows)]:
        yield Finding("error", "size_categories", f"{given} does not fit {facts.rows:,} rows; run `curate card` again")


def _configs(values: Mapping[str, Any], folder: Path | None) -> Iterator[Finding]:
    configs = values.get("configs")
    if configs is None:
        return
    if not isinstance(configs, list) or not all(isinstance(one, dict) and one.get("config_name") for one in configs):
        yield Finding("error", "configs", "must be a list of mappings, each with config_name")
        return
    for config in configs:
        files = config.get("data_files") or []
        for entry in files if isinstance(files, list) else [files]:
            pattern = entry.get("path") if isinstance(entry, dict) else entry
            if folder is not None and not any(folder.glob(str(pattern))):
                yield Finding("error", "configs", f"{pattern} matches no file in {folder.name}")
