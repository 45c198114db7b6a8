"""The cards of a folder, one line each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from curate.card.answers import answers, metadata
from curate.card.layout import CardError, parse
from curate.card.measure import current_fingerprint
from curate.card.place import Place, read, read_facts
from curate.dataset.dataset import Dataset
from curate.errors import InputError


def cards(folder: Path) -> list[dict[str, Any]]:
    """List the cards: name, rows, answered questions, state and licence.

    The state is `current`, `stale`, `no data here` (a card whose dataset is not where it says), `reported` (nobody
    measured it), or what is wrong with the card.
    """
    found = []
    for path in sorted(folder.glob("*.md")):
        if path.name != "README.md" and not path.name.startswith("_"):
            found.append(_card(Place(folder, path.stem)))
    return found


def _card(place: Place) -> dict[str, Any]:
    line: dict[str, Any] = {"card": place.name, "rows": None, "answered": None, "state": "", "licence": None}
    try:
        layout = parse(read(place.card), place.card.name)
        values = metadata(layout, place.card.name)
    except CardError as error:
        return {**line, "state": str(error).partition("\n")[0]}
    facts = read_facts(place)
    licence = values.get("license")
    stated = values.get("curate") if isinstance(values.get("curate"), dict) else {}
    return {
        **line,
        "rows": facts.rows if facts else None,
        "answered": f"{len(answers(layout))} of {len(layout.questions)}",
        "state": _state(stated or {}) if facts else "reported",
        "licence": ", ".join(map(str, licence)) if isinstance(licence, list) else licence,
    }


def _state(stated: dict[str, Any]) -> str:
    try:
        now = current_fingerprint(Dataset.open(str(stated.get("dataset"))))
    except InputError:
        return "no data here"
    return "current" if now == stated.get("fingerprint") else "stale"
