"""What `curate infer` asks: an export, a run that has one, or one that is written for it from any source."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from curate.cli.output import Output

if TYPE_CHECKING:
    from curate.pipeline.recipe import Recipe
    from curate.pipeline.result import RunResult


@dataclass(frozen=True)
class Writing:
    """How an export is written for questions that have none."""

    template: str | None
    images: Path | None
    labels: str | None
    overrides: tuple[str, ...]

    @property
    def wanted(self) -> bool:
        """Whether anything was said that an export which is there already would ignore."""
        return bool(self.template or self.images or self.overrides)


@dataclass(frozen=True)
class Asked:
    """An export to be asked."""

    export: Path
    read: RunResult | None = None
    """The run that was made to write it; None where it was there."""

    @property
    def left_out(self) -> dict[str, int]:
        """Rows of the source that cannot be asked, by reason."""
        if self.read is None:
            return {}
        found = dict(self.read.exports[0].left_out)
        for step in self.read.steps:
            found |= step.counts.codes.get("failed", {})
        return found


def export_folder(source: Path) -> Path | None:
    """The export to ask: the folder itself, or the one ShareGPT export of a run; None where there is none.

    Raises:
        UsageError: there are several.
    """
    from curate.errors import UsageError
    from curate.infer.question import INDEX

    if (source / INDEX).is_file():
        return source
    inside = sorted(path.parent for path in (source / "exports").glob(f"*/{INDEX}"))
    if len(inside) > 1:
        raise UsageError(f"{source} has several exports; name one: {', '.join(map(str, inside))}")
    return inside[0] if inside else None


@contextmanager
def to_ask(out: Output, source: Path, answers: Path, writing: Writing, *, dry_run: bool) -> Iterator[Asked | int]:
    """Find the export, or write it into the run `ANSWERS.asked` beside the folder of answers; a dry run leaves none.

    Gives an exit code instead where somebody asked to stop.

    Raises:
        UsageError: options do not go with an export that is there.
    """
    from curate.cli.execute import perform
    from curate.cli.summary import shown
    from curate.dataset.working_copy import brought
    from curate.errors import UsageError

    source = brought(source)
    export = export_folder(source)
    if export is not None:
        if writing.wanted:
            raise UsageError(
                f"{export} is an export already; --template, --images and --set are for sources without one"
            )
        yield Asked(export)
        return
    recipe = _recipe(source, writing)
    with tempfile.TemporaryDirectory() as scratch:
        place = answers.resolve().with_name(f"{answers.resolve().name}.asked")
        if dry_run:
            place = Path(scratch) / "run"
        else:
            out.talk(f"reading {source} into {shown(place)}")
        read = perform(out, recipe, place)
        yield read if isinstance(read, int) else Asked(read.exports[0].folder, read)


def _recipe(source: Path, writing: Writing) -> Recipe:
    """Read and export; rows that have no split are the test set."""
    from ruamel.yaml import YAML

    from curate.cli.single import full_key, source_keys
    from curate.pipeline.recipe_file import parse_recipe

    given = source_keys(source, writing.images, "auto", writing.labels)
    export = {"use": "sharegpt", **({"template": writing.template} if writing.template else {})}
    recipe = {
        "name": "asked",
        "input": {key: value for key, value in given.items() if value is not None},
        "stages": [{"use": "split", "train": 0, "val": 0, "test": 1, "by": ["parent"]}],
        "exports": [export],
    }
    text = io.StringIO()
    YAML(typ="rt").dump(recipe, text)
    changes = [full_key(change, "exports.0") for change in writing.overrides]
    return parse_recipe(text.getvalue(), "curate infer", Path.cwd(), changes)
