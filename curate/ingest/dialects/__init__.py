"""One file for each dialect of records. A dialect is pure: a raw object goes in, the parts of a record come out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from curate.ingest.parts import Parts


class Dialect(NamedTuple):
    """How one kind of raw object is recognised and read."""

    name: str
    matches: Callable[[Mapping[str, Any]], bool]
    """Whether an object looks like this dialect."""
    parse: Callable[[Mapping[str, Any]], Parts]
    """Make the parts of a record; raises RowError."""
    needs: str
    """The keys that the dialect is recognised by, for messages."""
    task_of: Callable[[Mapping[str, Any]], str] | None = None
    """Tells the task of a record without reading the rest; raises RowError."""
    registry: str | None = None
    """Label registry of the dialect where the recipe names none."""
