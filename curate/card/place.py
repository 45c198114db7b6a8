"""Where a card and its files are, and reading them as they are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from curate.card.facts import Facts
from curate.card.layout import CardError
from curate.dataset.dataset import Dataset, steps
from curate.dataset.files import read_json

FOLDER = Path("data_cards")
"""Where the cards of a project are."""
_NAME = re.compile(r"[^\w.-]+")


@dataclass(frozen=True)
class Place:
    """Where a card is."""

    folder: Path
    name: str

    @property
    def card(self) -> Path:
        """The card itself, a person's."""
        return self.folder / f"{self.name}.md"

    @property
    def facts(self) -> Path:
        """What was measured."""
        return self.folder / f"{self.name}.facts.json"

    @property
    def croissant(self) -> Path:
        """Croissant; never edited by hand."""
        return self.folder / f"{self.name}.croissant.json"


def place_of(data: Dataset, folder: Path, name: str | None = None) -> Place:
    """Where a dataset's card is: named after the run's folder (with the step where it is not the last) or the file."""
    if name is None:
        path = (data.run or data.folder).resolve()
        name = path.stem if path.is_file() else path.name
        if data.run is not None and data.step is not None and data.step != steps(data.run)[-1]:
            name = f"{name}-{data.step.name.partition('-')[2]}"
    return Place(folder, _NAME.sub("-", str(name)).strip("-") or "dataset")


def read(path: Path) -> str:
    """Read a card as it is, line ends included.

    Raises:
        CardError: there is none, or it is not UTF-8.
    """
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise CardError(f"there is no card {path}; `curate card DATASET` makes one") from None
    except UnicodeDecodeError as error:
        raise CardError(f"{path} is not UTF-8 (byte {error.start}); save it as UTF-8") from error
    except OSError as error:
        raise CardError(f"cannot read {path}: {error.strerror}") from error


def read_facts(place: Place) -> Facts | None:
    """The facts as they were written; None where there are none, or they are of another version or damaged."""
    value = read_json(place.facts)
    if value is None:
        return None
    try:
        return Facts.model_validate(value)
    except ValidationError:
        return None
