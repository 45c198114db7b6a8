"""A run as one HTML file: how many rows went, why, and which; the same shell and filters as the page of a diff."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curate.dataset.dataset import Dataset
from curate.dataset.pictures import PictureStore
from curate.report.filters import facets, offered
from curate.report.redaction import Mode, common_values, redact
from curate.report.run_facts import FIELDS, run_facts
from curate.report.shell import render
from curate.report.sides import Side, picture_side
from curate.report.thumbnails import Album
from curate.report.words import Language, Words

_PICTURES = 100
"""Pictures that a page shows at most; about 2 MB."""
_SHOWN = 6
_LABELS = 40


@dataclass(frozen=True)
class GoneRow:
    """A row that went, as the template needs it."""

    row: Mapping[str, Any]
    sides: tuple[Side, ...]
    facets: dict[str, list[str]]


def run_page(
    run: Path, shown: str, meanings: Mapping[tuple[str, str], str], lang: Language = "en", mode: Mode = "default"
) -> str:
    """Give the page.

    Args:
        run: The run's folder.
        shown: What the page calls it.
        meanings: What each code of a stage means, in a sentence; codes of the stage `any` are everybody's.
        lang: Language of our own words.
        mode: What of the dataset may be seen.

    Raises:
        InputError: the folder holds no run.
    """
    whole = run_facts(run)
    facts: dict[str, Any] = redact(whole, mode, FIELDS)
    words = Words(lang)
    labels, rare, rare_rows = _labels(facts, mode)
    show = mode in ("default", "none")
    rows = _rows(whole, facts, Dataset.open(run).pictures, show, mode != "none")
    return render(
        "curate.report",
        "run.html.j2",
        lang=lang,
        script=True,
        facts=facts,
        shown=shown,
        mode=mode,
        meaning=lambda stage, code: meanings.get((stage, code)) or meanings.get(("any", code), ""),
        failed=_told(facts, "failed", words),
        dropped=_told(facts, "dropped", words),
        changed=_told(facts, "changed", words),
        labels=labels[:_LABELS],
        more_labels=max(0, len(labels) - _LABELS),
        rare=rare,
        rare_rows=rare_rows,
        splits=sorted({split for label in labels for split in label["splits"]}),
        rows=rows,
        filters=offered([row.facets for row in rows], words),
        address=lambda small: small.uri,
    )


def _labels(facts: Mapping[str, Any], mode: Mode) -> tuple[list[Any], int, int]:
    """Labels that may be shown, and of the rest their number and their rows: rare ones that no registry declares."""
    labels = facts["labels"]
    if mode == "none" or facts["declared"]:
        return labels, 0, 0
    rows = {str(number): label["rows"] for number, label in enumerate(labels)}
    unlabelled = {str(number) for number, label in enumerate(labels) if label["label"] is None}
    shown, rare, rare_rows = common_values(rows, unlabelled)
    return [labels[int(number)] for number in shown], rare, rare_rows


def _told(facts: Mapping[str, Any], action: str, words: Words) -> list[str]:
    """The commonest codes of an action over all steps, with their rows."""
    found: dict[str, int] = {}
    for step in facts["steps"]:
        for code in step["codes"]:
            if code["action"] == action:
                found[code["code"]] = found.get(code["code"], 0) + code["rows"]
    ordered = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    return [f"{code} {rows:,}" for code, rows in ordered[:_SHOWN]] + ([words("more")] if len(ordered) > _SHOWN else [])


def _rows(
    whole: Mapping[str, Any], facts: Mapping[str, Any], store: PictureStore, show: bool, hide: bool
) -> list[GoneRow]:
    made, pictures, album = [], 0, Album()
    for before, row in zip(whole["rows"], facts["rows"], strict=True):
        sides = []
        for original, image in zip(before["images"], row["images"], strict=True):
            shown = album if show and pictures < _PICTURES else None
            pictures += 1
            sides.append(picture_side(original["path"], image, store, shown, hide))
        found = {"status": [row["status"]], "stage": [row["stage"]], "reason": [row["code"]]}
        found |= {name: [row[name]] for name in ("task", "label") if row[name]}
        made.append(GoneRow(row, tuple(sides), facets(found)))
    return made
