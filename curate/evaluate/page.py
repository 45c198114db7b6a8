"""The evaluation as an HTML page with a confusion matrix for each task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from curate.dataset.pictures import PictureStore
from curate.evaluate.evaluation import Evaluation
from curate.evaluate.mistakes import Mistake
from curate.evaluate.private import named
from curate.evaluate.scores import Confusion
from curate.labels.answers import STEPS
from curate.report.filters import facets, offered
from curate.report.redaction import Mode
from curate.report.shell import render
from curate.report.sides import Side, picture_side
from curate.report.thumbnails import Album
from curate.report.words import Language, Words

_SHADES = 5
_PICTURES = 100
"""Pictures that a page shows at most; about 2 MB."""


class Cell(NamedTuple):
    """One cell of the matrix."""

    rows: int
    heat: int
    """0 to 5: the share of its row, so that rare labels are seen as well as common ones."""
    right: bool


class Row(NamedTuple):
    """One row of the matrix: a right label."""

    label: str
    cells: list[Cell]


def page(
    evaluation: Evaluation,
    name: str,
    other: str = "",
    lang: Language = "en",
    mode: Mode = "default",
    pictures: tuple[PictureStore, Sequence[Sequence[str]]] | None = None,
) -> str:
    """Give the page.

    Args:
        evaluation: What is shown; redacted before, where it has to be.
        name: What the predictions are called.
        other: What the predictions are called that they are compared with.
        lang: Language of our own words.
        mode: How it was redacted; names of files are here.
        pictures: Where pictures are, and the paths of those of each mistake, which may be masked in it.
    """
    found = [_facets(one) for one in evaluation.mistakes]
    return render(
        "curate.evaluate",
        "page.html.j2",
        lang=lang,
        script=True,
        name=named(name, mode),
        other=named(other, mode) if other else "",
        mode=mode,
        signature=evaluation.signature,
        overall=evaluation.overall,
        tasks=evaluation.tasks,
        notes=evaluation.notes,
        comparison=evaluation.comparison,
        steps=evaluation.steps,
        meanings=STEPS,
        mistakes=list(zip(evaluation.mistakes, found, _sides(evaluation, mode, pictures), strict=True)),
        pictured=pictures is not None and any(pictures[1]),
        address=lambda small: small.uri,
        wrong=evaluation.wrong,
        filters=offered(found, Words(lang)),
        matrices={part.name: matrix(part.confusion) for part in evaluation.tasks},
    )


def _sides(
    evaluation: Evaluation, mode: Mode, pictures: tuple[PictureStore, Sequence[Sequence[str]]] | None
) -> list[list[Side]]:
    """The pictures of each mistake, small ones of the first hundred."""
    if pictures is None:
        return [[] for _ in evaluation.mistakes]
    album, number = Album(), 0
    made: list[list[Side]] = []
    for one, paths in zip(evaluation.mistakes, pictures[1], strict=True):
        made.append([])
        for path, facts in zip(paths, one.images, strict=True):
            shown = album if mode in ("default", "none") and number < _PICTURES else None
            made[-1].append(picture_side(path, facts, pictures[0], shown, mode != "none"))
            number += 1
    return made


def _facets(one: Mistake) -> dict[str, list[str]]:
    """What filters find a row by."""
    parts = {"task": one.task, "split": one.split, "label": one.label, "answer": one.answer, "compared": one.rival}
    return facets({name: [value] for name, value in parts.items() if value is not None})


def matrix(counted: Confusion) -> list[Row]:
    """Lay a confusion matrix out; labels that only were predicted have no row."""
    rows = []
    for number, label in enumerate(counted.labels):
        support = int(counted.support[number])
        if support:
            counts = [int(count) for count in counted.counts[number]]
            cells = [
                Cell(count, -(-count * _SHADES // support), column == number) for column, count in enumerate(counts)
            ]
            rows.append(Row(label, cells))
    return rows
